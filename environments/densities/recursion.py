r"""Retraining on curated samples, exactly: the population update on a law over finitely many points.

Written throughout: p (..., m) the probabilities of m points, r (..., m) their rewards in nats, K the candidates of a
choice, lambda the curated samples for one real sample. Of K independent candidates one is kept with probability
softmax(r), so a point's share is multiplied by

    H(x) = E_{x_1..x_{K-1} ~ p} [ K e^{r(x)} / (e^{r(x)} + sum_i e^{r(x_i)}) ],   0 < H < K,   E_p[H] = 1.

Source: Ferbach et al. 2024, arXiv 2407.09499.
"""

import math

import numpy as np

STEP = 0.3  # of the trapezoidal rule, whose error is some exp(-pi^2 / STEP), 5e-15
Kernel = tuple[np.ndarray, np.ndarray]


def choice_factor(p: np.ndarray, r: np.ndarray, candidates: float) -> np.ndarray:
    r"""H of every point, (..., m), to machine precision for any K (K = infinity: e^r / E[e^r], an RLHF update).

    With a = e^r and 1/s = \int_0^\infty e^{-us} du the expectation over K - 1 others becomes one integral,
    H = K a \int e^{-ua} E_p[e^{-ua'}]^{K-1} du. In log u its integrand is analytic and decays on both sides, where the
    trapezoidal rule converges faster than any power. Nothing is enumerated or sampled.
    Raises ValueError for a K below 1 or broken, shapes that differ, and a p that is no law.
    """
    p, r = _law(p, r)
    return _factor(p, r, _candidates(candidates), _kernel(r))


def curate(p: np.ndarray, r: np.ndarray, candidates: float) -> np.ndarray:
    """The law of kept samples, p H, (..., m), renormalised: sum p H = (sum p)^K would else blow up rounding errors."""
    p, r = _law(p, r)
    return _curate(p, r, _candidates(candidates), _kernel(r))


def recursion(
    p: np.ndarray, r: np.ndarray, candidates: float, lam: float, rounds: int, data: np.ndarray | None = None
) -> np.ndarray:
    """Retraining at infinite capacity, p_{t+1} = (p_data + lambda p_t H_t) / (1 + lambda): p_0, ..., p_rounds.

    p: p_0, (..., m). lam: curated samples for one real one; infinity: none are real; 0: all are. data: the law of the
    real ones, p_0 if None. Returns (rounds + 1, ..., m), every round renormalised.
    """
    p, r = _law(p, r)
    data = p if data is None else _law(data, r)[0]
    candidates, kernel = _candidates(candidates), _kernel(r)
    if not lam >= 0:
        raise ValueError(f"lam={lam} must be 0 or greater")
    path = [p]
    for _ in range(rounds):
        kept = _curate(path[-1], r, candidates, kernel)
        path.append(kept if lam == math.inf else (data + lam * kept) / (1 + lam))
    return np.array(path)


def _kernel(r: np.ndarray) -> Kernel:
    """e^{-ua} and a e^{-ua} du at the nodes of the integral, each (..., m, nodes): all that does not depend on p."""
    r = r - r.max(axis=-1, keepdims=True)
    nodes = np.arange(-40.0, 5.0 - r.min(), STEP)  # log u: below, and beyond 1 / the smallest a, nothing is left
    ua = np.exp(nodes + r[..., None])
    decay = np.exp(-ua)
    return decay, STEP * ua * decay  # a du = a u d(log u)


def _factor(p: np.ndarray, r: np.ndarray, candidates: float, kernel: Kernel) -> np.ndarray:
    if candidates == math.inf:
        value = np.exp(r - r.max(axis=-1, keepdims=True))
        return value / (p * value).sum(axis=-1, keepdims=True)
    decay, weight = kernel
    others = (p[..., None, :] @ decay)[..., 0, :] ** (candidates - 1)
    return candidates * (weight @ others[..., None])[..., 0]


def _curate(p: np.ndarray, r: np.ndarray, candidates: float, kernel: Kernel) -> np.ndarray:
    kept = p * _factor(p, r, candidates, kernel)
    return kept / kept.sum(axis=-1, keepdims=True)


def _candidates(candidates: float) -> float:
    if candidates == math.inf or (candidates >= 1 and candidates == int(candidates)):
        return candidates
    raise ValueError(f"candidates={candidates} must be a whole number, 1 or greater, or infinity")


def _law(p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, r = np.asarray(p, dtype=float), np.asarray(r, dtype=float)
    if p.shape != r.shape or not p.ndim:
        raise ValueError(f"p and r must have one shape, (..., m), but have {p.shape} and {r.shape}")
    if (p < 0).any() or not np.allclose(p.sum(axis=-1), 1, atol=1e-9):
        raise ValueError("p must be probabilities that sum to 1 over the last axis")
    if not np.isfinite(r).all():
        raise ValueError("r must be finite rewards")
    return p, r
