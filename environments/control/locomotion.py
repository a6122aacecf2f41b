"""MuJoCo's runners through gymnasium (Hopper-v5, Walker2d-v5, Ant-v5, ...), as tasks that give whole trajectories."""

import copy
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes.util import find_library

import gymnasium
import numpy as np

from autodidact.environments.control.batched import Act, check_actions
from autodidact.environments.control.trajectories import Trajectories

HORIZON = 200  # gymnasium's own limit is 1,000 steps
WIDTH, HEIGHT = 160, 120  # pixels of a picture
LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa"}  # ways of drawing off screen that MUJOCO_GL knows, the best first


class Locomotion:
    """A gymnasium task with actions in a box; episodes end at a fall or after `horizon` steps.

    Observations are gymnasium's with the share of the horizon that is gone behind them, since what a rater says of a
    whole trajectory is no function of the state alone. Actions are in [-1, 1], scaled to the task's box. Positions are
    those of the body: (x, y) where the task has both, else (x, height).
    """

    def __init__(self, name: str, horizon: int = HORIZON) -> None:
        if horizon < 4:
            raise ValueError(f"horizon={horizon} must be 4 or greater: raters look at quarters")
        try:
            _choose_renderer()
            with _quiet():
                self.env = gymnasium.make(
                    name, max_episode_steps=horizon, render_mode="rgb_array", width=WIDTH, height=HEIGHT
                )
        except gymnasium.error.Error as error:
            raise ValueError(f"task={name!r} is unknown to gymnasium: {' '.join(str(error).split())}") from None
        except TypeError:  # it takes no size of its pictures
            raise ValueError(f"task={name!r} must be one of MuJoCo's, such as Hopper-v5") from None
        box = self.env.action_space
        if not isinstance(box, gymnasium.spaces.Box) or not np.isfinite([box.low, box.high]).all():
            raise ValueError(f"task={name!r} must have actions in a finite box, not in {box}")
        self.horizon = horizon
        self.action_size, self.observation_size = box.shape[0], self.env.observation_space.shape[0] + 1
        self._middle, self._reach = (box.high + box.low) / 2, (box.high - box.low) / 2

    def rollout(self, act: Act, n: int, rng: np.random.Generator) -> Trajectories:
        """n episodes, one after the other. act: observations (1, d) and the number of the step -> actions (1, k)."""
        episodes = [self._episode(act, rng) for _ in range(n)]
        return Trajectories(*(np.stack(parts) for parts in zip(*episodes, strict=True)))

    def frames(self, act: Act, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of one episode at `count` evenly spaced steps, (count, 120, 160, 3) uint8, and the steps (count,).

        `act` must be deterministic: the episode is played twice, first to learn how long it is, since drawing is slow.
        Rendered off screen, as the environment's MUJOCO_GL says, else by EGL or OSMesa. Where the machine cannot, the
        pictures say so in words: a film must not cost the training that led to it.
        """
        length = self._episode(act, copy.deepcopy(rng))[-1].sum()
        shown = np.linspace(0, length - 1, count).round().astype(int)
        pictures: dict[int, np.ndarray] = {}

        def draw(h: int) -> None:
            if h in shown:
                pictures[h] = self._picture()

        self._episode(act, rng, before=draw)
        return np.stack([pictures[h] for h in shown]), shown

    def _episode(
        self, act: Act, rng: np.random.Generator, before: Callable[[int], None] = lambda h: None
    ) -> tuple[np.ndarray, ...]:
        """Observations, actions, rewards, positions and steps of one episode, padded to the horizon.

        before: called with the number of every step before it is taken.
        """
        observations = np.zeros((self.horizon + 1, self.observation_size))
        actions, rewards = np.zeros((self.horizon, self.action_size)), np.zeros(self.horizon)
        positions, steps = np.zeros((self.horizon + 1, 2)), np.zeros(self.horizon, dtype=bool)
        observed, _ = self.env.reset(seed=int(rng.integers(2**31)))
        ended, h = False, 0
        observations[0], positions[0] = np.append(observed, 0.0), self._position()
        while not ended:
            before(h)
            actions[h] = check_actions(act(observations[h : h + 1], h), (1, self.action_size))[0]
            action = (self._middle + self._reach * actions[h]).astype(np.float32)
            observed, rewards[h], fallen, late, _ = self.env.step(action)
            steps[h], h = True, h + 1
            observations[h], positions[h] = np.append(observed, h / self.horizon), self._position()
            ended = fallen or late
        observations[h:], positions[h:] = observations[h], positions[h]
        return observations, actions, rewards, positions, steps

    def _picture(self) -> np.ndarray:
        try:
            return self.env.render()
        except Exception:  # each way of drawing fails in its own words, none of which says what to do
            return _placard(f"MuJoCo cannot draw\nMUJOCO_GL={os.environ.get('MUJOCO_GL')}\nset it to egl or osmesa")

    def _position(self) -> np.ndarray:
        return np.array(self.env.unwrapped.data.qpos[:2])


def _choose_renderer() -> None:
    """On Linux, set MUJOCO_GL where it is not: without it MuJoCo wants a screen. It is read when MuJoCo is imported."""
    found = [name for name, library in LIBRARIES.items() if find_library(library)]
    if sys.platform == "linux" and found:
        os.environ.setdefault("MUJOCO_GL", found[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """While a model is built MuJoCo says nothing: gymnasium's own files have words that it deprecates."""
    import mujoco  # only here, when it is known how to draw

    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda text: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def _placard(text: str) -> np.ndarray:
    """A grey picture (120, 160, 3) uint8 with words on it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), "lightgrey")
    ImageDraw.Draw(image).multiline_text((8, 36), text, fill="black")
    return np.asarray(image)
