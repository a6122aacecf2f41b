"""The benchmark functions: formula, points to learn from and, where the benchmark has them, points to test on.

Sources: J. McDermott et al., "Genetic programming needs better benchmarks", GECCO 2012, tables 2 and 3, for all but
Nguyen-11 and -12 (B. Petersen et al., "Deep symbolic regression", ICLR 2021, table 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autodidact.environments.regression.points import Grid, Ranges, Uniform


@dataclass(frozen=True)
class Problem:
    """A benchmark: `formula` for people, `target` maps the columns of the points to values; `test` may be unstated."""

    formula: str
    variables: tuple[str, ...]
    target: Callable[..., np.ndarray]
    train: Ranges
    test: Ranges | None = None


_X, _XY, _XYZ = ("x",), ("x", "y"), ("x", "y", "z")
_sin, _cos, _exp, _log, _sqrt = np.sin, np.cos, np.exp, np.log, np.sqrt
_SHORT = (Uniform(-1, 1, 20),)


def _power_sum(degree: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: sum(x**i for i in range(1, degree + 1))


def _harmonic(x: np.ndarray) -> np.ndarray:
    """The sum of 1/i for i = 1 to x, x being whole numbers."""
    return np.cumsum(1 / np.arange(1, int(x.max()) + 1))[x.astype(int) - 1]


def _polynomial(degree: int) -> str:
    return " + ".join(f"x^{i}" if i > 1 else "x" for i in range(degree, 0, -1))


_KOZA = {
    "koza-1": Problem(_polynomial(4), _X, _power_sum(4), _SHORT),
    "koza-2": Problem("x^5 - 2 x^3 + x", _X, lambda x: x**5 - 2 * x**3 + x, _SHORT),
    "koza-3": Problem("x^6 - 2 x^4 + x^2", _X, lambda x: x**6 - 2 * x**4 + x**2, _SHORT),
}
_NGUYEN = {
    **{f"nguyen-{n}": Problem(_polynomial(n + 2), _X, _power_sum(n + 2), _SHORT) for n in range(1, 5)},
    "nguyen-5": Problem("sin(x^2) cos(x) - 1", _X, lambda x: _sin(x**2) * _cos(x) - 1, _SHORT),
    "nguyen-6": Problem("sin(x) + sin(x + x^2)", _X, lambda x: _sin(x) + _sin(x + x**2), _SHORT),
    "nguyen-7": Problem("ln(x + 1) + ln(x^2 + 1)", _X, lambda x: _log(x + 1) + _log(x**2 + 1), (Uniform(0, 2, 20),)),
    "nguyen-8": Problem("sqrt(x)", _X, _sqrt, (Uniform(0, 4, 20),)),
    "nguyen-9": Problem("sin(x) + sin(y^2)", _XY, lambda x, y: _sin(x) + _sin(y**2), (Uniform(-1, 1, 100),) * 2),
    "nguyen-10": Problem("2 sin(x) cos(y)", _XY, lambda x, y: 2 * _sin(x) * _cos(y), (Uniform(-1, 1, 100),) * 2),
    "nguyen-11": Problem("x^y", _XY, np.power, (Uniform(0, 1, 20),) * 2),
    "nguyen-12": Problem(
        "x^4 - x^3 + y^2 / 2 - y", _XY, lambda x, y: x**4 - x**3 + y**2 / 2 - y, (Uniform(0, 1, 20),) * 2
    ),
}


def _keijzer_1(bound: int) -> Problem:
    train, test = (Grid(-bound, bound, 0.1),), (Grid(-bound, bound, 0.001),)
    return Problem("0.3 x sin(2 pi x)", _X, lambda x: 0.3 * x * _sin(2 * np.pi * x), train, test)


def _keijzer_plane(formula: str, target: Callable[..., np.ndarray]) -> Problem:
    return Problem(formula, _XY, target, (Uniform(-3, 3, 20),) * 2, (Grid(-3, 3, 0.01),) * 2)


def _wave(x: np.ndarray) -> np.ndarray:
    return x**3 * _exp(-x) * _cos(x) * _sin(x) * (_sin(x) ** 2 * _cos(x) - 1)


_WAVE = "x^3 exp(-x) cos(x) sin(x) (sin(x)^2 cos(x) - 1)"
_KEIJZER = {
    **{f"keijzer-{n}": _keijzer_1(n) for n in range(1, 4)},
    "keijzer-4": Problem(_WAVE, _X, _wave, (Grid(0, 10, 0.05),), (Grid(0.05, 10.05, 0.05),)),
    "keijzer-5": Problem(
        "30 x z / ((x - 10) y^2)",
        _XYZ,
        lambda x, y, z: 30 * x * z / ((x - 10) * y**2),
        (Uniform(-1, 1, 1000), Uniform(1, 2, 1000), Uniform(-1, 1, 1000)),
        (Uniform(-1, 1, 10000), Uniform(1, 2, 10000), Uniform(-1, 1, 10000)),
    ),
    "keijzer-6": Problem("1 + 1/2 + ... + 1/x", _X, _harmonic, (Grid(1, 50, 1),), (Grid(1, 120, 1),)),
    "keijzer-7": Problem("ln(x)", _X, _log, (Grid(1, 100, 1),), (Grid(1, 100, 0.1),)),
    "keijzer-8": Problem("sqrt(x)", _X, _sqrt, (Grid(0, 100, 1),), (Grid(0, 100, 0.1),)),
    "keijzer-9": Problem("arcsinh(x)", _X, np.arcsinh, (Grid(0, 100, 1),), (Grid(0, 100, 0.1),)),
    "keijzer-10": Problem("x^y", _XY, np.power, (Uniform(0, 1, 100),) * 2, (Grid(0, 1, 0.01),) * 2),
    "keijzer-11": _keijzer_plane("x y + sin((x - 1) (y - 1))", lambda x, y: x * y + _sin((x - 1) * (y - 1))),
    "keijzer-12": _keijzer_plane("x^4 - x^3 + y^2 / 2 - y", lambda x, y: x**4 - x**3 + y**2 / 2 - y),
    "keijzer-13": _keijzer_plane("6 sin(x) cos(y)", lambda x, y: 6 * _sin(x) * _cos(y)),
    "keijzer-14": _keijzer_plane("8 / (2 + x^2 + y^2)", lambda x, y: 8 / (2 + x**2 + y**2)),
    "keijzer-15": _keijzer_plane("x^3 / 5 + y^3 / 2 - y - x", lambda x, y: x**3 / 5 + y**3 / 2 - y - x),
}
_FIVE = tuple(f"x{i}" for i in range(1, 6))
_VLADISLAVLEVA = {
    "vladislavleva-1": Problem(
        "exp(-(x - 1)^2) / (1.2 + (y - 2.5)^2)",
        _XY,
        lambda x, y: _exp(-((x - 1) ** 2)) / (1.2 + (y - 2.5) ** 2),
        (Uniform(0.3, 4, 100),) * 2,
        (Grid(-0.2, 4.2, 0.1),) * 2,
    ),
    "vladislavleva-2": Problem(_WAVE, _X, _wave, (Grid(0.05, 10, 0.1),), (Grid(-0.5, 10.5, 0.05),)),
    "vladislavleva-3": Problem(
        f"{_WAVE} (y - 5)",
        _XY,
        lambda x, y: _wave(x) * (y - 5),
        (Grid(0.05, 10, 0.1), Grid(0.05, 10.05, 2)),
        (Grid(-0.5, 10.5, 0.05), Grid(-0.5, 10.5, 0.5)),
    ),
    "vladislavleva-4": Problem(
        "10 / (5 + (x1 - 3)^2 + ... + (x5 - 3)^2)",
        _FIVE,
        lambda *x: 10 / (5 + sum((column - 3) ** 2 for column in x)),
        (Uniform(0.05, 6.05, 1024),) * 5,
        (Uniform(-0.25, 6.35, 5000),) * 5,
    ),
    "vladislavleva-5": Problem(
        "30 (x - 1) (z - 1) / (y^2 (x - 10))",
        _XYZ,
        lambda x, y, z: 30 * (x - 1) * (z - 1) / (y**2 * (x - 10)),
        (Uniform(0.05, 2, 300), Uniform(1, 2, 300), Uniform(0.05, 2, 300)),
        (Grid(-0.05, 2.1, 0.15), Grid(0.95, 2.05, 0.1), Grid(-0.05, 2.1, 0.15)),
    ),
    "vladislavleva-6": Problem(
        "6 sin(x) cos(y)",
        _XY,
        lambda x, y: 6 * _sin(x) * _cos(y),
        (Uniform(0.1, 5.9, 30),) * 2,
        (Grid(-0.05, 6.05, 0.02),) * 2,
    ),
    "vladislavleva-7": Problem(
        "(x - 3) (y - 3) + 2 sin((x - 4) (y - 4))",
        _XY,
        lambda x, y: (x - 3) * (y - 3) + 2 * _sin((x - 4) * (y - 4)),
        (Uniform(0.05, 6.05, 300),) * 2,
        (Uniform(-0.25, 6.35, 1000),) * 2,
    ),
    "vladislavleva-8": Problem(
        "((x - 3)^4 + (y - 3)^3 - (y - 3)) / ((y - 2)^4 + 10)",
        _XY,
        lambda x, y: ((x - 3) ** 4 + (y - 3) ** 3 - (y - 3)) / ((y - 2) ** 4 + 10),
        (Uniform(0.05, 6.05, 50),) * 2,
        (Grid(-0.25, 6.35, 0.2),) * 2,
    ),
}
_PAGIE = {
    "pagie-1": Problem(
        "1 / (1 + x^-4) + 1 / (1 + y^-4)",
        _XY,
        lambda x, y: x**4 / (x**4 + 1) + y**4 / (y**4 + 1),  # the same, and defined at 0
        (Grid(-5, 5, 0.4),) * 2,
    ),
}
PROBLEMS: dict[str, Problem] = {**_KOZA, **_NGUYEN, **_KEIJZER, **_VLADISLAVLEVA, **_PAGIE}
NAMES = tuple(PROBLEMS)
