"""Play: players on Freedoom maps, each in a game of ViZDoom, stepped as one; and a single one as a `gymnasium.Env`.

First person, 84 x 84 grey, one action for `frame_skip` tics, no monsters. The reward is always 0, an episode has a
fixed length, and who has left the level or died stays where he was. Position, bugs and sides are for measuring.
"""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import vizdoom

from autodidact.environments.game.doom import games
from autodidact.environments.game.doom.levels import REACH, level, side_of

ACTIONS = ("forward", "backward", "turn left", "turn right", "use")
FORWARD, BACKWARD, LEFT, RIGHT, USE = range(5)
BUGS = ("stuck near the path", "stuck far from it")
ALL_SIDES = 0b1111
TURN = 22.5  # degrees an action
PIXELS = 84
_AHEAD = 40  # degrees either way within which a thing can be touched
_WAKE = 10  # tics after the start of an episode in which the game does not listen yet
_LEAST = 12  # pixels of height from which a thing counts as seen


@dataclass(frozen=True)
class Knobs:
    """`horizon` of an episode in actions, `frame_skip` in tics (35 a second) an action."""

    horizon: int = 300
    frame_skip: int = 4

    def __post_init__(self) -> None:
        for name in ("horizon", "frame_skip"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be 1 or greater")


@dataclass
class State:
    """What measures, for B players: `place` (B, 2) and `heading` (B,) in map units and degrees, `position` in cells.

    `touched` (B, things) bit masks of sides, `things` (B,) how many there are, `stuck` (B,), `found` (B, bugs) the step
    at which a bug was met first or -1, `steps`.
    """

    place: np.ndarray
    heading: np.ndarray
    position: np.ndarray
    touched: np.ndarray
    things: np.ndarray
    stuck: np.ndarray
    found: np.ndarray
    steps: int = 0

    def copy(self) -> "State":
        """A state that shares no array with this one."""
        return State(**{k: v.copy() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()})


class VectorDoom:
    """A player a map number, stepped one after the other; the methods are those of `VectorGame`.

    Each game is a process, which ends when this object is closed or collected. The newest `VectorDoom` takes the games
    of its maps from those made before; an older one that is stepped again raises RuntimeError.
    """

    def __init__(self, map_seeds: Sequence[int], knobs: Knobs) -> None:
        if not len(map_seeds):
            raise ValueError("map_seeds is empty: give one map a player")
        numbers = [int(n) for n in map_seeds]
        self.knobs, self.batch, self.towns = knobs, len(numbers), [level(n) for n in numbers]
        self._owner, self._episodes = object(), 0
        self._keys = games.take(numbers, self._owner)
        self._end = weakref.finalize(self, games.end, self._keys, self._owner)
        self._start()

    def close(self) -> None:
        """End the games, as far as no later players have them; to step again raises RuntimeError."""
        self._end()

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Pixels of a frame."""
        return PIXELS, PIXELS, 1

    def reset(self, rng: np.random.Generator | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All players at their start, or with `rng` each at any node he could walk to; frames and info."""
        self._start()
        if rng is not None:
            nodes = [rng.choice(np.argwhere(place.nodes)) for place in self.towns]
            self._put(
                np.stack([place.position(n) for place, n in zip(self.towns, nodes, strict=True)]),
                rng.uniform(0, 360, self.batch),
            )
        return self.render(), self._info(np.full(self.batch, -1))

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """One action (B,) a player: frames (B, 84, 84, 1), rewards 0, terminated (never), truncated, info.

        Raises ValueError for actions of another shape or outside 0 to 4.
        """
        actions, s = np.asarray(actions), self.state
        if actions.shape != (self.batch,) or actions.min() < 0 or actions.max() >= len(ACTIONS):
            raise ValueError(f"actions={actions!r} must be {self.batch} of 0 to {len(ACTIONS) - 1}: {ACTIONS}")
        s.steps += 1
        s.stuck &= actions != USE
        before = s.position
        s.place, s.heading, s.position = s.place.copy(), s.heading.copy(), before.copy()  # who kept the old ones may
        for b, action in enumerate(actions):
            turns = (action == RIGHT) * 1.0 - (action == LEFT)
            walks = float(not s.stuck[b])
            pressed = [walks * (action == FORWARD), walks * (action == BACKWARD), walks, 0.0, float(action == USE)]
            pressed[3] = turns * TURN / self.knobs.frame_skip
            self._press(b, pressed, self.knobs.frame_skip)
            if action == USE:
                self._touch(b)
        bug = self._hold((s.position != before).any(1))
        truncated = np.full(self.batch, s.steps >= self.knobs.horizon)
        return self.render(), np.zeros(self.batch), np.zeros(self.batch, bool), truncated, self._info(bug)

    def render(self) -> np.ndarray:
        """The present frames (B, 84, 84, 1)."""
        return self._frames.copy()

    def sees(self) -> np.ndarray:
        """Whether (B,) a thing to be inspected is in view, by the game's own labels of what it has drawn."""
        return self._seen.copy()

    def get_state(self) -> State:
        """A copy of the state, for `set_state`."""
        return self.state.copy()

    def set_state(self, state: State) -> None:
        """A fresh episode with the players put where the state has them. ValueError if it is of another batch."""
        if state.place.shape != (self.batch, 2):
            raise ValueError(f"state of places {state.place.shape} must be of ({self.batch}, 2)")
        self._episodes = 0
        self._start()
        self._put(state.place, state.heading)
        self.state.touched, self.state.steps = state.touched.copy(), state.steps

    def _start(self) -> None:
        """A new episode of all games, whose own chance depends on how many there were before."""
        batch, most = self.batch, max(1, *(len(place.things) for place in self.towns), 1)
        self._frames = np.zeros((batch, *self.observation_shape), np.uint8)
        self._seen = np.zeros(batch, bool)
        self.state = State(
            place=np.zeros((batch, 2)),
            heading=np.zeros(batch),
            position=np.zeros((batch, 2), int),
            touched=np.zeros((batch, most), int),
            things=np.array([len(place.things) for place in self.towns]),
            stuck=np.zeros(batch, bool),
            found=np.full((batch, len(BUGS)), -1),
        )
        for b in range(batch):
            game = self._own(b)
            game.set_seed(1000 * self._episodes + b)
            game.new_episode()
            self._press(b, [0.0] * len(games.BUTTONS), _WAKE)
        self._episodes += 1

    def _put(self, places: np.ndarray, headings: np.ndarray) -> None:
        """Players to map positions and headings, at rest."""
        for b, (place, heading) in enumerate(zip(places, headings, strict=True)):
            self._own(b).send_game_command(f"warp {place[0]:.1f} {place[1]:.1f}")
            turn = (self.state.heading[b] - heading + 180) % 360 - 180
            self._press(b, [0.0, 0.0, 0.0, turn, 0.0], 1)
            self._press(b, [0.0] * len(games.BUTTONS), self.knobs.frame_skip)

    def _press(self, b: int, pressed: list[float], tics: int) -> None:
        """Buttons of one player for some tics, and what he sees then; the last frame stays where his game is over."""
        game = self._own(b)
        if game.is_episode_finished():
            return
        game.make_action(pressed, tics)
        state = game.get_state()
        if state is None:
            return
        height, width = state.screen_buffer.shape
        left = (width - height) // 2
        rows = np.linspace(0, height - 1, PIXELS).astype(int)
        self._frames[b, ..., 0] = state.screen_buffer[rows][:, rows + left]
        *place, heading = (game.get_game_variable(variable) for variable in games.VARIABLES)
        self.state.place[b], self.state.heading[b] = place, heading
        self.state.position[b] = self.towns[b].cell(self.state.place[b])
        things = self.towns[b].things
        self._seen[b] = any(
            label.height >= _LEAST
            and left <= label.x + label.width / 2 < left + height
            and (np.abs(things - (label.object_position_x, label.object_position_y)).max(1) < 1).any()
            for label in state.labels
            if len(things)
        )

    def _touch(self, b: int) -> None:
        """Note the side from which a player touches the thing before him."""
        things, place = self.towns[b].things, self.state.place[b]
        if not len(things):
            return
        away = things - place
        number = int(np.hypot(*away.T).argmin())
        ahead = np.degrees(np.arctan2(away[number, 1], away[number, 0])) - self.state.heading[b]
        if np.hypot(*away[number]) <= REACH and abs((ahead + 180) % 360 - 180) <= _AHEAD:
            self.state.touched[b, number] |= 1 << int(side_of(-away[number]))

    def _hold(self, entered: np.ndarray) -> np.ndarray:
        """Who enters a planted bug's cell is stuck; the bug (B,) met for the first time, -1 for none."""
        s, met = self.state, np.full(self.batch, -1)
        for b in np.flatnonzero(entered):
            for number, cell in enumerate(self.towns[b].bugs):
                if tuple(s.position[b]) == cell:
                    s.stuck[b] = True
                    if s.found[b, number] < 0:
                        s.found[b, number], met[b] = s.steps, number
        return met

    def _info(self, bug: np.ndarray) -> dict[str, np.ndarray]:
        s = self.state
        triggered = bug[:, None] == np.arange(len(BUGS))
        return {"position": s.position.copy(), "place": s.place.copy(), "bug": bug, "bugs": triggered}

    def _own(self, b: int) -> vizdoom.DoomGame:
        return games.game(self._keys[b], self._owner)


class Doom(gymnasium.Env):
    """One player as a `gymnasium.Env`: a batch of one. `vector` is that batch."""

    metadata = {"render_modes": []}

    def __init__(self, map_seed: int, knobs: Knobs) -> None:
        self.vector = VectorDoom([map_seed], knobs)
        self.observation_space = gymnasium.spaces.Box(0, 255, self.vector.observation_shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The map's start, or with a seed anywhere that the seed says."""
        super().reset(seed=seed)
        frames, info = self.vector.reset(None if seed is None else self.np_random)
        return frames[0], {name: value[0] for name, value in info.items()}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One action 0 to 4; ValueError for any other."""
        if not self.action_space.contains(action):
            raise ValueError(f"action={action!r} must be 0 to {len(ACTIONS) - 1}: {', '.join(ACTIONS)}")
        frames, _, _, truncated, info = self.vector.step(np.array([action]))
        return frames[0], 0.0, False, bool(truncated[0]), {name: value[0] for name, value in info.items()}

    def close(self) -> None:
        """End the game."""
        self.vector.close()


def make(map_seed: int, **knobs: Any) -> Doom:
    """One player on the Freedoom map of this number as a `gymnasium.Env`; for `knobs` see `Knobs`."""
    return Doom(map_seed, Knobs(**knobs))


def make_vector(map_seeds: Sequence[int], **knobs: Any) -> VectorDoom:
    """A player a map number; for `knobs` see `Knobs`."""
    return VectorDoom(map_seeds, Knobs(**knobs))
