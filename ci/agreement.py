"""How the claims measured here stand to the published ones: equal, within the spread, or off."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import t as student

from autodidact.claims.reruns import compare

EQUAL, WITHIN, OFF = "equal", "within the spread", "off"
SPREAD = 2.0  # standard deviations over the published replicates
LEVEL = 0.99  # of the interval in which the mean of other seeds is expected
Record = Mapping[str, Any]


def agreement(published: Record, here: Record) -> dict[str, str]:
    """One word for every claim that both records have; they are runs of the same parameters.

    Of replicates that both have the numbers are compared: equal up to rounding, or within the spread, no further apart
    than two standard deviations over the published replicates. Of a claim without a common replicate the mean effect
    is: within the spread where as many new replicates are expected to lie (99 % prediction interval). Anything else is
    off.
    """
    there = {claim["id"]: claim for claim in published["claims"]}
    common = [c["id"] for c in here["claims"] if c["id"] in there and _common(there[c["id"]], c)]
    moved, off = (_differing(published, here, tolerance) if common else set() for tolerance in (0.0, SPREAD))
    words = {}
    for claim in here["claims"]:
        name = claim["id"]
        if name in common:
            words[name] = OFF if name in off else WITHIN if name in moved else EQUAL
        elif name in there:
            words[name] = WITHIN if expected(_effects(there[name]), _effects(claim)) else OFF
    return words


def expected(published: np.ndarray, new: np.ndarray) -> bool:
    """Whether the mean of new effects lies in the 99 % prediction interval that the published ones, (n,), give for it.

    Where one published effect alone, or equal ones, give no interval: whether it is their mean.
    """
    distance = abs(float(new.mean() - published.mean()))
    spread = float(published.std(ddof=1)) if len(published) > 1 else 0.0
    if spread == 0:
        return math.isclose(distance, 0.0, abs_tol=1e-12)
    factor = student.ppf(0.5 + LEVEL / 2, len(published) - 1)
    return distance <= factor * spread * math.sqrt(1 / len(new) + 1 / len(published))


def _common(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return bool(set(one["replicates"]) & set(two["replicates"]))


def _differing(published: Record, here: Record, tolerance: float) -> set[str]:
    """Ids of the claims that have numbers further apart than the tolerance."""
    return {difference.claim for difference in compare(published, here, tolerance)}


def _effects(claim: Mapping[str, Any]) -> np.ndarray:
    return np.subtract(claim["treatment"], claim["control"])
