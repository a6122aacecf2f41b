"""What can be set of the world of short responses, and its presets."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autodidact.environments.instructions import forms
from autodidact.environments.instructions.prompts import LONGEST, PHRASINGS
from autodidact.environments.instructions.vocabulary import KINDS, LEXICONS, RESPONSE_WORDS, STYLES, Lexicon

GOLDS = ("demands", "strict", "trait", "mixed", "rare")
MANY = ("use", "skip", "begin", "end", "without", "twice")
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "cycle": {"styles": (0.6, 0.3, 0.1, 0.0)},  # far from the equilibrium of the default Cycle (0.375, 0.125, 0.5)
    "plateau": {"quality": 0.95, "demonstrations": 1500},
    "enumerable": {"lexicon": "small", "lengths": (1, 2, 3), "demands": 2},
    "trait": {"gold": "trait"},
    "teacher": {"quality": 0.45},
    "rare": {"gold": "rare", "styles": (0.32, 0.32, 0.31, 0.05)},
    "many": {"demands": 4, "kinds": MANY},
    "strict": {"demands": 4, "credit": "strict", "gold": "strict", "quality": 0.5},
    # Twice the corpus takes more steps: of 400 x 64 as good as the default's of 300 (gold 0.60; drafts revised 0.57).
    "revise": {"forms": (("revise", 4000),)},
    "check": {"forms": (("check", 4000),)},
    "tagged": {"forms": (("tagged", 4000),)},
    "phrased": {
        "phrasing": "vague",
        "forms": (("plain", 4000, {"phrasing": "rich"}), ("shot", 4000), ("rewrite", 4000)),
    },
}


@dataclass(frozen=True)
class Knobs:
    """What can be set of `Instructions`, where each knob is explained.

    ValueError, naming the knob, for a value out of its range.
    """

    quality: float = 0.6
    demonstrations: int = 4000
    kinds: tuple[str, ...] = ("use", "skip", "begin", "end")
    demands: int = 3
    combos: tuple[tuple[str, ...], ...] | None = None
    lengths: tuple[int, ...] = (5, 6, 7, 8, 9, 10)
    credit: str = "partial"
    styles: tuple[float, float, float, float] = (0.33, 0.33, 0.32, 0.02)
    purity: float = 0.9
    gold: str = "demands"
    trait_style: str = "B"
    skew: str | None = None
    phrasing: str = "plain"
    lexicon: str = "full"
    forms: tuple[tuple, ...] = field(default=(), hash=False)  # may hold knobs, which have no hash
    version: str = "1"

    def __post_init__(self) -> None:
        check_share("quality", self.quality)
        check_share("purity", self.purity)
        check_styles(self.styles)
        if self.demonstrations < 1:
            raise ValueError(f"demonstrations={self.demonstrations} must be at least 1")
        for kind in (*self.kinds, *itertools.chain(*(self.combos or ()))):
            check_known("kinds", kind, KINDS)
        if not 1 <= self.demands <= len(self.kinds):
            raise ValueError(f"demands={self.demands} must lie in 1..{len(self.kinds)}, the number of kinds")
        if not self.lengths or not all(1 <= n <= LONGEST for n in self.lengths):
            raise ValueError(f"lengths={self.lengths} must be numbers in 1..{LONGEST}")
        check_known("credit", self.credit, ("partial", "strict"))
        check_known("gold", self.gold, GOLDS)
        check_known("trait_style", self.trait_style, tuple(STYLES))
        check_known("phrasing", self.phrasing, PHRASINGS)
        check_known("lexicon", self.lexicon, tuple(LEXICONS))
        if self.skew is not None:
            check_known("skew", self.skew, ("length", *KINDS))
        for entry in self.forms:
            check_entry(entry)

    @property
    def words(self) -> Lexicon:
        """The response words by class."""
        return LEXICONS[self.lexicon]

    @property
    def response_words(self) -> tuple[str, ...]:
        """The words that a response may use."""
        return RESPONSE_WORDS if self.lexicon == "full" else tuple(self.words.class_of)


def check_share(name: str, value: float) -> float:
    """The value; ValueError for one outside [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie in [0, 1]")
    return value


def check_styles(value: tuple[float, ...]) -> tuple[float, ...]:
    """The value; ValueError for what is not four probabilities."""
    if len(value) != len(STYLES) or min(value) < 0 or abs(sum(value) - 1) > 1e-9:
        raise ValueError(f"styles={value} must be four probabilities that sum to 1")
    return value


def check_entry(entry: Sequence) -> None:
    """ValueError for an entry of `forms` that is not (form, how many) or (form, how many, {knobs of the form})."""
    if not 2 <= len(entry) <= 3 or not isinstance(entry[1], int) or entry[1] < 1:
        raise ValueError(f"forms holds {entry!r}; an entry is (form, how many examples) or (form, how many, {{knobs}})")
    forms.knobs_of(entry[0], dict(*entry[2:]))


def check_known(name: str, value: str, known: tuple[str, ...]) -> None:
    """ValueError that lists what is known for a value that is not."""
    if value not in known:
        raise ValueError(f"{name}={value!r} is unknown; known are {', '.join(known)}")
