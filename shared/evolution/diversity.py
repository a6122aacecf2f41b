"""How diverse a population is: by structure, by behaviour, by fitness; and whether what is inherited shows."""

from collections.abc import Iterable

import numpy as np

from autodidact.evolution.trees import Tree

DECIMALS = 6  # outputs and errors that agree to so many decimals are the same


def distinct_trees(trees: Iterable[Tree]) -> float:
    """Share of distinct expressions among trees of one forest, which has one tree for each; x + 1 and 1 + x are two."""
    trees = list(trees)
    return len(set(trees)) / len(trees)


def distinct_outputs(outputs: np.ndarray) -> float:
    """Share of distinct behaviours among outputs (individuals, points), rounded to 6 decimals; NaN equals NaN."""
    return len(_classes(outputs)) / len(outputs)


def distinct_values(errors: np.ndarray) -> float:
    """Share of distinct errors (individuals,), rounded to 6 decimals."""
    return len(_classes(np.asarray(errors)[:, None])) / len(errors)


def class_entropy(errors: np.ndarray) -> float:
    """Shannon entropy, in nats, of the classes of equal errors (individuals,), rounded to 6 decimals."""
    shares = np.array(list(_classes(np.asarray(errors)[:, None]).values())) / len(errors)
    return float(-(shares * np.log(shares)).sum())


def mean_rank(chosen: np.ndarray, fitness: np.ndarray) -> float:
    """Mean share of the population (individuals,) that is fitter than the chosen (n,), ties counting one half.

    0 means the best, 1/2 what a blind choice gives, 1 the worst.
    """
    fitness = np.sort(fitness)
    below, upto = np.searchsorted(fitness, chosen, "left"), np.searchsorted(fitness, chosen, "right")
    return float(np.mean(1 - (below + upto) / 2 / len(fitness)))


def resemblance(children: np.ndarray, parents: np.ndarray, bound: float = 1e6) -> float:
    """P(a child is more like its own parent than like another's), ties counting one half: 1/2 without heredity.

    children, parents: outputs (n, points), child i being parent i's. Likeness is the mean absolute distance, bounded
    at every point. Raises ValueError below two pairs.
    """
    if len(children) < 2 or children.shape != parents.shape:
        raise ValueError(f"children {children.shape} and parents {parents.shape} must be two pairs or more")
    with np.errstate(all="ignore"):
        distance = np.fmin(np.abs(children[:, None] - parents[None]), bound).mean(-1)
    own = np.diag(distance)[:, None]
    nearer = (own < distance) + (own == distance) / 2
    return float(nearer[~np.eye(len(children), dtype=bool)].mean())


def _classes(values: np.ndarray) -> dict[bytes, int]:
    """Distinct rows of (n, k) values, rounded, each with how often it occurs."""
    with np.errstate(all="ignore"):
        rounded = np.round(values, DECIMALS) + 0.0  # -0 becomes 0
    rounded[np.isnan(rounded)] = np.nan  # one NaN of the many that there are
    counts: dict[bytes, int] = {}
    for row in rounded:
        key = row.tobytes()
        counts[key] = counts.get(key, 0) + 1
    return counts
