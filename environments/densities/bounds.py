r"""What the theorems promise of the exact recursion, as numbers to hold against it.

p, r (..., m) as in `recursion`. Rewards enter as e^{r - r*} with r* the highest reward of a point that p_0 reaches, so
that every bound is in units of e^{r*} and lies in [0, 1]. Source: Ferbach et al. 2024, arXiv 2407.09499.
"""

import numpy as np

TINY = 1e-300


def exp_reward(p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of e^{r - r*} under p, each (...), r* the highest reward in r."""
    value = np.exp(r - np.max(r, axis=-1, keepdims=True))
    mean = (p * value).sum(-1)
    return mean, (p * (value - mean[..., None]) ** 2).sum(-1)


def lemma_2_2(p: np.ndarray, r: np.ndarray, candidates: int) -> np.ndarray:
    """The least that E[e^{r - r*}] is after one round on curated samples alone: E + (K - 1)/K Var. (...)."""
    mean, variance = exp_reward(p, r)
    return mean + (candidates - 1) / candidates * variance


def theorem_2_3(data: np.ndarray, r: np.ndarray, candidates: int, lam: float) -> np.ndarray:
    """The least that E[e^{r - r*}] is in every round t >= 1 where p_0 = p_data. (...).

    E_data + lambda / (1 + lambda)^3 (K - 1)/K Var_data.
    """
    mean, variance = exp_reward(data, r)
    return mean + lam / (1 + lam) ** 3 * (candidates - 1) / candidates * variance


def theorem_2_4(candidates: int, lam: float) -> float:
    """The most that KL(p_t || p_data) is, in nats, where p_0 = p_data: -log(1 - lambda (K - 1)).

    Raises ValueError where the theorem is silent: lambda >= 1/(K - 1).
    """
    if not 0 <= lam * (candidates - 1) < 1:
        raise ValueError(f"lam={lam} must be below 1/(candidates - 1) = {1 / max(candidates - 1, TINY):.3g}")
    return -float(np.log1p(-lam * (candidates - 1)))


def best_level(p: np.ndarray, r: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
    """Theorem 2.1's limit, (..., m): p restricted to its points of highest reward, their proportions kept."""
    reached = np.where(p > 0, r, -np.inf)
    best = np.where(reached >= reached.max(-1, keepdims=True) - tolerance, p, 0.0)
    return best / best.sum(-1, keepdims=True)


def kl_divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p || q) in nats, (...); points that p does not reach add nothing."""
    return np.where(p > 0, p * (np.log(np.maximum(p, TINY)) - np.log(np.maximum(q, TINY))), 0.0).sum(-1)
