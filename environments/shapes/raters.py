"""Judges of known accuracy: one that is never wrong, and one whose errors depend on nothing."""

import numpy as np


def prefer(a: float, b: float) -> int:
    """1 where the first score is higher, -1 where the second is, 0 for equal ones."""
    return int(a > b) - int(a < b)


def err(verdict: int, rng: np.random.Generator, accuracy: float) -> int:
    """The verdict with probability `accuracy`, else the opposite; of equals, either one evenly.

    Each call errs anew. Raises ValueError for an accuracy outside [0, 1].
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy={accuracy} is a probability and must lie in [0, 1]")
    draw = rng.random()
    if verdict == 0:
        return 1 if draw < 0.5 else -1
    return verdict if draw < accuracy else -verdict
