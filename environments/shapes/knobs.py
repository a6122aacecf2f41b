"""Presets of the world of shapes, and what its knobs may be."""

from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.environments.shapes import small
from autodidact.environments.shapes.choices import POOLS
from autodidact.environments.shapes.scenes import MOST

if TYPE_CHECKING:
    from autodidact.environments.shapes.world import Shapes

RENDERS = ("glyphs", "photos", "grid", "small")
CAPTIONS: dict[str, Any] = {
    "companion_rate": 0.5,
    "invent": 0.5,
    "question_share": 0.6,
    "described_share": 0.2,
    "demonstrations": 32000,
}
PHOTOS: dict[str, Any] = {**CAPTIONS, "renders": "photos", "noise": 0.0, "demonstrations": 8000}
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
    "photos": PHOTOS,
    "choices": CHOICES,
    "judges": JUDGES,
    "drawing": DRAWING,
    "small": SMALL,
}
_SHARES = """companion_rate omit invent good_error question_share described_share noise companion_questions
question_bias guess_noise choice_share review_share review_keep review_fix draw_share swap_share tool_error"""


def check(world: "Shapes") -> None:
    """Raises ValueError that names the knob which is out of its range."""
    for name in _SHARES.split():
        if not 0 <= getattr(world, name) <= 1:
            raise ValueError(f"{name}={getattr(world, name)} must lie in [0, 1]")
    if world.renders not in RENDERS:
        raise ValueError(f"renders={world.renders!r} is unknown; known are {', '.join(map(repr, RENDERS))}")
    low, high = world.objects
    most = small.MOST if world.renders == "small" else MOST
    if not 1 <= low <= high <= most:
        raise ValueError(f"objects={world.objects} must be two rising numbers from 1 to {most}")
    if not world.choice_kinds or not set(world.choice_kinds) <= set(POOLS):
        raise ValueError(f"choice_kinds={world.choice_kinds} must name some of {', '.join(POOLS)}")
    if len(world.mode_shares) != 3 or min(world.mode_shares) < 0 or not np.isclose(sum(world.mode_shares), 1):
        raise ValueError(f"mode_shares={world.mode_shares} must be three numbers of sum 1")
    asked = world.question_share + world.choice_share + world.draw_share
    if asked > 1 + 1e-9:
        raise ValueError(f"question_share, choice_share and draw_share must have a sum of at most 1, not {asked:g}")
    if world.draw_share and world.renders != "grid":
        raise ValueError(f"draw_share={world.draw_share} needs renders='grid', not {world.renders!r}")
    if world.renders == "small" and world.companion_rate:
        raise ValueError(f"companion_rate={world.companion_rate} must be 0 where renders='small'")
