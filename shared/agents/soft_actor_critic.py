"""Soft actor-critic of stable-baselines3, fed with whole episodes and the rewards that somebody else gave them."""

import gymnasium
import numpy as np

from autodidact.agents.reinforce import Task
from autodidact.divergence import check_weights
from autodidact.environments.control import Trajectories
from autodidact.streams import torch_seed


class SoftActorCritic:
    """SAC (Haarnoja et al. 2018): every step goes into the replay buffer with the reward it is given, and keeps it.

    `updates` gradient steps follow each batch of trajectories. Rewards are multiplied by `reward_scale` and divided by
    the standard deviation of the trajectories' sums so far: no method gains or loses by its reward's scale. An episode
    ends at a fall or at the horizon, which the policy sees coming. Seeds the global generators of Python, NumPy
    and torch from `rng`, as stable-baselines3 does, so two of these must not take turns.
    """

    def __init__(
        self,
        task: Task,
        *,
        learning_rate: float,
        hidden: list[int],
        batch_size: int,
        updates: int,
        reward_scale: float,
        rng: np.random.Generator,
    ) -> None:
        from stable_baselines3 import SAC
        from stable_baselines3.common.logger import Logger

        self.task, self.updates, self.reward_scale, self.rng = task, updates, reward_scale, rng
        self._sac = SAC(
            "MlpPolicy",
            _Spaces(task),
            learning_rate=learning_rate,
            batch_size=batch_size,
            policy_kwargs={"net_arch": list(hidden)},
            seed=torch_seed(rng),
            device="cpu",
        )
        self._sac.set_logger(Logger(folder=None, output_formats=[]))
        self._sums: list[float] = []

    def act(self, observations: np.ndarray, step: int) -> np.ndarray:
        """The actions (n, k) that it holds best."""
        return self._sac.predict(observations.astype(np.float32), deterministic=True)[0]

    def rollout(self, n: int) -> Trajectories:
        """n episodes with actions drawn from the policy."""
        return self.task.rollout(lambda seen, h: self._sac.predict(seen.astype(np.float32))[0], n, self.rng)

    def update(self, batch: Trajectories, rewards: np.ndarray) -> None:
        """Store the steps of the batch with `rewards` (n, H) and take the gradient steps.

        Raises ValueError for rewards that are not finite, `Diverged` for weights that are not finite afterwards.
        """
        if rewards.shape != batch.steps.shape or not np.isfinite(rewards).all():
            raise ValueError(f"rewards of shape {rewards.shape} must be finite, of shape {batch.steps.shape}")
        self._sums += rewards.sum(1).tolist()
        scaled = rewards * self.reward_scale / (np.std(self._sums) + 1e-8 if len(self._sums) > 1 else 1.0)
        for i, h in np.argwhere(batch.steps):
            last = h + 1 == batch.steps.shape[1] or not batch.steps[i, h + 1]
            here, there = batch.observations[i, h], batch.observations[i, h + 1]
            step = (here[None], there[None], batch.actions[i, h][None], np.array([scaled[i, h]]), np.array([last]))
            self._sac.replay_buffer.add(*step, [{}])
        try:
            self._sac.train(gradient_steps=self.updates, batch_size=self._sac.batch_size)
        finally:  # torch's distributions refuse NaN in words of their own
            check_weights(self._sac.policy, self.updates)


class _Spaces(gymnasium.Env):
    """What stable-baselines3 must know of a task; it is never stepped."""

    def __init__(self, task: Task) -> None:
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (task.observation_size,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (task.action_size,), np.float32)
