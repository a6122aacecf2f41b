"""Rewards of the curation experiments. Each is in nats: the choice among candidates is the softmax of the reward."""

import numpy as np


def distance_reward(distance: np.ndarray, gamma: float, r_min: float) -> np.ndarray:
    """r = -gamma max(0, distance - r_min): 0 within `r_min` of the favoured place, falling linearly beyond.

    distance: any shape, in the plane's unit, not negative. gamma: nats a unit. Returns the same shape. Raises
    ValueError for a gamma that is not positive and a negative r_min.
    """
    _positive("gamma", gamma)
    if r_min < 0:
        raise ValueError(f"r_min={r_min} must be 0 or greater")
    return -gamma * np.maximum(0.0, np.asarray(distance) - r_min)


def class_reward(probabilities: np.ndarray, target: int, gamma: float) -> np.ndarray:
    """r = gamma q(target | x): a taste for one class, by a classifier's probabilities (n, classes). Returns (n,)."""
    _positive("gamma", gamma)
    probabilities = _rows(probabilities)
    if not 0 <= target < probabilities.shape[1]:
        raise ValueError(f"target={target} must be a class, 0 to {probabilities.shape[1] - 1}")
    return gamma * probabilities[:, target]


def confidence_reward(probabilities: np.ndarray, gamma: float) -> np.ndarray:
    """r = gamma max_c q(c | x): a taste for whatever the classifier is sure of, (n, classes). Returns (n,)."""
    _positive("gamma", gamma)
    return gamma * _rows(probabilities).max(axis=1)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}={value} must be greater than 0")


def _rows(probabilities: np.ndarray) -> np.ndarray:
    probabilities = np.asarray(probabilities, dtype=float)
    if probabilities.ndim != 2 or not np.allclose(probabilities.sum(1), 1, atol=1e-4):
        raise ValueError(f"probabilities must be (n, classes) with rows that sum to 1, not {probabilities.shape}")
    return probabilities
