"""Sentences under three demands: instruction following that a pretrained model of 135M parameters can do in part."""

import hashlib
import itertools
import re
from dataclasses import dataclass

import numpy as np

from autodidact.environments.instructions.prompts import check_split

TOPICS: dict[str, tuple[str, ...]] = {
    "autumn": ("leaf", "wind", "harvest", "rain", "apple", "coat"),
    "baking": ("oven", "flour", "sugar", "recipe", "crust", "butter"),
    "bees": ("honey", "flower", "hive", "garden", "summer", "queen"),
    "bicycles": ("wheel", "road", "chain", "helmet", "hill", "brake"),
    "bridges": ("river", "steel", "stone", "traffic", "arch", "city"),
    "camping": ("tent", "fire", "forest", "lake", "stars", "rope"),
    "castles": ("king", "tower", "wall", "gate", "history", "moat"),
    "cats": ("mouse", "fur", "sleep", "window", "milk", "paw"),
    "chess": ("queen", "board", "player", "strategy", "clock", "pawn"),
    "coffee": ("morning", "cup", "bean", "kitchen", "smell", "barista"),
    "deserts": ("sand", "sun", "camel", "water", "night", "cactus"),
    "doctors": ("hospital", "patient", "nurse", "medicine", "pain", "advice"),
    "dogs": ("ball", "walk", "friend", "bone", "park", "leash"),
    "farming": ("field", "tractor", "corn", "soil", "cow", "season"),
    "gardens": ("rose", "spring", "soil", "tree", "bench", "butterfly"),
    "islands": ("ocean", "beach", "boat", "palm", "storm", "harbor"),
    "kitchens": ("knife", "table", "spice", "soup", "sink", "chef"),
    "libraries": ("book", "silence", "student", "shelf", "knowledge", "card"),
    "markets": ("fruit", "price", "crowd", "fish", "basket", "street"),
    "mountains": ("snow", "climber", "valley", "view", "cloud", "path"),
    "movies": ("actor", "story", "ticket", "screen", "popcorn", "director"),
    "museums": ("art", "painting", "visitor", "guide", "past", "statue"),
    "music": ("guitar", "song", "dance", "concert", "voice", "piano"),
    "oceans": ("whale", "wave", "ship", "salt", "island", "coral"),
    "painting": ("brush", "color", "canvas", "artist", "light", "studio"),
    "photography": ("camera", "light", "memory", "portrait", "moment", "lens"),
    "rivers": ("bridge", "fish", "stone", "boat", "flood", "bank"),
    "robots": ("machine", "future", "human", "factory", "battery", "arm"),
    "running": ("shoe", "race", "heart", "morning", "road", "finish"),
    "sailing": ("wind", "boat", "captain", "anchor", "harbor", "rope"),
    "schools": ("teacher", "child", "lesson", "friend", "desk", "pencil"),
    "snow": ("winter", "child", "road", "sled", "silence", "boot"),
    "space": ("planet", "rocket", "moon", "star", "astronaut", "earth"),
    "summer": ("beach", "heat", "ice", "holiday", "swim", "shade"),
    "tea": ("leaf", "cup", "garden", "guest", "honey", "afternoon"),
    "theater": ("stage", "actor", "audience", "curtain", "drama", "costume"),
    "trains": ("station", "ticket", "window", "track", "journey", "whistle"),
    "trees": ("root", "bird", "forest", "shade", "fruit", "branch"),
    "weather": ("cloud", "rain", "umbrella", "forecast", "wind", "thunder"),
    "writing": ("pen", "story", "paper", "letter", "idea", "poet"),
}
LIMITS = (8, 10, 12, 15)  # words, at most
TEMPLATES = (
    "The {word} is part of {topic}.",
    "Everyone who likes {topic} knows the {word}.",
    "When I think of {topic}, I see a {word}.",
    "No {word}, no {topic}.",
    "A {word} can change {topic}.",
    "My favorite thing about {topic} is the {word}.",
    "What would {topic} be without a {word}?",
    "She wrote about {topic} and the {word}.",
)
TAILS = ("as people everywhere have been saying for many years", "and I could talk about it all day long with you")
SECOND = ("It is a wonderful thing.", "People have always known it.", "I would not miss it.")
CREDIT = 4  # words too many at which nothing is left of the credit for the length
TERMINATOR = re.compile(r"[.!?]+[\"'”’)]*(?=\s|$)")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class SentenceTruth:
    """What a prompt demands: one sentence about `topic`, with `word`, of at most `most` words."""

    topic: str
    word: str
    most: int


@dataclass(frozen=True, slots=True)
class SentencePrompt:
    """A text for the policy and the truth behind it, for scorers only."""

    text: str
    truth: SentenceTruth


