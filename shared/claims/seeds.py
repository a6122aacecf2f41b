"""What every seed of a run measured, as one array."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np


def over_seeds(runs: Mapping[int, Any], *path: Callable[[Any], Any] | Hashable) -> np.ndarray:
    """What lies at the end of `path` in every seed's result, stacked: (seeds, ...), the seeds in the order of `runs`.

    runs: seed to result, as `Study.map` returns it. path: each step is a key or an index of what the step before it
    gave, or a function of it; so `over_seeds(runs, "win", "dpo", -1)`, `over_seeds(runs, lambda r: r["a"] - r["b"])`.
    Raises ValueError where there are no runs, and where the arrays differ in shape, naming the seeds.
    """
    if not runs:
        raise ValueError("runs is empty: there is no seed to read from")
    found = {seed: np.asarray(_follow(result, path)) for seed, result in runs.items()}
    shapes = {seed: values.shape for seed, values in found.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"path leads to arrays of different shapes, by seed: {shapes}")
    return np.stack(list(found.values()))


def _follow(result: Any, path: tuple) -> Any:
    for step in path:
        result = step(result) if callable(step) else result[step]
    return result
