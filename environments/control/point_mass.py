"""A point mass on a plane that is paid for speed along x, as MuJoCo's runners are: for one and for many at a time.

    v' = 0.8 v + 0.2 a,    x' = x + 0.05 v',    reward = v'_x - 0.1 |a|^2

with actions a in [-1, 1]^2, so that speed stays below 1. Position is not observed, as in MuJoCo's Hopper or Ant; seen
are velocity and the share of the horizon that is gone. An episode always has `horizon` steps.
"""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from autodidact.environments.control.trajectories import Trajectories

INERTIA, SPEED, EFFORT = 0.8, 0.05, 0.1
START = (0.02, 0.1)  # standard deviations of the first position and velocity
HORIZON = 40
Act = Callable[[np.ndarray, int], np.ndarray]


def advance(state: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step. state: (..., 4), position and velocity; action: (..., 2). Returns the next state and rewards (...)."""
    velocity = INERTIA * state[..., 2:] + (1 - INERTIA) * action
    position = state[..., :2] + SPEED * velocity
    reward = velocity[..., 0] - EFFORT * (action**2).sum(-1)
    return np.concatenate([position, velocity], axis=-1), reward


def start(n: int, rng: np.random.Generator) -> np.ndarray:
    """States (n, 4) near the origin, nearly at rest."""
    return np.clip(rng.normal(size=(n, 4)) * np.repeat(START, 2), -1, 1)


def check_actions(actions: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The actions as floats of the given shape; ValueError that names what is wrong with them."""
    try:
        values = np.asarray(actions, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"action={actions!r} must be numbers of shape {shape}") from None
    if values.shape != shape:
        raise ValueError(f"action has shape {values.shape}, must be {shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"action has {np.count_nonzero(~np.isfinite(values))} entries that are not finite")
    if np.abs(values).max(initial=0) > 1 + 1e-6:
        raise ValueError(f"action has an entry of size {np.abs(values).max():.3g}, must lie in [-1, 1]")
    return values


class PointMass(gymnasium.Env):
    """One point mass as a gymnasium environment; `info["position"]` is for raters.

    Raises ValueError for an action of another shape, not finite or outside [-1, 1], and for a step before a reset or
    after the end.
    """

    metadata = {"render_modes": []}

    def __init__(self, horizon: int = HORIZON) -> None:
        self.horizon = _checked(horizon)
        self.observation_space = gymnasium.spaces.Box(np.array([-1.0, -1.0, 0.0]), np.ones(3), dtype=np.float64)
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float64)
        self._state: np.ndarray | None = None
        self._step = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Observation (3,) and info of a fresh episode."""
        super().reset(seed=seed)
        self._state, self._step = start(1, self.np_random)[0], 0
        return self._observed()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Observation, reward, False, whether the horizon is reached, and info."""
        if self._state is None or self._step == self.horizon:
            raise ValueError("step was called before reset, or after the last step of an episode; call reset first")
        self._state, reward = advance(self._state, check_actions(action, (2,)))
        self._step += 1
        observation, info = self._observed()
        return observation, float(reward), False, self._step == self.horizon, info

    def _observed(self) -> tuple[np.ndarray, dict[str, Any]]:
        return np.append(self._state[2:], self._step / self.horizon), {"position": self._state[:2].copy()}


class PointMasses:
    """Many point masses, stepped in one array: the batched form of `PointMass`, with the same errors."""

    action_size, observation_size = 2, 3

    def __init__(self, horizon: int = HORIZON) -> None:
        self.horizon = _checked(horizon)
        self.state = np.empty((0, 4))
        self._step = self.horizon

    def reset(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Observations (n, 3) of n fresh episodes."""
        self.state, self._step = start(n, rng), 0
        return self._observed()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """actions: (n, 2). Returns observations (n, 3) and rewards (n,)."""
        if self._step == self.horizon:
            raise ValueError("step was called before reset, or after the last step of an episode; call reset first")
        self.state, rewards = advance(self.state, check_actions(actions, (len(self.state), 2)))
        self._step += 1
        return self._observed(), rewards

    def rollout(self, act: Act, n: int, rng: np.random.Generator) -> Trajectories:
        """n episodes. act: observations (n, 3) and the number of the step -> actions (n, 2)."""
        observations = np.empty((self.horizon + 1, n, 3))
        actions, rewards = np.empty((self.horizon, n, 2)), np.empty((self.horizon, n))
        positions = np.empty((self.horizon + 1, n, 2))
        observations[0], positions[0] = self.reset(n, rng), self.state[:, :2]
        for h in range(self.horizon):
            actions[h] = act(observations[h], h)
            observations[h + 1], rewards[h] = self.step(actions[h])
            positions[h + 1] = self.state[:, :2]
        parts = (array.swapaxes(0, 1) for array in (observations, actions, rewards, positions))
        return Trajectories(*parts, steps=np.ones((n, self.horizon), dtype=bool))

    def frames(self, act: Act, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of an episode at `count` evenly spaced steps, (count, 120, 160, 3) uint8, and the steps (count,)."""
        path = self.rollout(act, 1, rng).positions[0]
        shown = np.linspace(0, self.horizon, count).round().astype(int)
        return np.stack([_picture(path[: h + 1]) for h in shown]), shown

    def _observed(self) -> np.ndarray:
        gone = np.full((len(self.state), 1), self._step / self.horizon)
        return np.concatenate([self.state[:, 2:], gone], axis=1)


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


def _checked(horizon: int) -> int:
    if horizon < 4:
        raise ValueError(f"horizon={horizon} must be 4 or greater: raters look at quarters")
    return horizon
