"""From pixels to PPO: a frozen feature extractor, and a batch of games as an environment for stable-baselines3."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from autodidact.agents.imitation import sampled

Reward = Callable[[np.ndarray, np.ndarray], np.ndarray]


class PatchFeatures:
    """Visual features without labels: how near each patch of a frame is to learned prototypes, then principal axes.

    Coates, Lee and Ng 2011 ("An analysis of single-layer networks in unsupervised feature learning"): k-means on
    patches, "triangle" activation max(0, mean distance - distance), without their whitening, since colour is what tells
    cells apart here. Patches lie side by side, centred in the frame. Fit once on frames that serve nothing else, then
    frozen.
    """

    def __init__(
        self, frames: np.ndarray, rng: np.random.Generator, *, patch: int, prototypes: int, components: int
    ) -> None:
        """`frames` (n, height, width, channels) uint8. Raises ValueError where there are too few of them."""
        self.patch = patch
        patches = self._patches(frames).reshape(-1, patch * patch * frames.shape[-1])
        if len(patches) < 10 * prototypes or len(frames) < components:
            raise ValueError(f"{len(frames)} frames are too few for prototypes={prototypes}, components={components}")
        sample = patches[rng.permutation(len(patches))[: 200 * prototypes]]
        self.prototypes = kmeans2(sample, prototypes, minit="++", seed=rng, iter=8)[0].astype(np.float32)
        active = self._activations(frames)
        self.mean = active.mean(0)
        variances, axes = np.linalg.eigh(np.cov(active.T))
        self.axes = axes[:, ::-1][:, :components].astype(np.float32)
        kept = variances[::-1][:components].sum()
        self.kept_variance = float(kept / variances.sum())
        self.scale = np.float32(np.sqrt(components / kept))  # a mean variance of 1

    @property
    def dim(self) -> int:
        """Number of features of a frame."""
        return self.axes.shape[1]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Features (n, dim) float32 of frames (n, height, width, channels) uint8."""
        return (self._activations(frames) - self.mean) @ self.axes * self.scale

    def _patches(self, frames: np.ndarray) -> np.ndarray:
        """(n, rows, columns, patch * patch * channels) float32 in [0, 1]."""
        n, height, width, channels = frames.shape
        rows, columns, p = height // self.patch, width // self.patch, self.patch
        top, left = (height - rows * p) // 2, (width - columns * p) // 2
        inner = frames[:, top : top + rows * p, left : left + columns * p]
        cut = inner.reshape(n, rows, p, columns, p, channels).transpose(0, 1, 3, 2, 4, 5)
        return cut.reshape(n, rows, columns, -1).astype(np.float32) / 255

    def _activations(self, frames: np.ndarray) -> np.ndarray:
        x = self._patches(frames)
        x = x.reshape(len(frames), -1, x.shape[-1])
        squares = (x**2).sum(-1, keepdims=True) - 2 * x @ self.prototypes.T + (self.prototypes**2).sum(-1)
        away = np.sqrt(np.maximum(squares, 0))
        return np.maximum(away.mean(-1, keepdims=True) - away, 0).reshape(len(frames), -1)


class FeatureEnv(VecEnv):
    """A batch of games of fixed length as stable-baselines3 wants it: what is observed are features of the last frames.

    `game` has `batch`, `reset()` and `step(actions)`, as `environments.game.VectorGame` has; all its episodes end
    together. `reward` maps the features (batch, dim) before and after a step to rewards (batch,). `transitions` holds
    what was seen since `take` was called last.
    """

    def __init__(self, game: Any, features: PatchFeatures, reward: Reward, *, actions: int, stack: int = 2) -> None:
        dim = features.dim * stack
        space = gymnasium.spaces.Box(-np.inf, np.inf, (dim,), np.float32)
        self.game, self.features, self.reward, self.stack = game, features, reward, stack
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []
        self._actions = np.zeros(game.batch, np.int64)
        super().__init__(game.batch, space, gymnasium.spaces.Discrete(actions))

    def reset(self) -> np.ndarray:
        """The first observations (batch, dim * stack): the first frame, repeated."""
        first = self.features(self.game.reset()[0])
        self._last = [first] * self.stack
        return self._observation()

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = np.asarray(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Observations, rewards, whether episodes ended, and for those that did their last observation."""
        frames, _, _, truncated, _ = self.game.step(self._actions)
        before, after = self._last[-1], self.features(frames)
        self._seen.append((before, after))
        self._last = [*self._last[1:], after]
        rewards, last = self.reward(before, after).astype(np.float32), self._observation()
        if not truncated.all():
            return last, rewards, truncated, [{} for _ in range(self.num_envs)]
        ends = [{"terminal_observation": x, "TimeLimit.truncated": True} for x in last]
        return self.reset(), rewards, truncated, ends

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        """Transitions (n, dim), (n, dim) since the last call, oldest first."""
        before, after = (np.concatenate(side) for side in zip(*self._seen, strict=True))
        self._seen.clear()
        return before, after

    def _observation(self) -> np.ndarray:
        return np.concatenate(self._last, 1)

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute of the game, once a game of the batch."""
        return [getattr(self.game, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not offered: games of a batch share their attributes."""
        raise NotImplementedError("the games of a batch share their attributes")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Not offered: games of a batch are stepped together."""
        raise NotImplementedError("the games of a batch are stepped together")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No game is wrapped."""
        return [False] * self.num_envs


class Logbook:
    """A batch of games that writes down, step by step, what measures: `positions` (B, 2), `bugs` (B, bugs) triggered.

    The player sees neither. A bug that shows at the start of an episode counts for its first step.
    """

    def __init__(self, game: Any) -> None:
        self.game, self.batch = game, game.batch
        self.positions: list[np.ndarray] = []
        self.bugs: list[np.ndarray] = []
        self._at_start: np.ndarray | bool = False

    def reset(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As the game's."""
        frames, info = self.game.reset()
        self._at_start = info["bugs"]
        return frames, info

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        """As the game's; the position after the step and the bugs that it triggered are noted."""
        outcome = self.game.step(actions)
        self.positions.append(outcome[-1]["position"])
        self.bugs.append(outcome[-1]["bugs"] | self._at_start)
        self._at_start = False
        return outcome


def acting(model: BaseAlgorithm, rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A trained policy as a function of the features before and now, (batch, dim) each, to sampled actions (batch,)."""

    def act(previous: np.ndarray, z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            seen = torch.as_tensor(np.concatenate([previous, z], 1))
            return sampled(model.policy.get_distribution(seen).distribution.probs.numpy(), rng)

    return act


class AfterRollout(BaseCallback):
    """Calls a function when a rollout has been collected and before PPO learns from it."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__()
        self._function = function

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self._function()
