"""Checks of values where they are used: whole numbers, and numbers that are finite."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def whole(name: str, value: Any, least: int | None = None) -> int:
    """The value as an int, NumPy's whole numbers included.

    Raises ValueError for anything else (2.0 and "2" too) and for a number below `least`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r} must be a whole number") from None
    if least is not None and number < least:
        raise ValueError(f"{name}={number} must be at least {least}")
    return number


def finite(name: str, values: ArrayLike) -> np.ndarray:
    """The values as float64 of their shape. Raises ValueError where one is NaN, infinite, a text or None, naming it."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be numbers in rows of one length") from None
    if array.dtype.kind not in "biuf":
        given = next((v for v in array.ravel().tolist() if not isinstance(v, int | float)), array.dtype)
        raise ValueError(f"{name} must be finite numbers, {given!r} is none")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = "".join(f"[{i}]" for i in bad[0])
        raise ValueError(f"{name}{place}={array[tuple(bad[0])]} must be finite")
    return array.astype(float)
