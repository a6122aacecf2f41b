"""A reward model of trajectories from comparisons (Christiano et al. 2017): Bradley-Terry on sums over steps."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from autodidact.checks import whole
from autodidact.divergence import check_finite


class TrajectoryReward:
    """A network r_hat on the inputs of a step, fitted by maximum likelihood to all comparisons so far.

    The loss of a comparison is -log sigmoid(sum_h r_hat(x_h) - sum_h r_hat(x'_h)) for x preferred to x'. `hidden` are
    the widths of its leaky ReLU layers, [] if it is linear. Its inputs decide what it can express: a step's state and
    action (Markovian), time beside them, or a whole trajectory as one step. Inputs are scaled by the mean and the
    deviation of the first comparisons. Weights are drawn from `rng`, which also picks the comparisons of a step.
    """

    def __init__(self, hidden: list[int], *, learning_rate: float, rng: np.random.Generator) -> None:
        if not learning_rate > 0 or any(width < 1 for width in hidden):
            raise ValueError(f"learning_rate={learning_rate} must be positive, the widths hidden={hidden} 1 or greater")
        self.hidden, self.learning_rate, self.rng = tuple(hidden), learning_rate, rng
        self._layers: list[Tensor] = []
        self._rounds: list[tuple[Tensor, ...]] = []

    def add(self, a: tuple, b: tuple, labels: np.ndarray, asked: np.ndarray | None = None) -> None:
        """Comparisons of every a with every b.

        a, b: (inputs, steps) of shapes (n, H, d) and (n, H), the second being which steps were taken. labels: (n, m),
        in [-1, 1], 1 where a is preferred. asked: (n, m), 0 for the pairs that were not compared, default all.
        """
        asked = np.ones_like(labels) if asked is None else asked
        inputs, steps = (np.concatenate(parts) for parts in zip(a, b, strict=True))
        if not self._layers:
            self._start(inputs[steps])
        self._rounds.append(
            (self._scaled(inputs), _tensor(steps), _tensor((1 + labels) / 2), _tensor(asked / asked.sum()))
        )

    def fit(self, steps: int) -> float:
        """Adam steps, each on all comparisons of one round: first the newest, then any. Returns the last loss, nats.

        Raises ValueError for steps below 1, `Diverged` for a loss that is not finite.
        """
        for i in range(whole("steps", steps, 1)):
            which = len(self._rounds) - 1 if i == 0 else int(self.rng.integers(len(self._rounds)))
            loss = self._loss(*self._rounds[which])
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            check_finite(i + 1, loss=loss.item())
        return loss.item()

    @torch.no_grad()
    def rewards(self, inputs: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """r_hat (n, H) of inputs (n, H, d), 0 where no step was taken; in nats of preference."""
        return (self._network(self._scaled(inputs)) * _tensor(steps)).numpy().astype(float)

    def _loss(self, inputs: Tensor, steps: Tensor, wins: Tensor, weights: Tensor) -> Tensor:
        total = (self._network(inputs) * steps).sum(1)
        gap = total[: len(wins), None] - total[None, len(wins) :]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(gap, wins, reduction="none")
        return (weights * losses).sum()

    def _network(self, x: Tensor) -> Tensor:
        *inner, (weight, bias) = zip(self._layers[::2], self._layers[1::2], strict=True)
        for inner_weight, inner_bias in inner:
            x = torch.nn.functional.leaky_relu(x @ inner_weight + inner_bias)
        return (x @ weight + bias)[..., 0]

    def _start(self, seen: np.ndarray) -> None:
        self._mean, self._scale = seen.mean(0), seen.std(0) + 1e-3
        for fan_in, fan_out in pairwise((seen.shape[1], *self.hidden, 1)):
            size = 1 / np.sqrt(fan_in) if fan_out > 1 else 0.0  # no reward at all before the first fit
            self._layers += [_tensor(size * self.rng.normal(size=(fan_in, fan_out))), torch.zeros(fan_out)]
        for layer in self._layers:
            layer.requires_grad_(True)
        self._optimizer = torch.optim.Adam(self._layers, lr=self.learning_rate, fused=True)

    def _scaled(self, inputs: np.ndarray) -> Tensor:
        return _tensor(np.clip((inputs - self._mean) / self._scale, -10, 10))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
