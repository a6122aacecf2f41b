"""Losses as pure functions of log-probabilities: no model inside, no state, one loss an example, never reduced."""

from autodidact.losses.consistency import cream
from autodidact.losses.image_comprehension import stic
from autodidact.losses.nash import dno, dno_exact
from autodidact.losses.preference import dpo, hinge, ipo, spin, sppo, sppo_linearised
from autodidact.losses.shapes import positive, same_shape

__all__ = [
    "cream",
    "dno",
    "dno_exact",
    "dpo",
    "hinge",
    "ipo",
    "positive",
    "same_shape",
    "spin",
    "sppo",
    "sppo_linearised",
    "stic",
]
