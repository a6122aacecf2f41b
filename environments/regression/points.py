"""Where a benchmark looks at its function: grids and uniform draws, in the notation of McDermott et al. (2012)."""

from dataclasses import dataclass
from itertools import product

import numpy as np

_ROUNDING = 1e-9  # a step that ends at the bound but for rounding reaches it


@dataclass(frozen=True)
class Grid:
    """E[low, high, step]: every `step` from low to high, for one variable."""

    low: float
    high: float
    step: float

    def values(self) -> np.ndarray:
        """The grid's values, (n,)."""
        count = int((self.high - self.low) / self.step + _ROUNDING) + 1
        return self.low + self.step * np.arange(count)


@dataclass(frozen=True)
class Uniform:
    """U[low, high, count]: `count` uniform draws, for one variable."""

    low: float
    high: float
    count: int


Ranges = tuple[Grid | Uniform, ...]


def draw(ranges: Ranges, rng: np.random.Generator) -> np.ndarray:
    """Points, (n, variables): the product of the grids, or as many draws as the ranges say, a column each."""
    if all(isinstance(r, Grid) for r in ranges):
        return np.array(list(product(*(r.values() for r in ranges))))
    return np.column_stack([rng.uniform(r.low, r.high, r.count) for r in ranges])
