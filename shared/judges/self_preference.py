"""Self-preference from stored votes: pooled gold, win rate with half ties, naive, DBG and corrected scores.

"Beyond the Surface: Measuring Self-Preference in LLM Judgments" (arXiv 2506.02592): a judge's verdict on its own
responses is compared with gold's verdict on the same responses. Outcomes are numbers of one response against the other:
1 a win, 0 a loss, 0.5 a tie.
"""

import numpy as np

INVALID = np.nan  # a vote that named neither response


def pooled_gold(votes: np.ndarray) -> np.ndarray:
    """Gold outcomes (pairs,) by majority of `votes` (pairs, judges x orders): 1, 0, or 0.5 where votes are equal.

    A vote is 1 (for the response that is scored), 0 (for the other) or NaN (invalid, does not count); a pair without a
    valid vote is a tie. The paper pools three judges in two orders, six votes a pair.
    Raises ValueError for another shape and for other values.
    """
    votes = _votes(votes)
    valid = ~np.isnan(votes)
    balance = np.where(valid, 2 * votes - 1, 0.0).sum(axis=1)
    return (np.sign(balance) + 1) / 2


def gold_share(votes: np.ndarray) -> np.ndarray:
    """Share of the valid votes (pairs, voters) that go to the scored response, (pairs,); 0.5 without a valid vote."""
    votes = _votes(votes)
    counts = (~np.isnan(votes)).sum(axis=1)
    return np.where(counts > 0, np.nansum(votes, axis=1) / np.maximum(counts, 1), 0.5)


def win_rate(outcomes: np.ndarray) -> float:
    """WR = 100/n (wins + ties / 2) of outcomes (pairs,), in percentage points."""
    return 100 * float(_outcomes("outcomes", outcomes).mean())


def dbg_score(judge: np.ndarray, gold: np.ndarray) -> float:
    """DBG_A = WR_A(A) - WR_gold(A), in percentage points, -100 to 100.

    judge, gold: outcomes (pairs,) of A's response, by A as a judge and by gold. Raises ValueError if they differ in
    length or hold other than 0, 0.5 and 1.
    """
    _paired(judge, gold)
    return win_rate(judge) - win_rate(gold)


def naive_score(judge: np.ndarray) -> float:
    """WR_A(A) - WR_A(B) = 2 WR_A(A) - 100: what the judge gives itself over the other, in percentage points."""
    return 2 * win_rate(judge) - 100


def corrected_score(judge: np.ndarray, votes: np.ndarray, *, ridge: float = 1e-3) -> float:
    """Intercept over slope of the logistic regression of the judge's outcome on the centred share of gold votes.

    Not the paper's: noise of the judge lowers slope and intercept alike, so that their ratio moves far less with the
    judge's accuracy than DBG does. It still moves: noisy gold votes bend it towards the gap in quality, so an unbiased
    judge is near 0, not at it. The unit is that of the regressor, 2 share - 1, from -1 (no vote) to 1 (all votes).

    judge: outcomes (pairs,); ties count as half a win and half a loss. votes: as in `pooled_gold`. ridge: penalty on
    slope and intercept, in pseudo-pairs, without which a judge equal to gold has no finite slope. NaN if the slope is
    not positive: such a judge does not follow gold, and no ratio says what it prefers.
    """
    judge = _outcomes("judge", judge)
    share = gold_share(votes)
    if len(share) != len(judge):
        raise ValueError(f"judge has {len(judge)} outcomes, but votes has {len(share)} rows; they must be as many")
    intercept, slope = logistic_fit(2 * share - 1, judge, ridge=ridge)
    return intercept / slope if slope > 0 else float("nan")


def logistic_fit(
    x: np.ndarray, y: np.ndarray, *, ridge: float = 1e-3, weights: np.ndarray | float = 1.0
) -> tuple[float, float]:
    """(intercept, slope) of the maximum of sum weights (y log s + (1 - y) log(1 - s)) - ridge/2 |w|^2.

    s = sigmoid(w0 + w1 x). x: (pairs,); y: (pairs,) in [0, 1]; weights: how many pairs each entry stands for, or what
    share of all. Newton's method from zero, with halved steps where a full one does not improve.
    """
    design = np.stack([np.ones_like(x, float), np.asarray(x, float)], axis=1)
    y, w = np.asarray(y, float), np.zeros(2)
    weights = np.broadcast_to(np.asarray(weights, float), y.shape)

    def loss(w: np.ndarray) -> float:
        z = design @ w
        return float(weights @ np.logaddexp(0, z) - (weights * y) @ z + ridge / 2 * w @ w)

    for _ in range(100):
        s = 1 / (1 + np.exp(-np.clip(design @ w, -500, 500)))
        gradient = design.T @ (weights * (s - y)) + ridge * w
        if np.abs(gradient).max() < 1e-9 * max(1, weights.sum()):
            break
        step = np.linalg.solve((design.T * (weights * s * (1 - s))) @ design + ridge * np.eye(2), gradient)
        size = 1.0
        while size > 1e-6 and loss(w - size * step) > loss(w):
            size /= 2
        w = w - size * step
    return float(w[0]), float(w[1])


def bootstrap_dbg(judge: np.ndarray, gold: np.ndarray, rng: np.random.Generator, draws: int = 1000) -> np.ndarray:
    """DBG over `draws` resamples of the pairs with replacement, (draws,): its spread is the error within one seed."""
    _paired(judge, gold)
    difference = np.asarray(judge, float) - np.asarray(gold, float)
    return 100 * difference[rng.integers(len(difference), size=(draws, len(difference)))].mean(axis=1)


def _votes(votes: np.ndarray) -> np.ndarray:
    votes = np.asarray(votes, float)
    if votes.ndim != 2 or not votes.size:
        raise ValueError(f"votes has shape {votes.shape}, must be (pairs, voters) and not empty")
    if not np.isin(votes[~np.isnan(votes)], (0, 1)).all():
        raise ValueError("votes must be 1, 0 or NaN (invalid)")
    return votes


def _outcomes(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size or not np.isin(values, (0, 0.5, 1)).all():
        raise ValueError(f"{name} has shape {values.shape}; it must be (pairs,), not empty, of 0, 0.5 and 1 only")
    return values


def _paired(judge: np.ndarray, gold: np.ndarray) -> None:
    one, two = _outcomes("judge", judge), _outcomes("gold", gold)
    if len(one) != len(two):
        raise ValueError(f"judge has {len(one)} outcomes and gold {len(two)}; they must be as many")
