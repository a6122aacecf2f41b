"""Trainings that went differently far, compared where they have come equally far."""

from collections.abc import Sequence

import numpy as np


def where_reached(along: Sequence[float] | np.ndarray, values: Sequence | np.ndarray, level: float) -> np.ndarray:
    """What a training has reached where it first has come so far, (...), straight between the looks at it.

    along: (looks,), how far it has come by each look, its start first: KL from the base, a gap of log-probabilities.
    values: (looks, ...), what is to be compared. level: in the unit of `along`; where the start is as far, the start's
    values are given. Raises ValueError for shapes that do not fit, what is not finite, and a level never reached.
    """
    along, values = np.asarray(along, dtype=float), np.asarray(values, dtype=float)
    if along.ndim != 1 or values.shape[:1] != along.shape or not len(along):
        raise ValueError(f"along must be (looks,) and values (looks, ...), not {along.shape} and {values.shape}")
    if not (np.isfinite(along).all() and np.isfinite(level)):
        raise ValueError(f"along and level must be finite, not {along.tolist()} and {level}")
    there = np.flatnonzero(along >= level)
    if not len(there):
        raise ValueError(f"level={level:g} is never reached, along ends at its most at {along.max():g}")
    k = there[0]
    if k == 0:
        return values[0]
    share = (level - along[k - 1]) / (along[k] - along[k - 1])
    return (1 - share) * values[k - 1] + share * values[k]
