"""Densities in the plane: eight modes on a circle, and two moons. Version 1.

Truth: the density itself, on a grid, and for each point the component that it belongs to. Reward: how far a point lies
from the favoured component. All randomness comes from the generator that the caller passes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autodidact.environments.densities.rewards import distance_reward

OFF = -1  # the component of a point that belongs to none
REACH = 3.0  # a point belongs to a component within this many standard deviations of it


@dataclass(frozen=True)
class Modes:
    """Gaussians of equal weight on a circle; the reward favours component 0.

    modes: how many. radius, sd: of the circle and of each Gaussian. r_min: distance to the favoured centre within
    which the reward is highest. Favoured points with r = 0 are some 98 % of component 0 and nothing else.
    """

    modes: int = 8
    radius: float = 4.0
    sd: float = 0.35
    r_min: float = 1.0
    version: str = "1"

    @cached_property
    def centres(self) -> np.ndarray:
        """The centres, (modes, 2)."""
        angles = 2 * np.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)

    @property
    def components(self) -> int:
        """How many components there are."""
        return self.modes

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` points, (n, 2) float32."""
        at = self.centres[rng.integers(self.modes, size=n)]
        return (at + self.sd * rng.standard_normal((n, 2))).astype(np.float32)

    def density(self, x: np.ndarray) -> np.ndarray:
        """The density at points (n, 2), a unit squared."""
        square = ((_points(x)[:, None] - self.centres) ** 2).sum(-1) / self.sd**2
        return np.exp(-square / 2).mean(1) / (2 * np.pi * self.sd**2)

    def reward(self, x: np.ndarray, gamma: float) -> np.ndarray:
        """r(x) = -gamma max(0, |x - favoured centre| - r_min) at points (n, 2), nats, (n,)."""
        return distance_reward(np.linalg.norm(_points(x) - self.centres[0], axis=1), gamma, self.r_min)

    def component(self, x: np.ndarray) -> np.ndarray:
        """The nearest component of each point (n, 2), or OFF beyond 3 standard deviations of every centre. (n,)."""
        distance = np.linalg.norm(_points(x)[:, None] - self.centres, axis=-1)
        return np.where(distance.min(1) <= REACH * self.sd, distance.argmin(1), OFF)

    def grid(self, side: int = 121) -> tuple[np.ndarray, np.ndarray]:
        """The law on a grid: points (side^2, 2) and their probabilities (side^2,), which sum to 1."""
        edge = self.radius + 5 * self.sd
        return _grid(self.density, (-edge, edge), (-edge, edge), side)


@dataclass(frozen=True)
class Moons:
    """Two interleaved half circles with Gaussian noise; the reward favours component 0, the upper one.

    radius: of the half circles. sd: of the noise. r_min: distance to the upper arc within which the reward is highest.
    The geometry is that of scikit-learn's `make_moons`, `radius` times as large.
    """

    radius: float = 2.0
    sd: float = 0.2
    r_min: float = 0.4
    version: str = "1"

    @property
    def components(self) -> int:
        """How many components there are."""
        return 2

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` points, (n, 2) float32."""
        lower = rng.integers(2, size=n)
        at = self._arc(rng.uniform(0, np.pi, size=n), lower)
        return (at + self.sd * rng.standard_normal((n, 2))).astype(np.float32)

    def density(self, x: np.ndarray) -> np.ndarray:
        """The density at points (n, 2), a unit squared: Gauss-Legendre quadrature along both arcs."""
        nodes, weights = np.polynomial.legendre.leggauss(100)
        at = np.concatenate([self._arc((nodes + 1) * np.pi / 2, np.full(100, moon)) for moon in (0, 1)])
        square = ((_points(x)[:, None] - at) ** 2).sum(-1) / self.sd**2
        return np.exp(-square / 2) @ np.tile(weights, 2) / 4 / (2 * np.pi * self.sd**2)

    def reward(self, x: np.ndarray, gamma: float) -> np.ndarray:
        """r(x) = -gamma max(0, distance to the upper arc - r_min) at points (n, 2), nats, (n,)."""
        return distance_reward(self.distances(x)[:, 0], gamma, self.r_min)

    def component(self, x: np.ndarray) -> np.ndarray:
        """0 or 1, the nearer arc of each point (n, 2), or OFF beyond 3 standard deviations of both. (n,)."""
        distance = self.distances(x)
        return np.where(distance.min(1) <= REACH * self.sd, distance.argmin(1), OFF)

    def distances(self, x: np.ndarray) -> np.ndarray:
        """Distance of each point (n, 2) to the upper and to the lower arc, (n, 2)."""
        x = _points(x)
        columns = []
        for moon, side in ((0, 1.0), (1, -1.0)):
            centre = self.radius * np.array([0.0, 0.0] if moon == 0 else [1.0, 0.5])
            ring = np.abs(np.linalg.norm(x - centre, axis=1) - self.radius)
            ends = self._arc(np.array([0.0, np.pi]), np.full(2, moon))
            tip = np.linalg.norm(x[:, None] - ends, axis=-1).min(1)
            columns.append(np.where(side * (x - centre)[:, 1] >= 0, ring, tip))
        return np.stack(columns, axis=1)

    def grid(self, side: int = 121) -> tuple[np.ndarray, np.ndarray]:
        """The law on a grid: points (side^2, 2) and their probabilities (side^2,), which sum to 1."""
        slack = 5 * self.sd
        x = (-self.radius - slack, 2 * self.radius + slack)
        return _grid(self.density, x, (-self.radius / 2 - slack, self.radius + slack), side)

    def _arc(self, angle: np.ndarray, lower: np.ndarray) -> np.ndarray:
        upper_arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        lower_arc = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
        return self.radius * np.where(np.asarray(lower)[:, None] == 1, lower_arc, upper_arc)


def _grid(density, x: tuple, y: tuple, side: int) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN001
    if side < 2:
        raise ValueError(f"side={side} must be 2 or greater")
    points = np.stack(np.meshgrid(np.linspace(*x, side), np.linspace(*y, side)), axis=-1).reshape(-1, 2)
    weight = density(points)
    return points, weight / weight.sum()


def _points(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x must be points of the plane, (n, 2), shape {x.shape} was given")
    return x
