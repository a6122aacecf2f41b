"""Tasks of which many copies are stepped in one array, and one copy of such a task as a gymnasium environment."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from autodidact.environments.control.trajectories import Trajectories

HORIZON = 40
Act = Callable[[np.ndarray, int], np.ndarray]


class Batched(ABC):
    """Many copies of a task, each an episode of `horizon` steps: `state` is (n, ...).

    Seen is what `_seen` gives of a state, with the share of the horizon that is gone behind it. Raises ValueError for
    actions of another shape, not finite or outside [-1, 1], and for a step before a reset or after the end.
    """

    action_size: int
    observation_size: int
    reach: float  # no entry of an observation is larger

    def __init__(self, horizon: int = HORIZON) -> None:
        if horizon < 4:
            raise ValueError(f"horizon={horizon} must be 4 or greater: raters look at quarters")
        self.horizon = horizon
        self.state = np.empty((0, 0))
        self._step = horizon

    @abstractmethod
    def _start(self, n: int, rng: np.random.Generator) -> np.ndarray: ...

    @abstractmethod
    def _advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next state and the rewards (n,)."""

    @abstractmethod
    def _seen(self) -> np.ndarray: ...

    @property
    @abstractmethod
    def positions(self) -> np.ndarray:
        """(n, 2), for raters: no observation holds them."""

    def reset(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Observations (n, d) of n fresh episodes."""
        self.state, self._step = self._start(n, rng), 0
        return self.observed()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """actions: (n, k). Returns observations (n, d) and rewards (n,)."""
        if self._step == self.horizon:
            raise ValueError("step was called before reset, or after the last step of an episode; call reset first")
        self.state, rewards = self._advance(check_actions(actions, (len(self.state), self.action_size)))
        self._step += 1
        return self.observed(), rewards

    def observed(self) -> np.ndarray:
        """(n, d): what is seen now."""
        gone = np.full((len(self.state), 1), self._step / self.horizon)
        return np.concatenate([self._seen(), gone], axis=1)

    def rollout(self, act: Act, n: int, rng: np.random.Generator) -> Trajectories:
        """n episodes. act: observations (n, d) and the number of the step -> actions (n, k)."""
        observations = np.empty((self.horizon + 1, n, self.observation_size))
        actions, rewards = np.empty((self.horizon, n, self.action_size)), np.empty((self.horizon, n))
        positions = np.empty((self.horizon + 1, n, 2))
        observations[0], positions[0] = self.reset(n, rng), self.positions
        for h in range(self.horizon):
            actions[h] = act(observations[h], h)
            observations[h + 1], rewards[h] = self.step(actions[h])
            positions[h + 1] = self.positions
        parts = (array.swapaxes(0, 1) for array in (observations, actions, rewards, positions))
        return Trajectories(*parts, steps=np.ones((n, self.horizon), dtype=bool))


class Single(gymnasium.Env):
    """One copy of a batched task as a gymnasium environment; `info["position"]` is for raters."""

    metadata = {"render_modes": []}

    def __init__(self, many: Batched) -> None:
        self.many, size = many, many.observation_size - 1
        low, high = np.append(np.full(size, -many.reach), 0.0), np.append(np.full(size, many.reach), 1.0)
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=np.float64)
        self.action_space = gymnasium.spaces.Box(-1, 1, (many.action_size,), np.float64)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Observation (d,) and info of a fresh episode."""
        super().reset(seed=seed)
        return self.many.reset(1, self.np_random)[0], self._info()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Observation, reward, False, whether the horizon is reached, and info."""
        actions = check_actions(action, (self.many.action_size,))[None]
        observed, rewards = self.many.step(actions)
        return observed[0], float(rewards[0]), False, bool(observed[0, -1] == 1), self._info()

    def _info(self) -> dict[str, Any]:
        return {"position": self.many.positions[0].copy()}


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
