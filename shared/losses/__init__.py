"""Losses as pure functions of log-probabilities: no model inside, no state, one loss an example, never reduced."""

from shared.losses.consistency import cream
from shared.losses.image_comprehension import stic
from shared.losses.preference import dpo, hinge, ipo, spin, sppo, sppo_linearised
from shared.losses.shapes import positive, same_shape

__all__ = ["cream", "dpo", "hinge", "ipo", "positive", "same_shape", "spin", "sppo", "sppo_linearised", "stic"]
