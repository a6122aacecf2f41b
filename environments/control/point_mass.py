"""A point mass on a plane that is paid for speed along x, as MuJoCo's runners are: for one and for many at a time.

    v' = 0.8 v + 0.2 a,    x' = x + 0.05 v',    reward = v'_x - 0.1 |a|^2

with actions a in [-1, 1]^2, so that speed stays below 1. Position is not observed, as in MuJoCo's Hopper or Ant; seen
are velocity and the share of the horizon that is gone. An episode always has `horizon` steps.
"""

import numpy as np

from autodidact.environments.control.batched import HORIZON, Act, Batched, Single

INERTIA, SPEED, EFFORT = 0.8, 0.05, 0.1
START = (0.02, 0.1)  # standard deviations of the first position and velocity


def advance(state: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step. state: (..., 4), position and velocity; action: (..., 2). Returns the next state and rewards (...)."""
    velocity = INERTIA * state[..., 2:] + (1 - INERTIA) * action
    position = state[..., :2] + SPEED * velocity
    reward = velocity[..., 0] - EFFORT * (action**2).sum(-1)
    return np.concatenate([position, velocity], axis=-1), reward


def start(n: int, rng: np.random.Generator) -> np.ndarray:
    """States (n, 4) near the origin, nearly at rest."""
    return np.clip(rng.normal(size=(n, 4)) * np.repeat(START, 2), -1, 1)


class PointMasses(Batched):
    """Many point masses, stepped in one array. state: (n, 4), position and velocity."""

    action_size, observation_size, reach = 2, 3, 1.0

    @property
    def positions(self) -> np.ndarray:
        """(n, 2)."""
        return self.state[:, :2]

    def frames(self, act: Act, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of an episode at `count` evenly spaced steps, (count, 120, 160, 3) uint8, and the steps (count,)."""
        path = self.rollout(act, 1, rng).positions[0]
        shown = np.linspace(0, self.horizon, count).round().astype(int)
        return np.stack([_picture(path[: h + 1]) for h in shown]), shown

    def _start(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return start(n, rng)

    def _advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return advance(self.state, actions)

    def _seen(self) -> np.ndarray:
        return self.state[:, 2:]


class PointMass(Single):
    """One point mass as a gymnasium environment."""

    def __init__(self, horizon: int = HORIZON) -> None:
        super().__init__(PointMasses(horizon))


def _picture(path: np.ndarray) -> np.ndarray:
    """The plane from above, 70 pixels a length: a line at every whole x, the path in grey, the mass in black."""
    y, x = np.mgrid[0:120, 0:160]
    image = np.full((120, 160, 3), 255, dtype=np.uint8)
    image[(x - 20) % 70 == 0] = (200, 220, 240)
    columns, rows = 20 + 70 * path[:, 0], 60 - 70 * path[:, 1]
    for radius, colour, some in ((1.5, 150, slice(None)), (5, 0, slice(-1, None))):
        distance = (x[..., None] - columns[some]) ** 2 + (y[..., None] - rows[some]) ** 2
        image[(distance <= radius**2).any(-1)] = colour
    return image
