"""Imitation with a memory: a recurrent policy over visual features, and the batches that it learns from."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence


class Imitator(nn.Module):
    """pi(a | h_t) with h_t = LSTM(z_1 .. z_t), and q(h_t, a_t), which predicts the next features.

    With `memory=False` h_t is a layer over z_t alone, of the same width: the ablation.
    """

    def __init__(
        self, dim: int, actions: int, rng: np.random.Generator, *, hidden: int = 64, memory: bool = True
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            super().__init__()
            self.memory = nn.LSTM(dim, hidden, batch_first=True) if memory else None
            self.present = None if memory else nn.Sequential(nn.Linear(dim, hidden), nn.Tanh())
            self.policy = nn.Linear(hidden, actions)
            self.predictor = nn.Sequential(nn.Linear(hidden + actions, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self.actions = actions

    def remember(self, z: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """h (batch, time, hidden) of features (batch, time, dim), and the state (2, batch, hidden) with which to go on.

        The state is h and the cells of the LSTM; zeros forget all.
        """
        if self.memory is None:
            return self.present(z), None
        h, state = self.memory(z, None if state is None else (state[:1], state[1:]))
        return h, torch.cat(state)

    def predict(self, h: Tensor, action: Tensor) -> Tensor:
        """q(h, a): the next features (n, dim) of h (n, hidden) and actions (n,)."""
        return self.predictor(torch.cat([h, nn.functional.one_hot(action, self.actions).to(h)], 1))

    def act(self, z: np.ndarray, state: Tensor | None, rng: np.random.Generator) -> tuple[np.ndarray, Tensor | None]:
        """Actions (batch,) sampled for features (batch, dim), and the memory's next state."""
        with torch.no_grad():
            h, state = self.remember(torch.as_tensor(z)[:, None], state)
            chances = torch.softmax(self.policy(h[:, 0]), 1).numpy()
        return sampled(chances, rng), state


class Walks:
    """Sequences of features (T + 1, dim) with actions (T,), padded to one length: `z`, `actions` and `mask` (n, T)."""

    def __init__(self, features: Sequence[np.ndarray], actions: Sequence[np.ndarray]) -> None:
        """Raises ValueError where a walk has not one frame more than actions."""
        for z, a in zip(features, actions, strict=True):
            if len(z) != len(a) + 1:
                raise ValueError(f"a walk of {len(a)} actions has {len(z)} frames, must have {len(a) + 1}")
        self.z = pad_sequence([torch.as_tensor(z) for z in features], batch_first=True)
        self.actions = pad_sequence([torch.as_tensor(a) for a in actions], batch_first=True)
        lengths = torch.tensor([len(a) for a in actions])
        self.mask = torch.arange(self.actions.shape[1]) < lengths[:, None]

    def __len__(self) -> int:
        return len(self.z)

    def take(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """z (b, T + 1, dim), actions (b, T) and mask (b, T) of some walks, T being the steps of the longest of them."""
        steps = int(self.mask[rows].sum(1).max())
        return self.z[rows, : steps + 1], self.actions[rows, :steps], self.mask[rows, :steps]


def sampled(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One index (n,) a row of probabilities (n, k), by inversion."""
    return (chances.cumsum(1) < rng.random((len(chances), 1)) * chances.sum(1, keepdims=True)).sum(1)
