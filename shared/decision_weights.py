"""Decision weights: estimated from choices, and compared with what a chooser reports of them.

Arrays have the contexts on their first axis and the attributes of a context on their last. The unit of every comparison
is the context: the five weights of one share a scale, so they are no independent observations.
"""

import numpy as np

RIDGE = 1.0  # precision of the Normal(0, 1) prior on coefficients
INTERCEPT_SD = 2.5
RESAMPLES = 10_000


def map_weights(
    differences: np.ndarray, chose_a: np.ndarray, *, ridge: float = RIDGE, intercept_sd: float = INTERCEPT_SD
) -> np.ndarray:
    """Logistic regression of the choices of every context, the mode of the posterior: coefficients (contexts, k).

    differences: A minus B in shares of the attributes' ranges, (contexts, n, k). chose_a: 1 for A, 0 for B, NaN for a
    choice that is not there, (contexts, n). Minimises, with the intercept b,
    -sum log sigmoid(+-(x w + b)) + ridge |w|^2 / 2 + b^2 / (2 intercept_sd^2) by Newton's method. Without the prior
    noise-free choices, which can be separated, would send w to infinity. The authors take posterior means (rstanarm);
    after `to_hundred` both agree, r above 0.999 on their data. Raises ValueError for shapes that do not fit and for
    values of the wrong range.
    """
    x, y = np.asarray(differences, float), np.asarray(chose_a, float)
    if x.ndim != 3 or y.shape != x.shape[:2]:
        raise ValueError(f"differences {x.shape} and chose_a {y.shape} must be (contexts, n, k) and (contexts, n)")
    if not (ridge > 0 and intercept_sd > 0):
        raise ValueError(f"ridge={ridge} and intercept_sd={intercept_sd} must be greater than 0")
    there = ~np.isnan(y)
    if not np.isin(y[there], (0.0, 1.0)).all() or np.isnan(x[there]).any():
        raise ValueError("chose_a must be 0, 1 or NaN, and differences must be there wherever chose_a is")
    x = np.where(there[..., None], np.concatenate([x, np.ones((*y.shape, 1))], -1), 0.0)
    y = np.where(there, y, 0.5)
    precision = np.full(x.shape[-1], ridge)
    precision[-1] = intercept_sd**-2
    w = np.zeros((len(x), x.shape[-1]))
    for _ in range(50):  # the objective is convex and Newton from zero converges in a handful of steps
        p = 1 / (1 + np.exp(-np.einsum("cnk,ck->cn", x, w)))
        gradient = np.einsum("cnk,cn->ck", x, p - y) + precision * w
        hessian = np.einsum("cnj,cn,cnk->cjk", x, p * (1 - p), x) + np.diag(precision)
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        w = w - step
        if np.abs(step).max() < 1e-10:
            break
    return w[:, :-1]


def to_hundred(weights: np.ndarray) -> np.ndarray:
    """Weights scaled within each context so that the largest is 100 or -100; a context of zeros stays as it is."""
    largest = np.abs(weights).max(-1, keepdims=True)
    return 100 * weights / np.where(largest > 0, largest, 1.0)


def standardised(values: np.ndarray) -> np.ndarray:
    """Values minus their mean, over their standard deviation, both over all contexts and attributes together.

    The NaN of a context without a report stay NaN and do not count. All zero where every value is the same.
    Raises ValueError where no context has a report.
    """
    values = np.asarray(values, float)
    there = values[np.isfinite(values)]
    if not there.size:
        raise ValueError("values holds no finite number: no context has a report")
    spread = there.std()
    return (values - there.mean()) / (spread if spread > 1e-12 * (1 + np.abs(there).max()) else np.inf)


