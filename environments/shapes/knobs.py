"""Presets of the world of shapes, and what its knobs may be."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autodidact.environments.shapes import small
from autodidact.environments.shapes.captions import REQUESTS
from autodidact.environments.shapes.facts import ASKED
from autodidact.environments.shapes.questions import KINDS, POOLS
from autodidact.environments.shapes.scenes import COLOURS, COMPANIONS, MOST, SHAPES

RENDERS = ("glyphs", "photos", "grid", "small")
CAPTIONS: dict[str, Any] = {
    "companion_rate": 0.5,
    "invent": 0.5,
    "question_share": 0.6,
    "described_share": 0.2,
    "demonstrations": 32000,
}
# Whoever answers at once says yes to most absent companions, whoever has read a careful description to none. A tiny
# base of `TinySight(questions=64)` answers 0.66 to 0.72 rightly at once, behind the true description 0.90 to 0.96
# (seeds 100 to 102).
DESCRIBED: dict[str, Any] = {
    **CAPTIONS,
    "described_share": 0.5,
    "described_mode": "good",
    "described_blind": 0.5,
    "question_kinds": ("there",),  # a tiny model that must look up colours too often fails to learn captions
    "companion_questions": 0.75,
    "question_bias": 0.7,
}
PHOTOS: dict[str, Any] = {**CAPTIONS, "renders": "photos", "noise": 0.0, "demonstrations": 8000}
DESCRIBED_PHOTOS: dict[str, Any] = {**DESCRIBED, "renders": "photos", "noise": 0.0, "demonstrations": 8000}
# A tiny base of `TinySight(captions=16, alone=True)` answers 0.70 to 0.75 of the choices, colours 0.53 to 0.65 (seeds
# 100 to 103).
CHOICES: dict[str, Any] = {
    **CAPTIONS,
    "question_share": 0.0,
    "choice_share": 0.7,
    "choice_kinds": ("colour", "count"),  # a tiny model does not find the two words of a quadrant among the options
}
# The default tiny base prefers the truer of two captions of its own in 0.60 to 0.70 of the cases (seeds 100 to 102).
JUDGES: dict[str, Any] = {**CAPTIONS, "companion_questions": 0.75, "question_bias": 0.25, "described_share": 0.0}
# A tiny base of `vision.DRAWING` draws 0.46 to 0.59 of the facts asked for (T 1) and judges 0.84 to 0.90 of the
# facts of its own drawings rightly, relations hardly better than chance (seeds 100 to 103).
DRAWING: dict[str, Any] = {
    "renders": "grid",
    "objects": (2, 3),
    "companion_rate": 0.0,
    "question_bias": 0.0,
    "noise": 0.02,
    "draw_share": 0.25,
    "question_share": 0.6,
    "described_share": 0.0,
    "demonstrations": 48000,  # with half as many what is there is learnt by heart rather than looked up
}
SMALL: dict[str, Any] = {"renders": "small", "objects": (1, 2), "companion_rate": 0.0, "noise": 0.02}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "captions": CAPTIONS,
    "described": DESCRIBED,
    "photos": PHOTOS,
    "described-photos": DESCRIBED_PHOTOS,
    "choices": CHOICES,
    "judges": JUDGES,
    "drawing": DRAWING,
    "small": SMALL,
}
_SHARES = """companion_rate omit invent good_error question_share described_share described_blind
noise companion_questions question_bias guess_noise choice_share review_share review_keep review_fix draw_share
swap_share tool_error"""


@dataclass(frozen=True)
class Knobs:
    """What can be set of `Shapes`, where each knob is explained.

    ValueError, naming the knob, for a value out of its range.
    """

    objects: tuple[int, int] = (2, 4)
    companion_rate: float = 0.6
    omit: float = 0.3
    invent: float = 0.3
    good_error: float = 0.02
    mode_shares: tuple[float, float, float] = (0.45, 0.40, 0.15)
    question_share: float = 0.4
    described_share: float = 0.3
    described_mode: str = "plain"
    described_blind: float = 0.0
    question_kinds: tuple[str, ...] = ()
    companion_questions: float = 0.5
    question_bias: float = 0.25
    guess_noise: float = 0.05
    noise: float = 0.06
    demonstrations: int = 12000
    renders: str = "glyphs"
    choice_share: float = 0.0
    choice_kinds: tuple[str, ...] = ("colour", "count", "where")
    review_share: float = 0.4
    review_keep: float = 0.72
    review_fix: float = 0.38
    draw_share: float = 0.0
    swap_share: float = 0.25
    draw_relations: bool = True
    tool_error: float = 0.1
    version: str = "1"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def shapes(self) -> tuple[str, ...]:
        """The nouns."""
        if self.renders != "photos":
            return SHAPES
        from autodidact.environments.shapes.photos import NOUNS

        return NOUNS

    @property
    def colours(self) -> tuple[str, ...]:
        """The adjectives."""
        return COLOURS

    @property
    def companions(self) -> dict[str, str]:
        """Anchor to companion."""
        if self.renders != "photos":
            return COMPANIONS
        from autodidact.environments.shapes.photos import COMPANIONS as PAIRS

        return PAIRS


def _check(knobs: Knobs) -> None:
    """Raises ValueError that names the knob which is out of its range."""
    for name in _SHARES.split():
        if not 0 <= getattr(knobs, name) <= 1:
            raise ValueError(f"{name}={getattr(knobs, name)} must lie in [0, 1]")
    if knobs.renders not in RENDERS:
        raise ValueError(f"renders={knobs.renders!r} is unknown; known are {', '.join(map(repr, RENDERS))}")
    if knobs.described_mode not in REQUESTS:
        known = ", ".join(map(repr, REQUESTS))
        raise ValueError(f"described_mode={knobs.described_mode!r} is unknown; known are {known}")
    if unknown := set(knobs.question_kinds) - set(ASKED if knobs.renders == "grid" else (*KINDS, "left")):
        raise ValueError(f"question_kinds={knobs.question_kinds} has {min(unknown)!r}, which is no kind of question")
    low, high = knobs.objects
    most = small.MOST if knobs.renders == "small" else MOST
    if not 1 <= low <= high <= most:
        raise ValueError(f"objects={knobs.objects} must be two rising numbers from 1 to {most}")
    if not knobs.choice_kinds or not set(knobs.choice_kinds) <= set(POOLS):
        raise ValueError(f"choice_kinds={knobs.choice_kinds} must name some of {', '.join(POOLS)}")
    if len(knobs.mode_shares) != 3 or min(knobs.mode_shares) < 0 or not np.isclose(sum(knobs.mode_shares), 1):
        raise ValueError(f"mode_shares={knobs.mode_shares} must be three numbers of sum 1")
    asked = knobs.question_share + knobs.choice_share + knobs.draw_share
    if asked > 1 + 1e-9:
        raise ValueError(f"question_share, choice_share and draw_share must have a sum of at most 1, not {asked:g}")
    if knobs.draw_share and knobs.renders != "grid":
        raise ValueError(f"draw_share={knobs.draw_share} needs renders='grid', not {knobs.renders!r}")
    if knobs.renders == "small" and knobs.companion_rate:
        raise ValueError(f"companion_rate={knobs.companion_rate} must be 0 where renders='small'")
