"""REINFORCE with a Gaussian policy that is linear in its features: the smallest learner for continuous actions."""

from typing import Protocol

import numpy as np

from autodidact.environments.control import Trajectories


class Task(Protocol):
    """A world of whole episodes."""

    horizon: int
    observation_size: int
    action_size: int

    def rollout(self, act: object, n: int, rng: np.random.Generator) -> Trajectories:
        """n episodes of the policy `act`."""


class Reinforce:
    """Actions are clip(W' phi(s) + sigma z) to [-1, 1], where phi holds 1, the observation, and bumps over time.

    One update is a step of Adam (Kingma and Ba 2015) on sum_h A_h z_h phi_h / sigma: A_h is the reward from step h on,
    less its mean over the batch, all divided by their standard deviation, so that a reward's scale does not matter.
    W starts at 0. The last entry of an observation is the share of the horizon that is gone. `played` holds phi
    (H, n, f) and z (H, n, k) of the latest rollout, None before the first.
    """

    def __init__(self, task: Task, *, learning_rate: float, sigma: float, bumps: int, rng: np.random.Generator) -> None:
        if not learning_rate > 0 or not sigma > 0 or bumps < 2:
            raise ValueError(f"learning_rate={learning_rate}, sigma={sigma} must be positive, bumps={bumps} at least 2")
        self.task, self.sigma, self.rng = task, sigma, rng
        self._centres = np.linspace(0, 1, bumps)
        self.weights = np.zeros((task.observation_size + bumps, task.action_size))
        self._adam = Adam(learning_rate, self.weights.shape)
        self.played: tuple[np.ndarray, np.ndarray] | None = None

    def act(self, observations: np.ndarray, step: int) -> np.ndarray:
        """The mean actions (n, k), without noise."""
        return np.clip(self._features(observations) @ self.weights, -1, 1)

    def rollout(self, n: int) -> Trajectories:
        """n episodes with exploring actions, be they played together or one after the other."""
        horizon, size = self.task.horizon, self.task.action_size
        noise = self.rng.normal(size=(horizon, n, size))
        features = np.zeros((horizon, n, len(self.weights)))
        begun = 0

        def act(observations: np.ndarray, h: int) -> np.ndarray:
            nonlocal begun
            begun += len(observations) if h == 0 else 0
            playing = slice(begun - len(observations), begun)
            features[h, playing] = self._features(observations)
            return np.clip(features[h, playing] @ self.weights + self.sigma * noise[h, playing], -1, 1)

        batch = self.task.rollout(act, n, self.rng)
        self.played = features, noise
        return batch

    def update(self, batch: Trajectories, rewards: np.ndarray) -> None:
        """One step. batch: the latest rollout; rewards: (n, H), or ValueError if of another shape or not finite."""
        features, noise = self.played if self.played is not None else (np.empty((0, 0, 0)),) * 2
        if rewards.shape != features.shape[1::-1] or not np.isfinite(rewards).all():
            raise ValueError(f"rewards of shape {rewards.shape} must be finite, one a step of the latest rollout")
        ahead = rewards[:, ::-1].cumsum(1)[:, ::-1]
        advantage = ahead - ahead.mean(0)
        advantage /= advantage.std() + 1e-8
        gradient = np.einsum("nh,hnf,hnk->fk", advantage, features, noise, optimize=True) / (self.sigma * len(batch))
        self.weights = self.weights + self._adam.step(gradient)

    def _features(self, observations: np.ndarray) -> np.ndarray:
        """(n, 1 + d - 1 + bumps)."""
        state, gone = observations[:, :-1], observations[:, -1:]
        bumps = np.exp(-0.5 * ((gone - self._centres) * (len(self._centres) - 1)) ** 2)
        return np.concatenate([np.ones_like(gone), state, bumps], axis=1)


class Adam:
    """Adam on one array, with its usual decays: `step` takes a gradient to climb and gives what to add."""

    def __init__(self, learning_rate: float, shape: tuple[int, ...]) -> None:
        self.learning_rate, self.count = learning_rate, 0
        self.first, self.second = np.zeros(shape), np.zeros(shape)

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The step uphill."""
        self.count += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first, second = self.first / (1 - 0.9**self.count), self.second / (1 - 0.999**self.count)
        return self.learning_rate * first / (np.sqrt(second) + 1e-8)
