"""Novelty as a reward: over a lifetime (random network distillation, Burda et al. 2018, arXiv 1810.12894), and within
an episode (the nearest frame so far, as in Never Give Up, Badia et al. 2020, arXiv 2002.06038)."""

import numpy as np
import torch
from torch import nn

from autodidact.divergence import check_finite

_CLIP = 5.0  # deviations beyond which a feature counts no further


class Novelty:
    """`mean_k (g_hat(x)_k - g(x)_k)^2 / s`: how badly a trained network predicts a frozen random one.

    g and g_hat are small perceptrons over x = clip(z / scale, -5, 5) of features z (n, dim). `scale` (dim,) are the
    features' deviations on frames of a random agent, with which the paper too begins: without it g tells frames apart
    by the few features that vary most, and where one has not been looks like where one has. s is the running standard
    deviation of the raw value over all frames rewarded so far (of returns in the paper).

    The reward means novelty only as far as g_hat has learned what was visited. Frames are few here, so `update` goes
    over them `passes` times: after a single pass the error still says how far a frame is from the mean of all, a fixed
    taste for some frames, which holds an explorer where they are.
    """

    def __init__(
        self,
        dim: int,
        rng: np.random.Generator,
        *,
        scale: np.ndarray | None = None,
        hidden: int = 64,
        out: int = 32,
        learning_rate: float = 3e-3,
    ) -> None:
        """Raises ValueError for a `scale` of another shape or not above 0."""
        scale = np.ones(dim) if scale is None else np.asarray(scale)
        if scale.shape != (dim,) or not (scale > 0).all():
            raise ValueError(f"scale of shape {scale.shape} must be ({dim},) and above 0")
        self._scale = torch.as_tensor(scale, dtype=torch.float32)
        seeds = rng.integers(2**31, size=2)
        self.target, self.predictor = (_network(dim, hidden, out, int(seed)) for seed in seeds)
        self.target.requires_grad_(False)
        self._optimiser = torch.optim.Adam(self.predictor.parameters(), lr=learning_rate, fused=True)
        self._rng = rng
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def raw(self, z: np.ndarray) -> np.ndarray:
        """The mean squared error (n,) of the prediction, undivided."""
        with torch.no_grad():
            x = self._scaled(z)
            return self._errors(x, self.target(x)).numpy()

    def reward(self, z: np.ndarray) -> np.ndarray:
        """The reward (n,) of features (n, dim); the running deviation learns from them."""
        raw = self.raw(z)
        self._note(raw.astype(np.float64))
        return raw / self.deviation

    @property
    def deviation(self) -> float:
        """s: the standard deviation of all raw values so far, 1 before there are two of them."""
        return float(np.sqrt(self._squares / self._count)) if self._count > 1 and self._squares > 0 else 1.0

    def update(self, z: np.ndarray, *, passes: int = 1, batch_size: int = 256) -> float:
        """`passes` over visited frames (n, dim), each in random order; the mean loss before each step.

        Raises `Diverged` for a loss that is not finite.
        """
        losses, x = [], self._scaled(z)
        target = self.target(x)
        for _ in range(passes):
            for rows in np.array_split(self._rng.permutation(len(z)), max(1, len(z) // batch_size)):
                loss = self._errors(x[rows], target[rows]).mean()
                self._optimiser.zero_grad()
                loss.backward()
                self._optimiser.step()
                losses.append(float(loss.detach()))
                check_finite(len(losses), loss=losses[-1])
        return float(np.mean(losses))

    def _scaled(self, z: np.ndarray) -> torch.Tensor:
        return torch.clamp(torch.as_tensor(z) / self._scale, -_CLIP, _CLIP)

    def _errors(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((self.predictor(x) - target) ** 2).mean(1)

    def _note(self, values: np.ndarray) -> None:
        """Welford's update of the running mean and sum of squares, for a batch (Chan et al. 1979)."""
        count, mean = len(values), values.mean()
        total, delta = self._count + count, mean - self._mean
        self._squares += ((values - mean) ** 2).sum() + delta**2 * self._count * count / total
        self._mean += delta * count / total
        self._count = total


class Episode:
    """How far a frame's features are from the nearest frame of the same episode, for a batch of players.

    The distance is Euclidean over sqrt(dim): for features of variance 1, two unrelated frames are about sqrt(2) apart.
    A frame that was seen in the episode is worth 0, so whoever stands still, or goes to and fro, earns nothing.
    """

    def __init__(self) -> None:
        self._frames, self._squares, self._count = np.zeros((0, 1, 1), np.float32), np.zeros((0, 1), np.float32), 0

    def begin(self, z: np.ndarray) -> None:
        """A new episode, which starts with features z (players, dim)."""
        self._count = 0
        if self._frames.shape[::2] != z.shape:
            self._frames, self._squares = (
                np.zeros((len(z), 1, z.shape[1]), np.float32),
                np.zeros((len(z), 1), np.float32),
            )
        self._keep(z)

    def reward(self, z: np.ndarray) -> np.ndarray:
        """The distance (players,) of features z (players, dim), which from now on count as seen."""
        frames, squares = self._frames[:, : self._count], self._squares[:, : self._count]
        away = (squares - 2 * (frames @ z[:, :, None])[..., 0]).min(1) + (z**2).sum(1)
        self._keep(z)
        return np.sqrt(np.maximum(away, 0) / z.shape[1])

    def _keep(self, z: np.ndarray) -> None:
        if self._count == self._frames.shape[1]:  # twice the room
            self._frames, self._squares = (
                np.concatenate([x, np.zeros_like(x)], 1) for x in (self._frames, self._squares)
            )
        self._frames[:, self._count], self._squares[:, self._count] = z, (z**2).sum(1)
        self._count += 1


def _network(dim: int, hidden: int, out: int, seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, out))
