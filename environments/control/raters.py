"""Raters of trajectories with exact expectations: P(a, b) in [-1, 1], positive if a is preferred, P(b, a) = -P(a, b).

A label is one rater's word on one pair, -1 or 1, with mean P(a, b); a tie is a coin toss. The probability that a is
preferred is (1 + P(a, b)) / 2.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from autodidact.environments.control.trajectories import Answers, Batch, Trajectories


class Rater(ABC):
    """Compares every trajectory of one batch with every one of another."""

    @abstractmethod
    def expected(self, a: Batch, b: Batch) -> np.ndarray:
        """P(a, b) for all pairs, (len(a), len(b), ...)."""

    def probability(self, a: Batch, b: Batch) -> np.ndarray:
        """P(a is preferred to b) for all pairs, (len(a), len(b), ...)."""
        return (1 + self.expected(a, b)) / 2

    def label(self, a: Batch, b: Batch, rng: np.random.Generator) -> np.ndarray:
        """One label a pair, -1 or 1, each drawn anew, (len(a), len(b), ...)."""
        probability = self.probability(a, b)
        return np.where(rng.random(probability.shape) < probability, 1.0, -1.0)


@dataclass(frozen=True)
class ByReturn(Rater):
    """The larger return wins ("max-reward preferences")."""

    def expected(self, a: Trajectories, b: Trajectories) -> np.ndarray:
        """The sign of the difference of returns."""
        return np.sign(a.returns[:, None] - b.returns[None, :])


@dataclass(frozen=True)
class Noisy(Rater):
    """Any rater whose label is turned round with probability `rate`: P' = (1 - 2 rate) P."""

    rater: Rater
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 0.5:
            raise ValueError(f"rate={self.rate} must lie in [0, 1/2]: beyond that the labels say the opposite")

    def expected(self, a: Batch, b: Batch) -> np.ndarray:
        """The rater's own expectation, shrunk."""
        return (1 - 2 * self.rate) * self.rater.expected(a, b)


@dataclass(frozen=True)
class NonMarkovian(Rater):
    """Most return in the first three quarters of the horizon, as long as the last quarter's return is `limit` at most.

    Who obeys the limit beats who does not; of two who obey the larger early return wins, of two who do not the smaller
    late one.
    """

    limit: float
    early: float = 0.75

    def __post_init__(self) -> None:
        if not 0 < self.early < 1:
            raise ValueError(f"early={self.early} must lie between 0 and 1: the share of the horizon that is free")

    def obeys(self, a: Trajectories) -> np.ndarray:
        """(n,): whether the return behind the early part is `limit` at most."""
        return self._late(a) <= self.limit

    def expected(self, a: Trajectories, b: Trajectories) -> np.ndarray:
        """1, 0 or -1: a total order."""
        obeys = self.obeys(a).astype(int)[:, None] - self.obeys(b).astype(int)[None, :]
        early = np.sign(a.until(self.early)[:, None] - b.until(self.early)[None, :])
        late = np.sign(self._late(b)[None, :] - self._late(a)[:, None])
        return np.where(obeys != 0, obeys, np.where(self.obeys(a)[:, None], early, late))

    def _late(self, a: Trajectories) -> np.ndarray:
        return a.returns - a.until(self.early)


@dataclass(frozen=True)
class FinalPosition(Rater):
    """Looks where a trajectory ends: 0.3 for the distance from the origin, 0.7 for the angle, which is intransitive.

    Farther wins, beyond `radius` all are equal. An angle beats those that it leads by less than `window` radians.
    """

    radius: float
    window: float = np.pi / 4
    distance_weight: float = 0.3

    def __post_init__(self) -> None:
        if not self.radius > 0 or not 0 < self.window <= np.pi or not 0 <= self.distance_weight <= 1:
            raise ValueError(
                f"radius={self.radius} must be positive, window={self.window} in (0, pi], "
                f"distance_weight={self.distance_weight} in [0, 1]"
            )

    def expected(self, a: Trajectories, b: Trajectories) -> np.ndarray:
        """The weighted sum of both parts."""
        return self.between(a.positions[:, -1], b.positions[:, -1])

    def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """P for end points a (n, 2) and b (m, 2), shape (n, m)."""
        far = [np.minimum(np.linalg.norm(x, axis=-1), self.radius) for x in (a, b)]
        distance = np.sign(far[0][:, None] - far[1][None, :])
        angles = [np.arctan2(x[:, 1], x[:, 0]) for x in (a, b)]
        lead = angles[0][:, None] - angles[1][None, :]
        lead = np.arctan2(np.sin(lead), np.cos(lead))  # in [-pi, pi], odd in the order of the two
        angle = np.where(np.abs(lead) < self.window, np.sign(lead), 0)
        return self.distance_weight * distance + (1 - self.distance_weight) * angle


@dataclass(frozen=True)
class Populations(Rater):
    """A label comes from a member of one of three populations, who prefer a > b > c, b > c > a and c > a > b.

    shares: one triple (s1, s2, s3) a world, of the populations in this order. A tie, a against a, is a coin toss.
    """

    shares: tuple[tuple[float, float, float], ...]
    matrices: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shares = np.asarray(self.shares, dtype=float)
        if shares.ndim != 2 or shares.shape[1] != 3 or (shares < 0).any() or not np.allclose(shares.sum(1), 1):
            raise ValueError(f"shares={self.shares} must be triples of shares that are not negative and sum to 1")
        ab, bc, ca = 1 - 2 * np.roll(shares, -1, axis=1).T  # of b over a only population 2 is fond, and so on
        none = np.zeros(len(shares))
        rows = [[none, ab, -ca], [-ab, none, bc], [ca, -bc, none]]
        object.__setattr__(self, "matrices", np.moveaxis(np.array(rows), -1, 0))

    @property
    def winners(self) -> np.ndarray:
        """The Minimax Winners, (worlds, 3), in closed form.

        (1 - 2 s3, 1 - 2 s1, 1 - 2 s2) where no share is above one half, else that population's favourite.
        """
        shares = np.asarray(self.shares, dtype=float)
        mixed = 1 - 2 * np.roll(shares, 1, axis=1)
        alone = np.eye(3)[shares.argmax(1)]
        return np.where((shares > 0.5).any(1, keepdims=True), alone, mixed)

    def expected(self, a: Answers, b: Answers) -> np.ndarray:
        """(len(a), len(b), worlds): 0 for an answer against itself."""
        worlds = np.arange(len(self.matrices))
        return self.matrices[worlds, a.choices[:, None], b.choices[None, :]]
