"""Novelty as a reward: random network distillation (Burda et al. 2018, arXiv 1810.12894)."""

import numpy as np
import torch
from torch import nn


class Novelty:
    """`mean_k (g_hat(z)_k - g(z)_k)^2 / s`: how badly a trained network predicts a frozen random one.

    g and g_hat are small perceptrons over features (n, dim); s is the running standard deviation of the raw value over
    all frames rewarded so far (of returns in the paper).
    """

    def __init__(
        self, dim: int, rng: np.random.Generator, *, hidden: int = 64, out: int = 32, learning_rate: float = 1e-3
    ) -> None:
        seeds = rng.integers(2**31, size=2)
        self.target, self.predictor = (_network(dim, hidden, out, int(seed)) for seed in seeds)
        self.target.requires_grad_(False)
        self._optimiser = torch.optim.Adam(self.predictor.parameters(), lr=learning_rate)
        self._rng = rng
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def raw(self, z: np.ndarray) -> np.ndarray:
        """The mean squared error (n,) of the prediction, undivided."""
        with torch.no_grad():
            return self._errors(torch.as_tensor(z)).numpy()

    def reward(self, z: np.ndarray) -> np.ndarray:
        """The reward (n,) of features (n, dim); the running deviation learns from them."""
        raw = self.raw(z)
        self._note(raw.astype(np.float64))
        return raw / self.deviation

    @property
    def deviation(self) -> float:
        """s: the standard deviation of all raw values so far, 1 before there are two of them."""
        return float(np.sqrt(self._squares / self._count)) if self._count > 1 and self._squares > 0 else 1.0

    def update(self, z: np.ndarray, *, batch_size: int = 256) -> float:
        """One pass over visited frames (n, dim) in random order; the mean loss before each step."""
        losses = []
        for rows in np.array_split(self._rng.permutation(len(z)), max(1, len(z) // batch_size)):
            loss = self._errors(torch.as_tensor(z[rows])).mean()
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _errors(self, z: torch.Tensor) -> torch.Tensor:
        return ((self.predictor(z) - self.target(z)) ** 2).mean(1)

    def _note(self, values: np.ndarray) -> None:
        """Welford's update of the running mean and sum of squares, for a batch (Chan et al. 1979)."""
        count, mean = len(values), values.mean()
        total, delta = self._count + count, mean - self._mean
        self._squares += ((values - mean) ** 2).sum() + delta**2 * self._count * count / total
        self._mean += delta * count / total
        self._count = total


def _network(dim: int, hidden: int, out: int, seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, out))
