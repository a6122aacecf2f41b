"""Statistics of paired replicates: intervals, sign-flip and equivalence p-values, Holm's correction.

Every function is pure. Arrays have the replicates on their last axis and any number of claims, arms or simulated
studies on the axes before it, so that thousands of studies are one call. Nothing here knows of papers or plots.
SciPy is imported where it is used: it would double the time that `import autodidact.claims` takes.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from autodidact.checks import finite

EXACT_REPLICATES = 16  # up to here all 2**n sign flips are enumerated
RANDOM_FLIPS = 100_000
RESAMPLES = 10_000
FLIP_SEED = 20_240_501  # fixed, so that a p-value is a function of the numbers alone
BOOTSTRAP_SEED = 19_790_101
ROUNDING = 1e-12  # relative size below which a difference is rounding error
_CHUNK = 4096


class Interval(NamedTuple):
    """A mean with the bounds of its 95 % interval; the bounds are None below two values."""

    mean: float
    low: float | None
    high: float | None


def paired_differences(treatment: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Treatment minus control, (..., replicates), with differences that are mere rounding error set to 0.

    Raises ValueError where the shapes differ, no replicate is given, or a value is not finite.
    """
    treatment, control = finite("treatment", treatment), finite("control", control)
    if treatment.shape != control.shape or treatment.ndim == 0 or treatment.shape[-1] == 0:
        raise ValueError(
            f"treatment of shape {treatment.shape} and control of shape {control.shape} must be equal in shape, "
            "with one replicate or more"
        )
    differences = treatment - control
    scale = np.maximum(np.abs(treatment), np.abs(control))
    return np.where(np.abs(differences) <= ROUNDING * scale, 0.0, differences)


def t_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and Student t interval over the last axis: (mean, low, high), each (...); NaN bounds below two values.

    Raises ValueError for values that are not finite.
    """
    values = finite("values", values)
    n = values.shape[-1]
    mean = values.mean(-1)
    if n < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    from scipy import special

    half = special.stdtrit(n - 1, 0.5 + confidence / 2) * _standard_error(values)
    return mean, mean - half, mean + half


def mean_interval(values: np.ndarray) -> Interval:
    """The mean of one list of values with its 95 % t interval, for tables and text.

    Raises ValueError unless `values` is one list of finite numbers with at least one entry.
    """
    values = finite("values", values)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"values must be one list of finite numbers, not {values!r}")
    mean, low, high = (float(x) for x in t_interval(values))
    return Interval(mean, low, high) if len(values) > 1 else Interval(mean, None, None)


def bca_interval(
    values: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES, confidence: float = 0.95
) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval of the mean of (replicates,) values (Efron 1987).

    All draws come from `rng`. Equal values give an interval of width 0. Raises ValueError below two values, and for
    values that are not finite.
    """
    values = finite("values", values)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be one list of two numbers or more, not of shape {values.shape}")
    mean = values.mean()
    centred = values - mean
    if _all_equal(values):
        return float(mean), float(mean)
    from scipy import special

    means = values[rng.integers(len(values), size=(resamples, len(values)))].mean(1)
    below = (np.mean(means < mean) + np.mean(means <= mean)) / 2
    bias = special.ndtri(np.clip(below, 1 / resamples, 1 - 1 / resamples))
    acceleration = np.sum(centred**3) / (6 * np.sum(centred**2) ** 1.5)
    z = bias + special.ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(means, special.ndtr(bias + z / (1 - acceleration * z)))
    return float(low), float(high)


def skewness(values: np.ndarray) -> np.ndarray:
    """Third standardised moment over the last axis, 0 where all values are equal."""
    centred = values - np.mean(values, axis=-1, keepdims=True)
    spread = np.mean(centred**2, axis=-1)
    flat = _all_equal(values) | (spread == 0)
    return np.where(flat, 0.0, np.mean(centred**3, axis=-1) / np.where(flat, 1.0, spread) ** 1.5)


