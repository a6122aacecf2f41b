"""A chain of joints that swims by a wave along it: no single state or action is good, only how neighbours go together.

    w' = 0.85 w + 0.25 (1.2 a - 4 q),    q' = q + 0.25 w'
    reward = mean_i (q'_i w'_{i+1} - q'_{i+1} w'_i) / 2 - 0.2 mean_i a_i^2

q and w are angles and angular speeds of the joints, which springs pull back; a in [-1, 1] are the torques. The reward
is the area that neighbouring angles sweep, forwards if the wave runs from head to tail, less an effort. It is quadratic
in what is seen (q, w, and the share of the horizon that is gone), and 0 on average for whoever stands still. The more
joints, the more products there are of which a reward model must find those of neighbours.
"""

import numpy as np

from autodidact.environments.control.batched import HORIZON, Act, Batched, Single

JOINTS = 4
DAMPING, STEP, TORQUE, SPRING, EFFORT = 0.85, 0.25, 1.2, 4.0, 0.2
START = 0.1  # standard deviation of the first angles and speeds
LENGTH = 0.05  # what a thrust of 1 moves the body by in a step


class Swimmers(Batched):
    """Many swimmers, stepped in one array. state: (n, 2 joints + 1), angles, speeds and place."""

    reach = 5.0

    def __init__(self, horizon: int = HORIZON, joints: int = JOINTS) -> None:
        if joints < 2:
            raise ValueError(f"joints={joints} must be 2 or greater: a wave needs neighbours")
        super().__init__(horizon)
        self.joints, self.action_size, self.observation_size = joints, joints, 2 * joints + 1

    @property
    def positions(self) -> np.ndarray:
        """(n, 2): the place along x, and 0."""
        return np.stack([self.state[:, -1], np.zeros(len(self.state))], axis=1)

    def frames(self, act: Act, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of an episode at `count` evenly spaced steps, (count, 120, 160, 3) uint8, and the steps (count,)."""
        played = self.rollout(act, 1, rng)
        shown = np.linspace(0, self.horizon, count).round().astype(int)
        return np.stack(
            [_picture(played.observations[0, h, : self.joints], played.positions[0, h, 0]) for h in shown]
        ), shown

    def _start(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return np.append(np.clip(START * rng.normal(size=(n, 2 * self.joints)), -1, 1), np.zeros((n, 1)), axis=1)

    def _advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angles, speeds, place = np.split(self.state, (self.joints, 2 * self.joints), axis=1)
        speeds = DAMPING * speeds + STEP * (TORQUE * actions - SPRING * angles)
        angles = angles + STEP * speeds
        thrust = (angles[:, :-1] * speeds[:, 1:] - angles[:, 1:] * speeds[:, :-1]).mean(1) / 2
        state = np.concatenate([angles, speeds, place + LENGTH * thrust[:, None]], axis=1)
        return state, thrust - EFFORT * (actions**2).mean(1)

    def _seen(self) -> np.ndarray:
        return self.state[:, :-1]


class Swimmer(Single):
    """One swimmer as a gymnasium environment."""

    def __init__(self, horizon: int = HORIZON, joints: int = JOINTS) -> None:
        super().__init__(Swimmers(horizon, joints))


def _picture(angles: np.ndarray, place: float) -> np.ndarray:
    """The chain from above, its head ahead to the right, and a line in the water at every length."""
    from PIL import Image, ImageDraw

    headings = np.cumsum(np.append(0.0, angles))
    ends = np.cumsum(110 / len(headings) * np.stack([-np.cos(headings), np.sin(headings)], axis=1), axis=0)
    chain = np.array([140.0, 60.0]) + np.concatenate([np.zeros((1, 2)), ends - ends.mean(0) * (0, 1)])
    image = Image.new("RGB", (160, 120), "white")
    draw = ImageDraw.Draw(image)
    for column in np.arange(-40 * place % 40, 160, 40):
        draw.line([(column, 0), (column, 119)], fill=(200, 220, 240))
    draw.line([tuple(point) for point in chain], fill="black", width=5)
    return np.asarray(image)
