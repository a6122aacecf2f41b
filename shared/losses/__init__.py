"""Losses as pure functions of log-probabilities: no model inside, no state, one loss an example, never reduced."""

from autodidact.losses.consistency import cream
from autodidact.losses.degree import degree
from autodidact.losses.exploration import selm
from autodidact.losses.gap import pit_gap
from autodidact.losses.image_comprehension import stic
from autodidact.losses.preference import dpo, hinge, ipo, spin, sppo, sppo_linearised
from autodidact.losses.shapes import positive, same_shape
from autodidact.losses.token_level import contrastive_rewards, t_reg

__all__ = [
    "contrastive_rewards",
    "cream",
    "degree",
    "dpo",
    "hinge",
    "ipo",
    "pit_gap",
    "positive",
    "same_shape",
    "selm",
    "spin",
    "sppo",
    "sppo_linearised",
    "stic",
    "t_reg",
]
