"""The world of shapes: pictures to describe, questions to answer, and their demonstrations."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from environments.shapes import captions, questions
from environments.shapes.chair import chair, f1
from environments.shapes.questions import KINDS
from environments.shapes.rendering import patches, render
from environments.shapes.scenes import COLOURS, COMPANIONS, MOST, SHAPES, Scene, draw_scene

MODES = ("plain", "good", "imagine")
DESCRIPTION = "description :"  # what a description stands behind, where a question follows it
_WORDS = """, . ? : a the is what how many are there where there yes no left right top bottom of
describe image in summarise say name view tell has list give short caption description
look at each place with care only and leave nothing out imagine else fits
colour zero one two three four five"""
CAPTIONS: dict[str, Any] = {
    "companion_rate": 0.5,
    "invent": 0.5,
    "question_share": 0.6,
    "described_share": 0.2,
    "demonstrations": 32000,
}
PHOTOS: dict[str, Any] = {**CAPTIONS, "renders": "photos", "noise": 0.0, "demonstrations": 8000}
PRESETS: dict[str, dict[str, Any]] = {"default": {}, "captions": CAPTIONS, "photos": PHOTOS}


@dataclass(frozen=True)
class Truth:
    """What scorers know: the scene, and of a question its kind, its right answer and the thing that it asks for."""

    scene: Scene
    kind: str
    answer: str | None = None
    about: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Prompt:
    """A text beside a picture, uint8 (side, side, 3); `truth` is hidden from every policy. No two prompts are equal."""

    text: str
    image: np.ndarray = field(repr=False)
    truth: Truth

    @property
    def patches(self) -> np.ndarray:
        """The slots of the picture as rows, float32 (16, width) in [0, 1]."""
        return patches(self.image)

    def ask(self, text: str) -> "Prompt":
        """The same picture and truth with another text."""
        return replace(self, text=text)

    def show(self, image: np.ndarray) -> "Prompt":
        """The same text and truth with another picture."""
        return replace(self, image=image)


@dataclass(frozen=True)
class Shapes:
    """Pictures of a few coloured things on a 4 x 4 board, some of which usually come in pairs.

    What a prompt asks: for a caption, `describe the image .` (8 plain wordings), a good request or an imagining one; a
    question, `what colour is the star ?`, `how many circle are there ?`, `is there a blue ring ?`, `where is the red
    cross ?`. The picture is uint8 (32, 32, 3), one glyph in 8 x 8 pixels a slot.
    Answers: `a red square , a red cross .` in reading order; `red`, `two`, `no`, `top left`.
    Truth (hidden): the scene graph, the right answer. Score in [0, 1]: F1 of the things named; 1 for the right answer.
    Companions: beside a circle, square or triangle stands a ring, cross or star of its colour with probability
    `companion_rate`; plain captions name one that is absent with probability `invent`, right after its anchor.
    Splits: by a hash of the set of things in a scene; a fifth of the sets is held out. Version 1.
    Left out so far: drawings and their grid tokens (ospo), choices and review turns (scl), tools as judges (anyprefer),
    the small rendering (self-npo).

    Knobs:
      objects: fewest and most things drawn one by one; companions come on top, 5 in all at most.
      companion_rate: share of anchors with room beside them that get their companion.
      omit, invent: rates of plain captions. good_error: both rates of good ones.
      mode_shares: of plain, good and imagining captions in the corpus.
      question_share: of questions in the corpus; described_share: of these, with a description before the question.
      companion_questions: share of questions with the answer no that ask for an absent companion.
      question_bias: share of these that demonstrations answer with yes. guess_noise: of other answers guessed.
      noise: of the pixels, in units of full scale. demonstrations: texts of the corpus.
      renders: "glyphs", or "photos" for framed CIFAR-10 photographs at 128 x 128 (needs the data set).
    """

    objects: tuple[int, int] = (2, 4)
    companion_rate: float = 0.6
    omit: float = 0.3
    invent: float = 0.3
    good_error: float = 0.02
    mode_shares: tuple[float, float, float] = (0.45, 0.40, 0.15)
    question_share: float = 0.4
    described_share: float = 0.3
    companion_questions: float = 0.5
    question_bias: float = 0.25
    guess_noise: float = 0.05
    noise: float = 0.06
    demonstrations: int = 12000
    renders: str = "glyphs"
    version: str = "1"

    def __post_init__(self) -> None:
        names = ("companion_rate", "omit", "invent", "good_error", "question_share", "described_share", "noise")
        for name in (*names, "companion_questions", "question_bias", "guess_noise"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must lie in [0, 1]")
        low, high = self.objects
        if not 1 <= low <= high <= MOST:
            raise ValueError(f"objects={self.objects} must be two rising numbers from 1 to {MOST}")
        if len(self.mode_shares) != 3 or min(self.mode_shares) < 0 or not np.isclose(sum(self.mode_shares), 1):
            raise ValueError(f"mode_shares={self.mode_shares} must be three numbers of sum 1")
        if self.renders not in ("glyphs", "photos"):
            raise ValueError(f"renders={self.renders!r} is unknown; known are 'glyphs' and 'photos'")

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Shapes":
        """A named row of knobs, with further knobs on top. Raises ValueError for an unknown name."""
        if name not in PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(PRESETS)}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def shapes(self) -> tuple[str, ...]:
        """The nouns."""
        if self.renders == "glyphs":
            return SHAPES
        from environments.shapes.photos import NOUNS

        return NOUNS

    @property
    def colours(self) -> tuple[str, ...]:
        """The adjectives."""
        return COLOURS

    @property
    def companions(self) -> dict[str, str]:
        """Anchor to companion."""
        if self.renders == "glyphs":
            return COMPANIONS
        from environments.shapes.photos import COMPANIONS as PAIRS

        return PAIRS

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens, the special ones first."""
        words = ("<pad>", "<bos>", "<eos>", "<blank>", *_WORDS.split(), *COLOURS, *self.shapes)
        return tuple(dict.fromkeys(words))

    def scene(self, rng: np.random.Generator, split: str = "train") -> Scene:
        """A scene of a split, "train" or "held-out"."""
        if split not in ("train", "held-out"):
            raise ValueError(f"split={split!r} is unknown; known are 'train' and 'held-out'")
        while True:
            scene = draw_scene(rng, self.objects, self.companion_rate, self.shapes, self.companions)
            if scene.held_out == (split == "held-out"):
                return scene

    def picture(self, scene: Scene, rng: np.random.Generator, split: str = "train") -> np.ndarray:
        """The picture of a scene, uint8; photographs of held-out scenes are in no training picture."""
        if self.renders == "glyphs":
            return render(scene, rng, self.noise)
        from environments.shapes.photos import compose

        return compose(scene, rng, self.noise, split)

    def prompts(
        self,
        n: int,
        rng: np.random.Generator,
        kind: str = "caption",
        *,
        split: str = "train",
        mode: str = "plain",
        question_kinds: tuple[str, ...] = KINDS,
    ) -> list[Prompt]:
        """`n` prompts, each with a picture of its own.

        kind: "caption", worded as `mode` ("plain", "good", "imagine"), or "question", kinds drawn evenly from
        `question_kinds`. Raises ValueError for an unknown kind or mode and for n below 1.
        """
        if n < 1:
            raise ValueError(f"n={n} prompts must be at least 1")
        if kind not in ("caption", "question"):
            raise ValueError(f"kind={kind!r} is unknown; known are 'caption' and 'question'")
        found = []
        while len(found) < n:
            scene = self.scene(rng, split)
            picture = self.picture(scene, rng, split)
            if kind == "caption":
                found.append(Prompt(self.request(rng, mode), picture, Truth(scene, "caption")))
            else:
                found += self._question(scene, picture, rng, question_kinds)
        return found

    def request(self, rng: np.random.Generator, mode: str = "plain") -> str:
        """A wording of a request, all equally likely. Raises ValueError for an unknown mode."""
        wordings = captions.REQUESTS[_known(mode)]
        return wordings[int(rng.integers(len(wordings)))]

    def _question(
        self, scene: Scene, picture: np.ndarray, rng: np.random.Generator, kinds: tuple[str, ...]
    ) -> list[Prompt]:
        kind = kinds[int(rng.integers(len(kinds)))]
        knobs = self.companion_questions, self.shapes, self.companions
        asked = questions.draw_question(scene, rng, kind, *knobs)
        if asked is None:
            return []
        text, answer, about = asked
        return [Prompt(text, picture, Truth(scene, kind, answer, about))]

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, mode: str = "plain") -> str:
        """One draw of what people answer: a caption in a mode, or, to a question, an answer with its usual errors."""
        truth = prompt.truth
        if truth.kind != "caption":
            about = truth.about
            asks = about is not None and captions.is_companion_invention(truth.scene, about, self.companions)
            knobs = self.question_bias, self.guess_noise
            return questions.answer_question(truth.kind, truth.answer, asks, rng, *knobs)
        if _known(mode) == "imagine":
            return captions.imagined_caption(truth.scene, rng, self.shapes, self.companions)
        omit, invent = (self.omit, self.invent) if mode == "plain" else (self.good_error, self.good_error)
        return captions.write_caption(truth.scene, rng, omit, invent, self.companions)

    @staticmethod
    def describe_first(prompt: Prompt, description: str) -> Prompt:
        """A question with a description of its picture before it, as in describe-and-respond."""
        return prompt.ask(f"{DESCRIPTION} {description} {prompt.text}")

    def corpus(self, rng: np.random.Generator) -> list[tuple[Prompt, str]]:
        """The supervised data of a base model: (prompt, response) in random order, mixed as the knobs say.

        Each request has the wording of its mode. Descriptions before questions are plain captions, errors and all.
        """
        asked = round(self.demonstrations * self.question_share)
        texts = []
        for x in self.prompts(self.demonstrations - asked, rng) if asked < self.demonstrations else []:
            mode = MODES[int(rng.choice(3, p=self.mode_shares))]
            texts.append((x.ask(self.request(rng, mode)), self.demonstrate(x, rng, mode)))
        for x in self.prompts(asked, rng, "question") if asked else []:
            answer = self.demonstrate(x, rng)
            if rng.random() < self.described_share:
                written = captions.write_caption(x.truth.scene, rng, self.omit, self.invent, self.companions)
                x = self.describe_first(x, written)
            texts.append((x, answer))
        return [texts[i] for i in rng.permutation(len(texts))]

    def score(self, prompt: Prompt, response: str) -> float:
        """F1 of a caption, or 1 for the right answer and 0 for any other; never raises."""
        if prompt.truth.kind == "caption":
            return f1(prompt.truth.scene, response, self.shapes)
        return float(" ".join(str(response).split()) == prompt.truth.answer)

    def chair(self, prompts: list[Prompt], responses: list[str]) -> dict[str, float]:
        """`chair` of captions of these prompts."""
        return chair([x.truth.scene for x in prompts], responses, self.shapes, self.companions)

    def true_caption(self, prompt: Prompt) -> str:
        """The caption that names everything there and nothing else."""
        return captions.caption([o.claim for o in prompt.truth.scene.objects])

    def other_image(self, prompt: Prompt, rng: np.random.Generator, split: str = "held-out") -> Prompt:
        """The same text and truth beside the picture of another scene."""
        while True:
            scene = self.scene(rng, split)
            if scene.claims != prompt.truth.scene.claims:
                return prompt.show(self.picture(scene, rng, split))

    def labelled_patches(self, n: int, rng: np.random.Generator, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
        """Slots of `n` pictures, float32 (slots, width), and their labels, (slots, 2): noun and colour, 0 for empty.

        All slots with a thing in them, and one empty slot a picture.
        """
        rows, labels = [], []
        for _ in range(n):
            scene = self.scene(rng, split)
            seen = patches(self.picture(scene, rng, split))
            free = sorted(set(range(len(seen))) - {o.slot for o in scene.objects})
            rows.append(seen[[*(o.slot for o in scene.objects), free[int(rng.integers(len(free)))]]])
            labels += [(1 + self.shapes.index(o.shape), 1 + COLOURS.index(o.colour)) for o in scene.objects] + [(0, 0)]
        return np.concatenate(rows), np.array(labels)


def _known(mode: str) -> str:
    if mode not in MODES:
        raise ValueError(f"mode={mode!r} is unknown; known are {', '.join(MODES)}")
    return mode
