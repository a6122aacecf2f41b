"""The world of shapes: pictures to describe, questions to answer, and their demonstrations."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.shapes import captions, choices, drawings, facts, questions, raters, small
from autodidact.environments.shapes.chair import chair, f1
from autodidact.environments.shapes.grid import sketch
from autodidact.environments.shapes.knobs import PRESETS, Knobs
from autodidact.environments.shapes.prompts import Prompt, Truth
from autodidact.environments.shapes.rendering import patches, render
from autodidact.environments.shapes.scenes import COLOURS, Scene, draw_scene
from autodidact.environments.shapes.tools import tools

MODES = ("plain", "good", "imagine")
DESCRIPTION = "description :"  # what a description stands behind, where a question follows it
_WORDS = """, . ? : a the is what how many are there where there yes no left right top bottom of
describe image in summarise say name view tell has list give short caption description
look at each place with care only and leave nothing out imagine else fits
colour zero one two three four five"""
_TASKS = {  # kinds of prompt with a file of their own: who poses them, and the knob that they need
    "choice": (choices.pose, "choice_share", lambda knobs: knobs.choice_share > 0),
    "draw": (drawings.pose, "renders='grid'", lambda knobs: knobs.renders == "grid"),
    "class": (
        lambda knobs, scene, picture, rng: small.pose(scene, picture),
        "renders='small'",
        lambda knobs: knobs.renders == "small",
    ),
}


@dataclass(frozen=True)
class Shapes(Knobs):
    """Pictures of a few coloured things on a 4 x 4 board, some of which usually come in pairs.

    What a prompt asks: for a caption, `describe the image .` (8 plain wordings), a good request or an imagining one; a
    question, `what colour is the star ?`, `how many circle are there ?`, `is there a blue ring ?`, `where is the red
    cross ?`; a choice among four options (`choices`); a drawing, `draw a red circle left of a blue star .`
    (`drawings`); a picture of a class, `a red circle at top left` (`small`).
    Three renderings: pixels, uint8 (32, 32, 3), one glyph in 8 x 8 a slot; grid, int (8, 8) of 40 tokens, 2 x 2 a slot;
    small, uint8 (16, 16, 3), 2 x 2 slots.
    Answers: `a red square , a red cross .` in reading order; `red`, `two`, `no`, `top left`; `i see a red square . so
    red B # B #`; the tokens of a drawing, slot by slot; a small picture.
    Truth (hidden): the scene graph, the right answer. Score in [0, 1]: F1 of the things named; 1 for the right answer,
    letter or class; of a drawing, the share of the request's atomic facts.
    Companions: beside a circle, square or triangle stands a ring, cross or star of its colour with probability
    `companion_rate`; plain captions name one that is absent with probability `invent`, right after its anchor.
    Splits: by a hash of the set of things in a scene; a fifth of the sets is held out. Version 1.

    Knobs:
      objects: fewest and most things drawn one by one; companions come on top, 5 in all at most.
      companion_rate: share of anchors with room beside them that get their companion.
      omit, invent: rates of plain captions. good_error: both rates of good ones.
      mode_shares: of plain, good and imagining captions in the corpus.
      question_share: of questions in the corpus; described_share: of these, with a description before the question,
        which is a caption of mode described_mode; described_blind: of these, without the picture.
      question_kinds: of questions; by default those of the rendering.
      companion_questions: share of questions with the answer no that ask for an absent companion.
      question_bias: share of these that demonstrations answer with yes. guess_noise: of other answers guessed.
      noise: of the pixels, in units of full scale. demonstrations: texts of the corpus.
      renders: "glyphs", or "photos" for framed CIFAR-10 photographs at 128 x 128 (needs the data set); "grid" (noise is
        then the share of tokens replaced by any); "small" (at most two things, no companions).
      choice_share: of choices in the corpus; choice_kinds: what they ask for; review_share: of these that are second
        turns; review_keep, review_fix: shares of right first answers kept, of wrong ones put right.
      draw_share: of requests to draw in the corpus; swap_share: of their drawings with a wrong or missing binding;
        draw_relations: whether requests relate two things.
      tool_error: share of wrong answers of `tools`.
    """

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Shapes":
        """A named row of knobs, with further knobs on top. Raises ValueError for an unknown name."""
        if name not in PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(PRESETS)}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens, the special ones first."""
        words = ("<pad>", "<bos>", "<eos>", "<blank>", *_WORDS.split(), *COLOURS, *self.shapes)
        words += choices.WORDS if self.choice_share else ()
        words += drawings.WORDS if self.renders == "grid" else ()
        return tuple(dict.fromkeys(words))

    def scene(self, rng: np.random.Generator, split: str = "train") -> Scene:
        """A scene of a split, "train" or "held-out"."""
        if split not in ("train", "held-out"):
            raise ValueError(f"split={split!r} is unknown; known are 'train' and 'held-out'")
        while True:
            if self.renders == "small":
                scene = small.draw_scene(rng, self.objects)
            else:
                scene = draw_scene(rng, self.objects, self.companion_rate, self.shapes, self.companions)
            if scene.held_out == (split == "held-out"):
                return scene

    def picture(self, scene: Scene, rng: np.random.Generator, split: str = "train") -> np.ndarray:
        """The picture of a scene, uint8, or int (8, 8); photographs of held-out scenes are in no training picture."""
        if self.renders != "photos":
            paint = {"glyphs": render, "grid": sketch, "small": small.render_small}[self.renders]
            return paint(scene, rng, self.noise)
        from autodidact.environments.shapes.photos import compose

        return compose(scene, rng, self.noise, split)

    def prompts(
        self,
        n: int,
        rng: np.random.Generator,
        kind: str = "caption",
        *,
        split: str = "train",
        mode: str = "plain",
        question_kinds: tuple[str, ...] | None = None,
    ) -> list[Prompt]:
        """`n` prompts, each with a picture of its own.

        kind: "caption", worded as `mode` ("plain", "good", "imagine"); "question", kinds drawn evenly from
        `question_kinds`, by default the world's; "choice"; "draw", without a picture; "class". Raises
        ValueError for an unknown kind or mode, for a kind that the knobs do not provide for, and for n below 1.
        """
        if n < 1:
            raise ValueError(f"n={n} prompts must be at least 1")
        if kind not in ("caption", "question", *_TASKS):
            raise ValueError(f"kind={kind!r} is unknown; known are caption, question, {', '.join(_TASKS)}")
        pose, needed, provided = _TASKS.get(kind, (None, "", lambda knobs: True))
        if not provided(self):
            raise ValueError(f"kind={kind!r} needs a world with {needed}; see the presets")
        found = []
        while len(found) < n:
            scene = self.scene(rng, split)
            picture = self.picture(scene, rng, split)
            if kind == "caption":
                found.append(Prompt(self.request(rng, mode), picture, Truth(scene, "caption")))
            else:
                posed = pose(self, scene, picture, rng) if pose else self._question(scene, picture, rng, question_kinds)
                found += [] if posed is None else [posed]
        return found

    def request(self, rng: np.random.Generator, mode: str = "plain") -> str:
        """A wording of a request, all equally likely. Raises ValueError for an unknown mode."""
        wordings = captions.REQUESTS[_known(mode)]
        return wordings[int(rng.integers(len(wordings)))]

    def _question(
        self, scene: Scene, picture: np.ndarray, rng: np.random.Generator, kinds: tuple[str, ...] | None
    ) -> Prompt | None:
        drawn = self.renders == "grid"
        kinds = (self.question_kinds or (facts.ASKED if drawn else questions.KINDS)) if kinds is None else kinds
        kind = kinds[int(rng.integers(len(kinds)))]
        if drawn and kind != "colour":
            asked = facts.draw_question(scene, rng, kind)
        else:
            asked = questions.draw_question(scene, rng, kind, self.companion_questions, self.shapes, self.companions)
        return None if asked is None else Prompt(asked[0], picture, Truth(scene, kind, *asked[1:]))

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, mode: str = "plain") -> str:
        """One draw of what people answer: a caption in a mode, or, to a question, an answer with its usual errors.

        Absent companions are said to be there (`question_bias`) in mode "plain" only.
        A drawing has slips in mode "plain" only. Raises ValueError for a class, which is answered by a picture.
        """
        truth = prompt.truth
        if truth.kind == "class":
            raise ValueError("prompt asks for a class; what people would draw is the picture of another such prompt")
        if truth.kind == "choice":
            return choices.demonstrate(self, prompt, rng)
        if truth.kind == "draw":
            return drawings.demonstrate(prompt, rng, self.swap_share if _known(mode) == "plain" else 0.0)
        if truth.kind != "caption":
            about = truth.about
            asks = about is not None and captions.is_companion_invention(truth.scene, about, self.companions)
            knobs = self.question_bias if _known(mode) == "plain" else 0.0, self.guess_noise
            return questions.answer_question(truth.kind, truth.answer, asks, rng, *knobs)
        return self._caption(truth.scene, rng, _known(mode))

    def _caption(self, scene: Scene, rng: np.random.Generator, mode: str) -> str:
        """What people write under a request of a mode."""
        if mode == "imagine":
            return captions.imagined_caption(scene, rng, self.shapes, self.companions)
        omit, invent = (self.omit, self.invent) if mode == "plain" else (self.good_error, self.good_error)
        return captions.write_caption(scene, rng, omit, invent, self.companions)

    @staticmethod
    def describe_first(prompt: Prompt, description: str) -> Prompt:
        """A question with a description of its picture before it, as in describe-and-respond."""
        return prompt.ask(f"{DESCRIPTION} {description} {prompt.text}")

    def corpus(self, rng: np.random.Generator) -> list[tuple[Prompt, str]]:
        """The supervised data of a base model: (prompt, response) in random order, `demonstrations` of them.

        Demonstrations of every kind are mixed as the knobs say. Each request has the wording of its mode. Descriptions
        before questions are captions of mode `described_mode`, errors and all.
        """
        shares = self.question_share, self.choice_share, self.draw_share
        asked, chosen, drawn = (round(self.demonstrations * share) for share in shares)
        rest = self.demonstrations - asked - chosen - drawn
        texts: list[tuple[Prompt, str]] = []
        for x in self.prompts(rest, rng) if rest > 0 else []:
            mode = tuple(captions.REQUESTS)[int(rng.choice(len(captions.REQUESTS), p=self.mode_shares))]
            texts.append((x.ask(self.request(rng, mode)), self.demonstrate(x, rng, mode)))
        for x in self.prompts(asked, rng, "question") if asked else []:
            answer = self.demonstrate(x, rng)
            if rng.random() < self.described_share:
                if self.described_mode != "plain":  # who has read a careful description answers with care
                    answer = self.demonstrate(x, rng, self.described_mode)
                x = self.describe_first(x, self._caption(x.truth.scene, rng, self.described_mode))
                tells = self.described_blind and x.truth.kind != "where"  # a caption does not say where a thing is
                x = x.show(None) if tells and rng.random() < self.described_blind else x
            texts.append((x, answer))
        texts += [choices.lesson(self, x, rng) for x in (self.prompts(chosen, rng, "choice") if chosen else [])]
        texts += [drawings.lesson(self, x, rng) for x in (self.prompts(drawn, rng, "draw") if drawn else [])]
        return [texts[i] for i in rng.permutation(len(texts))]

    def score(self, prompt: Prompt, response: str | np.ndarray) -> float:
        """F1 of a caption, share of facts of a drawing, 1 for the right answer and 0 for any other; never raises.

        A drawing is its text or an int (8, 8) array, the answer to a class a uint8 (16, 16, 3) picture.
        """
        kind = prompt.truth.kind
        if kind == "caption":
            return f1(prompt.truth.scene, response, self.shapes)
        if kind == "choice":
            return float(choices.parse_choice(response) == prompt.truth.answer)
        if kind == "draw":
            return drawings.score(prompt.text, response)
        if kind == "class":
            return small.score(prompt.text, response)
        return float(" ".join(str(response).split()) == prompt.truth.answer)

    def oracle(self, prompt: Prompt, a: str, b: str) -> int:
        """Which of two answers is better by the true score: 1 the first, -1 the second, 0 neither."""
        return raters.prefer(self.score(prompt, a), self.score(prompt, b))

    def noisy_judge(self, prompt: Prompt, a: str, b: str, rng: np.random.Generator, accuracy: float) -> int:
        """`oracle` with errors that depend on nothing, right with probability `accuracy`; a coin between equals."""
        return raters.err(self.oracle(prompt, a, b), rng, accuracy)

    def tools(self, image: np.ndarray, claim: captions.Claim, rng: np.random.Generator) -> dict[str, Any]:
        """`tools` at this world's rate of errors, which persist."""
        return tools(image, claim, rng, self.tool_error)

    def chair(self, prompts: list[Prompt], responses: list[str]) -> dict[str, float]:
        """`chair` of captions of these prompts."""
        return chair([x.truth.scene for x in prompts], responses, self.shapes, self.companions)

    def checked(self, prompt: Prompt, caption: str) -> list[tuple[str, bool]]:
        """What a caption names, in order, as `red square`, and whether it is in the picture."""
        there = prompt.truth.scene.claims
        return [(" ".join(claim), claim in there) for claim in captions.claims(caption, self.shapes)]

    def told(self, prompt: Prompt, description: str) -> bool | None:
        """Whether a description is right about the thing that a question asks for; None where it asks for none.

        It is if the thing is named and there, or neither.
        """
        about = prompt.truth.about
        named = captions.claims(description, self.shapes)
        return None if about is None else (about in named) == (about in prompt.truth.scene.claims)

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