def contributions(reports: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What every context contributes to the slope of weights on reports, (contexts,); the mean is that slope.

    reports z and weights v: (contexts, k), `standardised`, NaN for a context without a report. With the slope b, the
    mean of z v over all that was reported, a context contributes its mean of z v + b (1 - z^2) / 2: the change of the
    slope, to first order, as the context's part grows, the standardisation of reports included. Contributions spread as
    a bootstrap over contexts does, and make the context the unit of a statement about the slope. Where every context
    has a report the slope is Pearson's pooled r.
    """
    reports, weights = _pair(reports, weights)
    slope = np.nanmean(reports * weights)
    return (reports * weights + slope * (1 - reports**2) / 2).mean(-1)


def of_others(weights: np.ndarray) -> np.ndarray:
    """For every context the mean of all other contexts' weights, (contexts, k).

    Contributions of reports with it are the mean, over those others, of contributions with each one's weights. Raises
    ValueError for fewer than two contexts.
    """
    weights = np.asarray(weights, float)
    if len(weights) < 2:
        raise ValueError("one context has no other: two or more are needed")
    return (weights.sum(0) - weights) / (len(weights) - 1)


def within_context(reports: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's r within each context, (contexts,); 0 where a side does not vary, since it says nothing there.

    NaN for a context without a report.
    """
    reports, weights = _pair(reports, weights)
    a, b = (x - x.mean(-1, keepdims=True) for x in (reports, weights))
    size = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.where(size <= 1e-12, 0.0, (a * b).sum(-1) / np.where(size <= 1e-12, 1.0, size))


def pooled_r(reports: np.ndarray, weights: np.ndarray) -> float:
    """Pearson's r over all contexts and attributes that have a report; NaN rows are left out.

    0 where fewer than two contexts have one, or a side does not vary.
    """
    reports, weights = _pair(reports, weights)
    there = ~np.isnan(reports).any(-1) & ~np.isnan(weights).any(-1)
    if there.sum() < 2:
        return 0.0
    return float((standardised(reports[there]) * standardised(weights[there])).mean())


def bootstrap_r(
    reports: np.ndarray, weights: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95 % percentile interval of the pooled r over contexts drawn with replacement; NaN rows are left out."""
    reports, weights = _pair(reports, weights)
    there = ~np.isnan(reports).any(-1) & ~np.isnan(weights).any(-1)
    reports, weights = reports[there], weights[there]
    sums = np.stack([np.ones(len(reports)), *(
        x.mean(-1) for x in (reports, weights, reports**2, weights**2, reports * weights)
    )])  # fmt: skip
    counts = rng.multinomial(len(reports), np.full(len(reports), 1 / len(reports)), size=resamples)
    n, x, y, xx, yy, xy = sums @ counts.T
    r = (xy / n - x * y / n**2) / np.sqrt((xx / n - (x / n) ** 2) * (yy / n - (y / n) ** 2))
    low, high = np.quantile(r, [0.025, 0.975])
    return float(low), float(high)


def mean_reports(values: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean report of every context, (contexts, k), NaN where all were malformed; and the share of malformed ones.

    values: (contexts, n, k), several reports a context; a malformed one has a NaN among its weights, and is left out.
    """
    there = ~np.isnan(values).any(-1, keepdims=True)
    total, count = np.where(there, values, 0).sum(1), there.sum(1)
    return total / np.where(count > 0, count, np.nan), float(1 - there.mean())


def single_report_contributions(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Contributions of one report, mean over a context's well-formed ones, (contexts,); values: (contexts, n, k).

    The i-th reports of all contexts are standardised together, as mean reports are. NaN for a context without a report.
    Raises ValueError where there is no report at all.
    """
    whole = np.where(np.isnan(values).any(-1, keepdims=True), np.nan, values)
    if not np.isfinite(whole).any():
        raise ValueError("values holds no whole report")
    kept = np.flatnonzero(np.isfinite(whole).any((0, 2)))  # a later report may be missing in every context
    each = [contributions(standardised(whole[:, i]), standardised(weights)) for i in kept]
    there = np.isfinite(each)
    return np.where(there, each, 0).sum(0) / np.where(there.any(0), there.sum(0), np.nan)


def right_signs(reports: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of each context's weights whose sign is reported right, (contexts,); a weight of 0 has no sign to report.

    NaN for a context without a report, and for one whose weights are all 0.
    """
    reports, weights = _pair(reports, weights)
    asked = weights != 0
    right = (np.sign(reports) == np.sign(weights)) & asked
    share = right.sum(-1) / np.where(asked.any(-1), asked.sum(-1), np.nan)
    return np.where(np.isnan(reports).any(-1), np.nan, share)


def _pair(reports: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    reports, weights = np.asarray(reports, float), np.asarray(weights, float)
    if reports.shape != weights.shape or reports.ndim != 2:
        raise ValueError(f"reports {reports.shape} and weights {weights.shape} must both be (contexts, attributes)")
    return reports, weights
