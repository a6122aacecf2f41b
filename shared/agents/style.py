"""Style as a reward: a discriminator of transitions, as in adversarial motion priors (arXiv 2104.02180)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from autodidact.divergence import check_finite
from autodidact.losses.adversarial import least_squares_discriminator, style_reward


class Style:
    """D(z, z'), trained to be 1 on demonstrations and -1 on what a policy does; its reward is in [0, 1].

    `demonstrated` are transitions (n, dim), (n, dim) of features. D sees neither places nor actions. The gradient
    penalty, on demonstrations, keeps D from saturating: `gradient_penalty / 2 * |grad D|^2`, as in the paper.
    """

    def __init__(
        self,
        demonstrated: tuple[np.ndarray, np.ndarray],
        rng: np.random.Generator,
        *,
        hidden: int = 64,
        learning_rate: float = 1e-3,
        gradient_penalty: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        self._demonstrated, self._rng, self._penalty = _joined(demonstrated), rng, gradient_penalty
        dim = self._demonstrated.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            self.network = nn.Sequential(
                nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
            )
        parameters = self.network.parameters()
        self._optimiser = torch.optim.Adam(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)

    def scores(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """D (n,) of transitions."""
        with torch.no_grad():
            return self.network(_joined((before, after)))[:, 0].numpy()

    def reward(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """max(0, 1 - (D - 1)^2 / 4), (n,)."""
        return style_reward(torch.as_tensor(self.scores(before, after))).numpy()

    def update(self, produced: tuple[np.ndarray, np.ndarray], *, steps: int, batch_size: int = 256) -> float:
        """`steps` steps on batches, half demonstrations and half what the policy did; the mean loss.

        Raises `Diverged` for a loss that is not finite.
        """
        produced, losses = _joined(produced), []
        for _ in range(steps):
            real = self._batch(self._demonstrated, batch_size)
            d_real, slope = self._with_slope(real)
            d_fake = self.network(self._batch(produced, batch_size))[:, 0]
            loss = least_squares_discriminator(d_real, d_fake).mean()
            self._optimiser.zero_grad()
            (loss + self._penalty / 2 * (slope**2).sum(1).mean()).backward()
            self._optimiser.step()
            losses.append(float(loss.detach()))
            check_finite(len(losses), loss=losses[-1])
        return float(np.mean(losses))

    def _with_slope(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """D (n,) and its gradient (n, dim) with respect to x, by the chain rule: one pass back instead of two."""
        first, _, second, _, last = self.network
        inner = first(x)
        outer = second(torch.relu(inner))
        slope = ((outer > 0) * last.weight) @ second.weight
        return last(torch.relu(outer))[:, 0], ((inner > 0) * slope) @ first.weight

    def _batch(self, rows: torch.Tensor, size: int) -> torch.Tensor:
        return rows[self._rng.integers(len(rows), size=size)].detach()


class Constant:
    """A bonus for being alive where a style reward would stand, of any given value; 0 is none at all."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def reward(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The value (n,), whatever was done."""
        return np.full(len(before), self.value)

    def update(self, produced: tuple[np.ndarray, np.ndarray], *, steps: int) -> float:
        """Nothing is learned."""
        return 0.0


def transitions(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(z_t, z_t+1) of feature sequences (T + 1, dim) each, joined into (n, dim), (n, dim)."""
    return np.concatenate([z[:-1] for z in sequences]), np.concatenate([z[1:] for z in sequences])


def _joined(transitions: tuple[np.ndarray, np.ndarray]) -> torch.Tensor:
    before, after = transitions
    if np.shape(before) != np.shape(after) or np.ndim(before) != 2:
        raise ValueError(f"transitions of shapes {np.shape(before)}, {np.shape(after)} must be two of (n, dim)")
    return torch.as_tensor(np.concatenate([before, after], 1))
