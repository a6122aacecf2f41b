"""The tests of evolutionary computation papers: Kruskal-Wallis, Mann-Whitney with Bonferroni, Fisher, A12."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np


def kruskal_wallis(groups: Mapping[str, np.ndarray]) -> float:
    """p of all groups having one distribution; 1 where all values are equal, for which the test has no answer."""
    from scipy import stats

    values = [np.asarray(v, float) for v in groups.values()]
    if np.ptp(np.concatenate(values)) == 0:
        return 1.0
    return float(stats.kruskal(*values).pvalue)


def mann_whitney(groups: Mapping[str, np.ndarray]) -> dict[tuple[str, str], float]:
    """Two-sided p of every pair of groups, multiplied by the number of pairs (Bonferroni), at most 1."""
    from scipy import stats

    pairs = list(combinations(groups, 2))
    p_values = {pair: float(stats.mannwhitneyu(*(groups[name] for name in pair)).pvalue) for pair in pairs}
    return {pair: min(1.0, p * len(pairs)) for pair, p in p_values.items()}


def a12(one: np.ndarray, two: np.ndarray) -> float:
    """P(a value of `one` exceeds one of `two`), ties counting one half (Vargha and Delaney 2000)."""
    one, two = np.asarray(one, float)[:, None], np.asarray(two, float)[None]
    return float(((one > two) + (one == two) / 2).mean())


def fisher(one: np.ndarray, two: np.ndarray) -> float:
    """Two-sided p of Fisher's exact test that two lists of successes (0 or 1) have the same rate."""
    from scipy import stats

    table = [[int(np.sum(v)), len(v) - int(np.sum(v))] for v in (one, two)]
    return float(stats.fisher_exact(table).pvalue)
