"""Play: B towns stepped in one NumPy array, and a single one as a `gymnasium.Env`.

The reward is always 0: what is worth a reward is the paper's business. An episode has a fixed length and does not end
at the exit. What only measures (position, bugs, touched sides) is in `info` and never in the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from autodidact.environments.game.render import PIXELS, REACH, Windows
from autodidact.environments.game.towns import (
    CRATE,
    FLICKER,
    FLOOR,
    MOVES,
    OPPOSITE,
    VOID,
    WALKABLE,
    Knobs,
    town,
)  # fmt: skip

ACTIONS = ("up", "down", "left", "right", "interact")
INTERACT = 4
ALL_SIDES = 0b1111
_NEVER = -1
_MOVE = np.vstack([MOVES, (0, 0)])


@dataclass
class State:
    """All that changes in an episode, for B towns; arrays have B as their first axis."""

    position: np.ndarray  # (B, 2)
    facing: np.ndarray  # (B,) 0 to 3
    stuck: np.ndarray  # (B,) bool
    look: np.ndarray  # (B, N, N)
    kind: np.ndarray  # (B, N, N): crates may vanish
    visited: np.ndarray  # (B, N, N) bool
    touched: np.ndarray  # (B, crates) bit masks of sides
    found: np.ndarray  # (B, bugs) step at which a bug was triggered first, -1 never
    steps: int

    def copy(self) -> "State":
        """A state that shares no array with this one."""
        return State(**{k: v.copy() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()})


class VectorGame:
    """B towns at once. `towns` are the maps; `state` may be read by whoever measures, never by who plays."""

    def __init__(self, map_seeds: Sequence[int], knobs: Knobs) -> None:
        if not len(map_seeds):
            raise ValueError("map_seeds is empty: give one seed a town")
        self.knobs, self.towns = knobs, [town(int(s), knobs) for s in map_seeds]
        self.batch = len(self.towns)
        self._windows = Windows([t.seed for t in self.towns], knobs.scale)
        self._b = np.arange(self.batch)
        self._kind = np.stack([t.kind for t in self.towns]).astype(np.int64)
        self._look = np.stack([t.look for t in self.towns]).astype(np.int64)
        self._room = np.stack([t.room for t in self.towns])
        self._flickers = self._look == FLICKER
        self._index_things()
        self.state = self._start()

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Pixels of a window: (32, 32, 3) times `scale`."""
        return (PIXELS * self.knobs.scale, PIXELS * self.knobs.scale, 3)

    def reset(self, rng: np.random.Generator | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All players at their start, facing down, or with `rng` anywhere; windows (B, ...) and info."""
        self.state = self._start()
        if rng is not None:
            self.state.facing = rng.integers(4, size=self.batch)
        self._see()
        return self.render(), self._info(np.zeros(self.batch, bool), self.state.found == 0)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """One action (B,) a player: windows, rewards (all 0), terminated (never), truncated (at the horizon), info.

        Raises ValueError for actions of another shape or outside 0 to 4.
        """
        actions = np.asarray(actions)
        if actions.shape != (self.batch,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions of shape {actions.shape} and type {actions.dtype} must be ({self.batch},) integers"
            )
        if actions.min() < 0 or actions.max() > INTERACT:
            wrong = actions[(actions < 0) | (actions > INTERACT)][0]
            raise ValueError(f"actions has {wrong}, must be 0 to {INTERACT}: {', '.join(ACTIONS)}")
        s, before = self.state, self.state.found >= 0
        s.steps += 1
        moves = actions != INTERACT
        s.facing = np.where(moves, actions, s.facing)
        ahead = s.position + MOVES[s.facing]
        there = self._b, ahead[:, 0], ahead[:, 1]
        goes = moves & ~s.stuck & (WALKABLE[s.kind[there]] | self._hole[there])
        s.position = np.where(goes[:, None], ahead, s.position)
        s.stuck &= moves
        self._touch(there, ~moves)
        here = self._b, s.position[:, 0], s.position[:, 1]
        s.stuck |= goes & self._sticky[here]
        new = ~s.visited[here]
        s.visited[here] = True
        self._trigger(self._entered[here], goes)
        self._see()
        if self.knobs.animated:
            s.look[self._flickers] = FLICKER + s.steps % 2
        truncated = np.full(self.batch, s.steps >= self.knobs.horizon)
        none = np.zeros(self.batch)
        return self.render(), none, np.zeros(self.batch, bool), truncated, self._info(new, (s.found >= 0) & ~before)

    def render(self) -> np.ndarray:
        """The windows (B, pixels, pixels, 3) of the present state."""
        return self._windows.draw(self.state.look, self.state.position, self.state.facing)

    def get_state(self) -> State:
        """A copy of the state, for `set_state`."""
        return self.state.copy()

    def set_state(self, state: State) -> None:
        """Go on from a state that `get_state` gave, of these towns. ValueError if it is of another batch."""
        if state.position.shape != (self.batch, 2):
            raise ValueError(f"state of positions {state.position.shape} must be of ({self.batch}, 2)")
        self.state = state.copy()

    def _start(self) -> State:
        start = np.array([t.start for t in self.towns])
        visited = np.zeros(self._kind.shape, bool)
        visited[self._b, start[:, 0], start[:, 1]] = True
        return State(
            position=start,
            facing=np.ones(self.batch, np.int64),
            stuck=np.zeros(self.batch, bool),
            look=self._look.copy(),
            kind=self._kind.copy(),
            visited=visited,
            touched=np.zeros((self.batch, self.knobs.n_crates), np.int64),
            found=np.full((self.batch, self.knobs.n_bugs), _NEVER),
            steps=0,
        )

    def _index_things(self) -> None:
        """What lies where: holes and sticky cells, the bug that a cell triggers when entered, crates and their bugs."""
        shape = self._kind.shape
        self._hole, self._sticky = np.zeros(shape, bool), np.zeros(shape, bool)
        self._entered, self._crate = np.full(shape, -1), np.full(shape, -1)
        self._crates = np.array([t.crates for t in self.towns])
        self._vanish_bug = np.full((self.batch, self.knobs.n_crates), -1)
        self._vanish_side = np.full((self.batch, self.knobs.n_crates), -1)
        self._glitches = []  # (bug, which towns, their cells)
        for b, t in enumerate(self.towns):
            for number, cell in enumerate(t.crates):
                self._crate[(b, *cell)] = number
            for number, bug in enumerate(t.bugs):
                cell = (b, *bug.place)
                if bug.kind == "vanish":
                    self._vanish_bug[b, self._crate[cell]], self._vanish_side[b, self._crate[cell]] = number, bug.side
                elif bug.kind != "wrong_texture":
                    self._entered[cell] = number
                    (self._hole if bug.kind == "hole" else self._sticky)[cell] = True
        for number in range(self.knobs.n_bugs):
            if self.towns[0].bugs[number].kind == "wrong_texture":
                self._glitches.append((number, np.array([t.bugs[number].place for t in self.towns])))

    def _touch(self, there: tuple[np.ndarray, ...], interacts: np.ndarray) -> None:
        """Note the side from which a crate is touched; one with the bug vanishes when it is touched from there."""
        s, crate = self.state, self._crate[there]
        touches = np.flatnonzero(interacts & (crate >= 0) & (s.kind[there] == CRATE))
        side = OPPOSITE[s.facing]
        s.touched[touches, crate[touches]] |= 1 << side[touches]
        gone = touches[self._vanish_side[touches, crate[touches]] == side[touches]]
        cells = tuple(axis[gone] for axis in there)
        s.kind[cells] = s.look[cells] = FLOOR
        bugs = np.full(self.batch, -1)
        bugs[gone] = self._vanish_bug[gone, crate[gone]]
        self._trigger(bugs, bugs >= 0)

    def _see(self) -> None:
        """A wrong texture is found when it comes into view."""
        for number, place in self._glitches:
            seen = np.abs(self.state.position - place).max(1) <= REACH
            self._trigger(np.full(self.batch, number), seen)

    def _trigger(self, bug: np.ndarray, when: np.ndarray) -> None:
        rows = np.flatnonzero(when & (bug >= 0))
        first = rows[self.state.found[rows, bug[rows]] == _NEVER]
        self.state.found[first, bug[first]] = self.state.steps

    def _info(self, new: np.ndarray, triggered: np.ndarray) -> dict[str, np.ndarray]:
        """What measures: all arrays (B, ...). `bugs` are those triggered in this step, `bug` the first, -1 for none."""
        s = self.state
        nearest = np.abs(self._crates - s.position[:, None]).sum(-1).argmin(1)
        kind = s.kind[self._b, s.position[:, 0], s.position[:, 1]]
        bug = np.where(triggered.any(1), triggered.argmax(1), -1) if self.knobs.n_bugs else np.full(self.batch, -1)
        return {
            "position": s.position.copy(),
            "room": self._room[self._b, s.position[:, 0], s.position[:, 1]],
            "new_cell": new,
            "bug": bug,
            "bugs": triggered,
            "inspected": s.touched[self._b, nearest],
            "in_void": (kind == VOID) | self._hole[self._b, s.position[:, 0], s.position[:, 1]],
        }


class Game(gymnasium.Env):
    """One town as a `gymnasium.Env`: a batch of one. `vector` is that batch."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}

    def __init__(self, map_seed: int, knobs: Knobs) -> None:
        self.vector, self.render_mode = VectorGame([map_seed], knobs), "rgb_array"
        self.observation_space = gymnasium.spaces.Box(0, 255, self.vector.observation_shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The start of the town; the seed decides where the player faces."""
        super().reset(seed=seed)
        obs, info = self.vector.reset(self.np_random)
        return obs[0], {name: value[0] for name, value in info.items()}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One action 0 to 4; ValueError for any other."""
        if not self.action_space.contains(action):
            raise ValueError(f"action={action!r} must be 0 to {INTERACT}: {', '.join(ACTIONS)}")
        obs, _, terminated, truncated, info = self.vector.step(np.array([action]))
        return obs[0], 0.0, bool(terminated[0]), bool(truncated[0]), {name: value[0] for name, value in info.items()}

    def render(self) -> np.ndarray:
        """The present window."""
        return self.vector.render()[0]


def make_vector(map_seeds: Sequence[int], **knobs: Any) -> VectorGame:
    """The towns of these seeds, stepped as one; for `knobs` see `Knobs`."""
    return VectorGame(map_seeds, Knobs(**knobs))


def make(map_seed: int, **knobs: Any) -> Game:
    """The town of a seed as a `gymnasium.Env`; for `knobs` see `Knobs`."""
    return Game(map_seed, Knobs(**knobs))
