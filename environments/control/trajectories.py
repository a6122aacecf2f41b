"""What a rater is asked about: batches of trajectories, and of single answers, which are trajectories of one step."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Arrays that share their first axis, one entry a trajectory; `batch[-5:]` is the batch of the last five."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, some: slice | np.ndarray) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[some] for f in fields(self)})

    def join(self, *others: Self) -> Self:
        """This batch and, after it, the others in their order."""
        every = (self, *others)
        return type(self)(**{f.name: np.concatenate([getattr(batch, f.name) for batch in every]) for f in fields(self)})


@dataclass(frozen=True)
class Trajectories(Batch):
    """n trajectories of at most H steps, padded behind the end: with zeros, or the last observation and position.

    observations: (n, H + 1, d), the last entry of each being the share of the horizon that is gone.
    actions: (n, H, k), in [-1, 1]. rewards: (n, H), the environment's own, which only raters and measurements may read.
    positions: (n, H + 1, 2), in the world's lengths. steps: (n, H), True for the steps that were taken.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    positions: np.ndarray
    steps: np.ndarray

    @property
    def returns(self) -> np.ndarray:
        """(n,): the sum of the environment's rewards."""
        return self.rewards.sum(1)

    def until(self, share: float) -> np.ndarray:
        """(n,): the return of the first `share` of the horizon."""
        return self.rewards[:, : round(share * self.rewards.shape[1])].sum(1)


@dataclass(frozen=True)
class Answers(Batch):
    """n single choices in each of c independent worlds: choices (n, c), whole numbers."""

    choices: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """(n, 1, 1): an answer is a trajectory of one step."""
        return np.ones((len(self), 1, 1), dtype=bool)
