"""The protected operators of symbolic regression, each twice: on arrays, and on one number as stock DEAP calls it.

Both forms give the same bits wherever NumPy and the C library agree on sin, cos, exp and log; neither ever raises nor
warns: what overflows is infinite, what has no value is NaN.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Operator:
    """A function of `arity` arguments under one name: `vector` takes arrays of one shape, `scalar` floats."""

    name: str
    arity: int
    vector: Callable[..., np.ndarray]
    scalar: Callable[..., float]


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 1 where b is 0 (Koza 1992)."""
    if np.count_nonzero(b) == b.size:  # the common case, four times as quick
        return a / b
    zero = b == 0
    return np.where(zero, 1.0, a / np.where(zero, 1.0, b))


def log(a: np.ndarray) -> np.ndarray:
    """log |a|, and 0 where a is 0 (Koza 1992)."""
    if np.count_nonzero(a) == a.size:
        return np.log(np.abs(a))
    return np.log(np.abs(np.where(a == 0, 1.0, a)))


def _divide(a: float, b: float) -> float:
    return a / b if b else 1.0


def _log(a: float) -> float:
    return math.log(abs(a)) if a else 0.0


def _exp(a: float) -> float:
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf


def _sin(a: float) -> float:
    return math.nan if math.isinf(a) else math.sin(a)


def _cos(a: float) -> float:
    return math.nan if math.isinf(a) else math.cos(a)


OPERATORS = (
    Operator("add", 2, np.add, lambda a, b: a + b),
    Operator("sub", 2, np.subtract, lambda a, b: a - b),
    Operator("mul", 2, np.multiply, lambda a, b: a * b),
    Operator("div", 2, divide, _divide),
    Operator("sin", 1, np.sin, _sin),
    Operator("cos", 1, np.cos, _cos),
    Operator("exp", 1, np.exp, _exp),
    Operator("log", 1, log, _log),
)
