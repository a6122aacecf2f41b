"""Freedoom maps in ViZDoom behind the names of the town world: `make`, `make_vector`, `reachable`, `coverage`.

First person, 84 x 84 grey, one action for `frame_skip` tics. The position is a variable of the game and serves
measuring only. There are no planted bugs, inspections or scripted testers here; those need a world whose truth can be
edited. Needs the package `vizdoom`, whose Freedoom files are free; nothing else in this folder imports it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import gymnasium
import numpy as np
import vizdoom
from scipy import ndimage

ACTIONS = ("forward", "backward", "turn left", "turn right", "use")
CELL = 64.0  # map units a side of a cell of the coverage grid; a player is 32 wide
PIXELS = 84
_BUTTONS = (
    vizdoom.Button.MOVE_FORWARD,
    vizdoom.Button.MOVE_BACKWARD,
    vizdoom.Button.TURN_LEFT,
    vizdoom.Button.TURN_RIGHT,
    vizdoom.Button.USE,
)
_POSITION = (vizdoom.GameVariable.POSITION_X, vizdoom.GameVariable.POSITION_Y)


@dataclass(frozen=True)
class Knobs:
    """`level` of Freedoom's second episode, "map01" to "map32"; `horizon` in actions; `frame_skip` in tics."""

    level: str = "map01"
    horizon: int = 300
    frame_skip: int = 4

    def __post_init__(self) -> None:
        if self.level not in {f"map{n:02d}" for n in range(1, 33)}:
            raise ValueError(f"level={self.level!r} must be 'map01' to 'map32'")
        for name in ("horizon", "frame_skip"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be 1 or greater")


@dataclass(frozen=True, eq=False)
class Level:
    """The floor of a map as a grid of cells: `inside` (H, W), the map coordinates of its corner, and the start."""

    inside: np.ndarray
    corner: tuple[float, float]
    start: tuple[float, float]

    def cell(self, position: np.ndarray) -> np.ndarray:
        """Cells (..., 2), row and column, of map positions (..., 2), x and y."""
        return np.floor((np.asarray(position)[..., ::-1] - self.corner[::-1]) / CELL).astype(int)


@lru_cache(maxsize=32)
def level(knobs: Knobs) -> Level:
    """The floor of a map, from the lines of its sectors: cells whose centre lies inside its solid walls."""
    game = _game(0, knobs)
    game.set_sectors_info_enabled(True)
    game.init()
    state = game.get_state()
    lines = {
        tuple(sorted(((line.x1, line.y1), (line.x2, line.y2)))): line.is_blocking
        for sector in state.sectors
        for line in sector.lines
    }
    start = tuple(game.get_game_variable(variable) for variable in _POSITION)
    game.close()
    walls = np.array([ends for ends, blocks in lines.items() if blocks])  # (n, 2 ends, 2)
    low, high = walls.min((0, 1)) - CELL, walls.max((0, 1)) + CELL
    x, y = (np.arange(a, b, CELL) + CELL / 2 for a, b in zip(low, high, strict=True))
    inside = np.stack([_crossings(walls, x, height) % 2 == 1 for height in y + 1e-3])
    return Level(inside, tuple(map(float, low)), start)


def reachable(knobs: Knobs) -> np.ndarray:
    """Cells (H, W) of the floor that hang together with the start's; steps, lifts and locked doors are not modelled."""
    place = level(knobs)
    groups, _ = ndimage.label(place.inside)
    around = groups[tuple(place.cell(place.start))]
    return groups == around if around else place.inside


def coverage(positions: np.ndarray, knobs: Knobs) -> float:
    """Share of reachable cells among whose visitors are positions (T, 2) in map units."""
    reach = reachable(knobs)
    cells = np.unique(level(knobs).cell(positions), axis=0)
    return float(reach[tuple(cells.T)].sum() / reach.sum())


class Doom(gymnasium.Env):
    """One player on a map. The reward is always 0; episodes have a fixed length; who dies stays where he fell."""

    metadata = {"render_modes": []}

    def __init__(self, map_seed: int, knobs: Knobs) -> None:
        self.knobs, self._steps = knobs, 0
        self.observation_space = gymnasium.spaces.Box(0, 255, (PIXELS, PIXELS, 1), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))
        self._doom = _game(map_seed, knobs)
        self._doom.init()
        self._keep()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The map's start; the seed is that of the game's own chance."""
        super().reset(seed=seed)
        if seed is not None:
            self._doom.set_seed(seed % 2**31)
        self._doom.new_episode()
        self._steps = 0
        self._keep()
        return self._frame, {"position": self._position}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One action 0 to 4; ValueError for any other."""
        if not self.action_space.contains(action):
            raise ValueError(f"action={action!r} must be 0 to {len(ACTIONS) - 1}: {', '.join(ACTIONS)}")
        if not self._doom.is_episode_finished():
            self._doom.make_action([float(action == k) for k in range(len(ACTIONS))], self.knobs.frame_skip)
            self._keep()
        self._steps += 1
        return self._frame, 0.0, False, self._steps >= self.knobs.horizon, {"position": self._position}

    def close(self) -> None:
        """End the game."""
        self._doom.close()

    def _keep(self) -> None:
        """The present frame, its middle square thinned to 84 x 84, and the position; the last ones if it is over."""
        state = self._doom.get_state()
        if state is not None:
            height, width = state.screen_buffer.shape
            rows = np.linspace(0, height - 1, PIXELS).astype(int)
            columns = np.linspace((width - height) // 2, (width + height) // 2 - 1, PIXELS).astype(int)
            self._frame = np.ascontiguousarray(state.screen_buffer[rows][:, columns, None])
            self._position = np.array([self._doom.get_game_variable(variable) for variable in _POSITION])


class VectorDoom:
    """Players on one map, stepped one after the other; as `VectorGame` for whoever plays, with positions in `info`."""

    def __init__(self, map_seeds: Sequence[int], knobs: Knobs) -> None:
        if not len(map_seeds):
            raise ValueError("map_seeds is empty: give one seed a player")
        self.knobs, self.batch = knobs, len(map_seeds)
        self._players = [Doom(int(seed), knobs) for seed in map_seeds]

    def reset(self, rng: np.random.Generator | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All players at the start; with `rng` the game's own chance is drawn anew."""
        seeds = [None] * self.batch if rng is None else [int(s) for s in rng.integers(2**31, size=self.batch)]
        return self._joined([player.reset(seed=s) for player, s in zip(self._players, seeds, strict=True)])

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        """One action (B,) a player: frames (B, 84, 84, 1), rewards 0, terminated, truncated, info. As `VectorGame`."""
        outcomes = [player.step(int(a)) for player, a in zip(self._players, actions, strict=True)]
        frames, info = self._joined([(o[0], o[-1]) for o in outcomes])
        return frames, np.zeros(self.batch), np.zeros(self.batch, bool), np.array([o[3] for o in outcomes]), info

    def close(self) -> None:
        """End all games."""
        for player in self._players:
            player.close()

    @staticmethod
    def _joined(seen: list[tuple[np.ndarray, dict[str, Any]]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return np.stack([frame for frame, _ in seen]), {"position": np.stack([info["position"] for _, info in seen])}


def make(map_seed: int, **knobs: Any) -> Doom:
    """One player on a Freedoom map as a `gymnasium.Env`; for `knobs` see `Knobs`."""
    return Doom(map_seed, Knobs(**knobs))


def make_vector(map_seeds: Sequence[int], **knobs: Any) -> VectorDoom:
    """A player a seed on one Freedoom map; for `knobs` see `Knobs`."""
    return VectorDoom(map_seeds, Knobs(**knobs))


def _game(map_seed: int, knobs: Knobs) -> vizdoom.DoomGame:
    game = vizdoom.DoomGame()
    game.set_doom_game_path(str(Path(vizdoom.__file__).parent / "freedoom2.wad"))
    game.set_doom_config_path(str(Path(gettempdir()) / f"vizdoom-{os.getpid()}.ini"))  # else it writes where one works
    game.set_doom_map(knobs.level)
    game.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
    game.set_screen_format(vizdoom.ScreenFormat.GRAY8)
    game.set_window_visible(False)
    game.set_render_hud(False)
    game.set_available_buttons(list(_BUTTONS))
    game.set_available_game_variables(list(_POSITION))
    game.set_episode_timeout(0)
    game.set_mode(vizdoom.Mode.PLAYER)
    game.add_game_args("+nomonsters 1")
    game.set_seed(map_seed % 2**31)
    return game


def _crossings(walls: np.ndarray, x: np.ndarray, y: float) -> np.ndarray:
    """How many walls a ray from (x, y) to the right crosses, for each x."""
    (ax, ay), (bx, by) = walls[:, 0].T, walls[:, 1].T
    spans = (ay > y) != (by > y)
    at = ax[spans] + (y - ay[spans]) * (bx[spans] - ax[spans]) / (by[spans] - ay[spans])
    return (at[None] > x[:, None]).sum(1)