def sign_flip(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-sided sign-flip p-values of (..., replicates) differences: (p of mean > 0, p of mean < 0), each (...).

    Under the null hypothesis treatment and control are exchangeable within each replicate, so every pattern of signs
    is equally likely. Up to 16 replicates all 2**n patterns are counted and p is exact; beyond, 100,000 random patterns
    from a fixed seed give p = (1 + b) / (1 + 100,000), b being those as extreme as the observed one. Ties count as
    extreme, so p never falls below its due, and all-zero differences give 1 in both directions. Raises ValueError for
    differences that are not finite.
    """
    differences = finite("differences", differences)
    n = differences.shape[-1]
    flat = differences.reshape(-1, n)
    observed, slack = flat.sum(1), ROUNDING * np.abs(flat).sum(1)
    greater, less, count = np.zeros(len(flat)), np.zeros(len(flat)), 0
    for signs in _flips(n):
        sums = signs @ flat.T
        greater += (sums >= observed - slack).sum(0)
        less += (sums <= observed + slack).sum(0)
        count += len(signs)
    extra = 0 if n <= EXACT_REPLICATES else 1
    shape = differences.shape[:-1]
    return tuple(((extra + b) / (extra + count)).reshape(shape) for b in (greater, less))


def smallest_sign_flip(n: int) -> float:
    """The smallest p that `sign_flip` can give with `n` replicates: 2**-n, or 1 / 100,001 beyond 16."""
    return 2.0**-n if n <= EXACT_REPLICATES else 1 / (1 + RANDOM_FLIPS)


def t_above(differences: np.ndarray, bound: float) -> np.ndarray:
    """One-sided t-test p of mean > bound over the last axis, (...).

    Where all differences are equal no t exists; then p is the sign-flip one, 2**-n above the bound and 1 otherwise, so
    that two equal numbers of a coarse measure do not pass for certainty. NaN below two replicates.
    """
    differences = finite("differences", differences)
    n = differences.shape[-1]
    excess = differences.mean(-1) - bound
    if n < 2:
        return np.full_like(excess, np.nan)
    from scipy import special

    flat = _all_equal(differences)
    error = np.where(flat, 1.0, _standard_error(differences))
    return np.where(flat, np.where(excess > 0, 2.0**-n, 1.0), special.stdtr(n - 1, -excess / error))


def two_one_sided(differences: np.ndarray, low: float, high: float) -> np.ndarray:
    """p of low < mean < high over the last axis by two one-sided t-tests (Schuirmann 1987), (...); NaN below two.

    Where a bound is infinite the other is tested alone.
    """
    differences = np.asarray(differences, float)
    return np.maximum(t_above(differences, low), t_above(-differences, -high))


def outside(differences: np.ndarray, low: float, high: float) -> np.ndarray:
    """p of mean < low or mean > high; below 0.025 exactly where the 95 % t interval lies wholly outside the bounds."""
    differences = np.asarray(differences, float)
    return np.minimum(t_above(differences, high), t_above(-differences, -low))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values over the last axis (Holm 1979), same shape.

    A p-value of NaN (a claim that could not be tested) counts as 1: it belongs to the family nevertheless.
    """
    p_values = np.nan_to_num(np.asarray(p_values, float), nan=1.0)
    order = np.argsort(p_values, axis=-1, kind="stable")
    weights = np.arange(p_values.shape[-1], 0, -1)
    steps = np.maximum.accumulate(np.take_along_axis(p_values, order, -1) * weights, axis=-1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.minimum(steps, 1.0), -1)
    return adjusted


def _standard_error(values: np.ndarray) -> np.ndarray:
    spread = np.where(_all_equal(values), 0.0, values.std(-1, ddof=1))
    return spread / np.sqrt(values.shape[-1])


def _all_equal(values: np.ndarray) -> np.ndarray:
    return np.ptp(values, axis=-1) <= ROUNDING * np.max(np.abs(values), axis=-1)


def _flips(n: int) -> Iterator[np.ndarray]:
    """Chunks of sign patterns, (patterns, n) of +-1.0: all of them, or a fixed random sample."""
    if n <= EXACT_REPLICATES:
        signs = _all_flips(n)
        yield from (signs[i : i + _CHUNK] for i in range(0, len(signs), _CHUNK))
        return
    rng = np.random.default_rng([FLIP_SEED, n])
    for start in range(0, RANDOM_FLIPS, _CHUNK):
        yield rng.integers(2, size=(min(_CHUNK, RANDOM_FLIPS - start), n)) * 2.0 - 1.0


@lru_cache(maxsize=4)
def _all_flips(n: int) -> np.ndarray:
    bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return bits * 2.0 - 1.0