@dataclass(frozen=True)
class Sentences:
    """One sentence with a given word and of a given length: short, checkable, and in plain English.

    What a prompt asks: `Write one sentence of at most 12 words about bees with the word "honey".`; 960 prompts.
    Truth (hidden): topic, word, and the largest number of words. Score: mean of three credits, in [0, 1]: the word
    occurs (as a word, in any case), it is one sentence (ends as one does and holds no other, no line break), and its
    length, max(0, 1 - excess/4). A response without a letter scores 0. That it is about the topic is not checked.
    Demonstrations: templates, which honour each demand with probability `quality` (a second sentence may break the
    length, too). Splits: two topics-and-words of five are held out by a stable hash, whatever the length.
    Random streams: whatever draws takes a `numpy.random.Generator`.
    There is no vocabulary and so no tiny base: made for pretrained models. Version 1.

    Knobs: quality, in [0, 1]; demonstrations: how many (prompt, response) pairs `corpus` holds.
    """

    quality: float = 1.0
    demonstrations: int = 400
    version: str = "1"

    def __post_init__(self) -> None:
        if not 0 <= self.quality <= 1:
            raise ValueError(f"quality={self.quality} must lie in [0, 1]")
        if self.demonstrations < 1:
            raise ValueError(f"demonstrations={self.demonstrations} must be at least 1")

    @classmethod
    def preset(cls, name: str, **knobs: float) -> "Sentences":
        """A named row of knobs: `default` (whole demonstrations) or `imperfect` (quality 0.7); ValueError otherwise."""
        presets: dict[str, dict[str, float]] = {"default": {}, "imperfect": {"quality": 0.7}}
        if name not in presets:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(presets)}")
        return cls(**{**presets[name], **knobs})

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> list[SentencePrompt]:
        """`n` different prompts of a split. ValueError if that part of the split has fewer."""
        check_split(n, split, part, parts)
        pool = [truth for truth in _truths() if _belongs(truth, split, part, parts)]
        if n > len(pool):
            raise ValueError(f"n={n} prompts were asked for; part {part} of {parts} of {split!r} has {len(pool)}")
        return [SentencePrompt(_say(pool[i]), pool[i]) for i in rng.choice(len(pool), size=n, replace=False)]

    def count(self, split: str = "train") -> int:
        """How many prompts a split has."""
        return sum(_belongs(truth, split, 0, 1) for truth in _truths())

    def demonstrate(self, prompt: SentencePrompt, rng: np.random.Generator, quality: float | None = None) -> str:
        """A reference response; quality: the chance that a demand is honoured, None for the configured one."""
        quality = self.quality if quality is None else quality
        if not 0 <= quality <= 1:
            raise ValueError(f"quality={quality} must lie in [0, 1]")
        used, short, single = rng.random(3) < quality
        truth = prompt.truth
        wrong = [word for word in TOPICS[truth.topic] if word != truth.word]
        word = truth.word if used else wrong[rng.integers(len(wrong))]
        fitting = [text.format(word=word, topic=truth.topic) for text in TEMPLATES]
        fitting = [text for text in fitting if len(WORD.findall(text)) <= truth.most]
        sentence = fitting[rng.integers(len(fitting))]
        if not short:
            sentence = f"{sentence[:-1]} {TAILS[rng.integers(len(TAILS))]}{sentence[-1]}"
        return sentence if single else f"{sentence} {SECOND[rng.integers(len(SECOND))]}"

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """`demonstrations` x (prompt text, demonstration) of the training split, for supervised training."""
        pool = [truth for truth in _truths() if _belongs(truth, "train", 0, 1)]
        chosen = [SentencePrompt(_say(pool[i]), pool[i]) for i in rng.integers(len(pool), size=self.demonstrations)]
        return [(prompt.text, self.demonstrate(prompt, rng)) for prompt in chosen]

    def met(self, prompt: SentencePrompt, response: str) -> dict[str, float]:
        """Demand (`use`, `one`, `length`) -> credit in [0, 1]; all 0 for a response without a letter."""
        if not self.well_formed(response):
            return {"use": 0.0, "one": 0.0, "length": 0.0}
        text, truth = response.strip(), prompt.truth
        words = [word.casefold() for word in WORD.findall(text)]
        ends = [match.end() for match in TERMINATOR.finditer(text)]
        return {
            "use": float(truth.word in words),
            "one": float(ends == [len(text)] and "\n" not in text),
            "length": max(0.0, 1 - max(0, len(words) - truth.most) / CREDIT),
        }

    def score(self, prompt: SentencePrompt, response: str) -> float:
        """The mean of the three credits."""
        return sum(self.met(prompt, response).values()) / 3

    def strict(self, prompt: SentencePrompt, response: str) -> bool:
        """Whether every demand is met in full."""
        return min(self.met(prompt, response).values()) == 1

    def well_formed(self, response: str) -> bool:
        """Whether the response has a letter."""
        return isinstance(response, str) and any(sign.isalpha() for sign in response)


def _truths() -> list[SentenceTruth]:
    return [SentenceTruth(t, w, n) for t, words in TOPICS.items() for w, n in itertools.product(words, LIMITS)]


def _say(truth: SentenceTruth) -> str:
    return f'Write one sentence of at most {truth.most} words about {truth.topic} with the word "{truth.word}".'


def _belongs(truth: SentenceTruth, split: str, part: int, parts: int) -> bool:
    """Whether a truth lies in this part of this split: cut by topic and word, so that no length gives one away."""
    digest = hashlib.sha256(f"{truth.topic} {truth.word}".encode()).digest()
    value = int.from_bytes(digest[:8], "big")
    return (value % 5 < 2) == (split == "held-out") and value // 5 % parts == part
