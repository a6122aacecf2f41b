"""The world: a benchmark function, instances of it with points and targets, and what counts as success."""

from dataclasses import dataclass

import numpy as np

from autodidact.environments.regression.operators import OPERATORS, Operator
from autodidact.environments.regression.points import Ranges, draw
from autodidact.environments.regression.problems import PROBLEMS, Problem

HIT = 0.01  # Koza (1992): a point is hit where the error is 0.01 or less


@dataclass(frozen=True)
class Instance:
    """Points, (n, variables), and the function's values there, (n,). Raises ValueError where one is not finite."""

    points: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.targets.shape != self.points.shape[:1]:
            raise ValueError(
                f"points of shape {self.points.shape} and targets of shape {self.targets.shape} must be "
                "(n, variables) and (n,)"
            )
        if not (np.isfinite(self.points).all() and np.isfinite(self.targets).all()):
            raise ValueError("points and targets must be finite numbers")

    def error(self, outputs: np.ndarray) -> np.ndarray:
        """Mean absolute error of outputs (..., n), (...); infinite where an output is not a finite number."""
        outputs = np.asarray(outputs, float)
        with np.errstate(all="ignore"):
            error = np.abs(outputs - self.targets).mean(-1)
        return np.where(np.isfinite(error), error, np.inf)

    def hits(self, outputs: np.ndarray) -> np.ndarray:
        """How many points of outputs (..., n) lie within 0.01 of the target, (...)."""
        with np.errstate(all="ignore"):
            return (np.abs(np.asarray(outputs, float) - self.targets) <= HIT).sum(-1)

    def success(self, outputs: np.ndarray) -> np.ndarray:
        """Koza's criterion: every point is hit, (...)."""
        return self.hits(outputs) == len(self.targets)


class Regression:
    """A benchmark function by its name, such as `koza-1`, `nguyen-5`, `keijzer-6`, `vladislavleva-8` or `pagie-1`."""

    operators: tuple[Operator, ...] = OPERATORS
    constants: tuple[float, ...] = (1.0,)

    def __init__(self, name: str, problem: Problem) -> None:
        self.name, self.problem = name, problem

    @classmethod
    def preset(cls, name: str) -> "Regression":
        """The function of this name, Koza-1 for `default`. Raises ValueError for an unknown one."""
        name = "koza-1" if name == "default" else name
        if name not in PROBLEMS:
            raise ValueError(f"world='regression/{name}' is unknown; known are {', '.join(PROBLEMS)}")
        return cls(name, PROBLEMS[name])

    @property
    def formula(self) -> str:
        """The function in the notation of people."""
        return self.problem.formula

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the columns of the points."""
        return self.problem.variables

    def instance(self, rng: np.random.Generator) -> Instance:
        """Points to learn from and their targets; grids are the same every time."""
        return self._at(self.problem.train, rng)

    def test(self, rng: np.random.Generator) -> Instance | None:
        """Points to test on and their targets, None where the benchmark states none."""
        return None if self.problem.test is None else self._at(self.problem.test, rng)

    def _at(self, ranges: Ranges, rng: np.random.Generator) -> Instance:
        points = draw(ranges, rng)
        return Instance(points, np.asarray(self.problem.target(*points.T), float))
