"""How far two judges rank the same responses alike, in [0, 1]."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from autodidact.checks import finite

MEASURES = ("kendall", "spearman", "toporder")


def ordinal_ranks(scores: ArrayLike) -> np.ndarray:
    """Ranks 1 (lowest) to N along the last axis, no two alike: of equal scores the earlier one gets the lower rank.

    scores: (..., N). Returns integers of the same shape. Raises ValueError for what is not finite and for
    less than one axis.
    """
    scores = finite("scores", scores)
    if scores.ndim == 0:
        raise ValueError("scores must have an axis of responses, one number was given")
    order = np.argsort(scores, axis=-1, kind="stable")
    return np.argsort(order, axis=-1, kind="stable") + 1


def ranking_consistency(current: ArrayLike, previous: ArrayLike, measure: str = "kendall") -> np.ndarray:
    """Agreement of two rankings of the same N responses, for every prompt.

    current, previous: scores, (..., N), N >= 2; only their ordinal ranks count, so any increasing unit will do.
    measure: "kendall": (tau + 1) / 2, the share of pairs of responses that both put in the same order; "spearman":
    (rho + 1) / 2; "toporder": 1 where both name the same best and the same worst response, else 0.
    Returns floats in [0, 1] of shape (...). Raises ValueError for shapes that differ, N < 2 and an unknown measure.

    Source: Wang et al. 2024, arXiv 2410.12735, "Consistency". The authors' code has "toporder" compare the ranks of the
    first and the last response of the list, whatever they are; this is the paper's definition.
    """
    first, second = ordinal_ranks(current), ordinal_ranks(previous)
    if first.shape != second.shape:
        raise ValueError(f"current and previous must be of one shape, got {first.shape} and {second.shape}")
    n = first.shape[-1]
    if n < 2:
        raise ValueError(f"current ranks {n} response; a ranking needs 2 or more")
    if measure == "kendall":
        i, j = np.triu_indices(n, 1)
        return ((first[..., i] < first[..., j]) == (second[..., i] < second[..., j])).mean(axis=-1)
    if measure == "spearman":
        squares = ((first - second) ** 2).sum(axis=-1)
        return 1 - 3 * squares / (n * (n**2 - 1))  # (rho + 1) / 2, with rho = 1 - 6 sum d^2 / (n (n^2 - 1))
    if measure == "toporder":
        best = first.argmax(axis=-1) == second.argmax(axis=-1)
        worst = first.argmin(axis=-1) == second.argmin(axis=-1)
        return (best & worst).astype(float)
    raise ValueError(f"measure={measure!r} is unknown; known are {', '.join(MEASURES)}")


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Mean Spearman correlation of two scores of the same responses, over the prompts for which both vary; else 0.

    first, second: (prompts, N), or (N,) for one prompt; equal scores share their mean rank. Raises ValueError for
    shapes that differ, another number of axes, and what is not finite.
    """
    scores = [np.atleast_2d(finite(name, s)) for name, s in (("first", first), ("second", second))]
    if scores[0].shape != scores[1].shape or scores[0].ndim != 2:
        shapes = " and ".join(str(np.shape(s)) for s in (first, second))
        raise ValueError(f"first and second must be (prompts, N), of one shape, got {shapes}")
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (rankdata(s, axis=1) for s in scores))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    vary = size > 0
    return float(np.mean((a * b).sum(axis=1)[vary] / size[vary])) if vary.any() else 0.0
