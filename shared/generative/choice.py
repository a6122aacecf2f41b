"""Luce's choice among candidates: one of K, with probabilities that are the softmax of the rewards."""

import numpy as np


def luce_choice(rewards: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The index that is kept in each group: Pr(k) = exp r_k / sum_j exp r_j.

    rewards: (groups, K) in nats, one row a group of independent candidates. Returns (groups,) whole numbers. Drawn by
    the largest of reward plus Gumbel noise, so no exponential can overflow. Raises ValueError for another shape, an
    empty group, and a reward that is not finite.
    """
    rewards = np.asarray(rewards, dtype=float)
    if rewards.ndim != 2 or rewards.shape[1] < 1:
        raise ValueError(f"rewards must be (groups, K) with K of 1 or more, shape {rewards.shape} was given")
    if not np.isfinite(rewards).all():
        raise ValueError(f"rewards must be finite; group {int(np.flatnonzero(~np.isfinite(rewards).all(1))[0])} is not")
    return (rewards + rng.gumbel(size=rewards.shape)).argmax(1)
