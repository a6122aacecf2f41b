"""Preference games given as a matrix P[i, j] = P(i beats j), with P + P' = 1."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax


def exploitability(preference: np.ndarray, policy: np.ndarray) -> np.ndarray:
    """max_i P(i beats policy) - 1/2: what the best answer wins against it, 0 only at the Nash equilibrium.

    preference: (n, n) win probabilities. policy: (..., n) distributions. Returns (...), in win probability.
    """
    _check(preference)
    policy = np.asarray(policy, dtype=float)
    if policy.shape[-1] != len(preference) or not np.allclose(policy.sum(-1), 1):
        raise ValueError(f"policy must be distributions over {len(preference)} answers, shape {policy.shape} was given")
    return (policy @ preference.T).max(-1) - 0.5


def exponential_weights(
    start: np.ndarray,
    rounds: int,
    eta: float,
    rate: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Iterates of pi_{t+1}(y) ~ pi_t(y) exp(eta P(y beats pi_t)) (SPPO, equation 4.1), start included.

    start: (n,) distribution. rate: policy (n,) -> win rate of every answer against it (n,): the rater, whatever it is.
    Returns (rounds + 1, n).
    """
    logits = np.log(np.asarray(start, dtype=float))
    iterates = [np.exp(log_softmax(logits))]
    for _ in range(rounds):
        logits = log_softmax(logits + eta * rate(iterates[-1]))
        iterates.append(np.exp(logits))
    return np.array(iterates)


def bradley_terry(preference: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The scalar rewards (n,), of mean 0, whose sigmoid differences fit the comparisons best (maximum likelihood).

    weights: (n, n) how often each ordered pair is compared, default equally. A transitive fit, so wrong for a cycle.
    """
    _check(preference)
    weights = np.ones_like(preference) if weights is None else np.asarray(weights, dtype=float)

    def loss(rewards: np.ndarray) -> tuple[float, np.ndarray]:
        gap = rewards[:, None] - rewards[None, :]
        value = (weights * (preference * np.logaddexp(0, -gap) + (1 - preference) * np.logaddexp(0, gap))).sum()
        slope = weights * (1 / (1 + np.exp(-gap)) - preference)
        return value, slope.sum(1) - slope.sum(0)

    fit = minimize(loss, np.zeros(len(preference)), jac=True, method="BFGS", options={"gtol": 1e-9})
    return fit.x - fit.x.mean()


def _check(preference: np.ndarray) -> None:
    preference = np.asarray(preference)
    if preference.ndim != 2 or preference.shape[0] != preference.shape[1]:
        raise ValueError(f"preference must be a square matrix, shape {preference.shape} was given")
    if not np.allclose(preference + preference.T, 1):
        raise ValueError("preference must hold P(i beats j) with P[i, j] + P[j, i] = 1 and 1/2 on the diagonal")
