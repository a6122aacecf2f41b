"""Pixels: the tiles of a town, and the window of 5 x 5 cells around a player, for a batch at once.

A window is 32 x 32 pixels (times `scale`): 25 cells of 6 pixels and a border of one, the player in the middle.
"""

import numpy as np

from autodidact.environments.game.towns import (
    CRATE,
    DECAL,
    DECALS,
    DOOR,
    EDGE,
    EXIT,
    FLICKER,
    FLOOR,
    GLITCH,
    LOOKS,
    PLANT,
    TRAIL,
    VOID,
    WALL,
    WATER,
)  # fmt: skip

CELL, VIEW, BORDER = 6, 5, 1
PIXELS = CELL * VIEW + 2 * BORDER
REACH = VIEW // 2
TINT = 8  # how far a map's colours lie from those below, at most
_PLAYER, _MARK = (200, 30, 30), (255, 255, 255)


def _tile(ground: tuple[int, int, int], ink: tuple[int, int, int], pattern: str) -> np.ndarray:
    """A tile (6, 6, 3) from six rows of six characters: `#` is ink, anything else ground."""
    inked = np.array([[c == "#" for c in row] for row in pattern.split()])
    return np.where(inked[..., None], ink, ground)


def _base_tiles() -> np.ndarray:
    tiles = np.zeros((LOOKS, CELL, CELL, 3), np.int64)
    designs = {
        FLOOR: ((150, 170, 140), (140, 160, 130), "...... .#.... ...... ....#. ...... ..#..."),
        WALL: ((90, 80, 90), (55, 50, 60), "###### ..#... ..#... ###### ....#. ....#."),
        DOOR: ((150, 95, 40), (110, 65, 25), "#....# #....# #....# #....# #..#.# #....#"),
        WATER: ((40, 90, 190), (90, 150, 230), "...... .##... #..#.. ...... ...##. ..#..#"),
        TRAIL: ((225, 205, 130), (205, 180, 100), ".#.... ...... ...#.. ...... #....# ..#..."),
        CRATE: ((215, 125, 30), (95, 45, 20), "###### ##..## #.##.# #.##.# ##..## ######"),
        PLANT: ((150, 170, 140), (20, 110, 35), "..##.. .####. ###### .####. ..##.. ..##.."),
        EXIT: ((240, 240, 240), (30, 160, 90), "###... ###... ###... ...### ...### ...###"),
        VOID: ((15, 15, 20), (15, 15, 20), "...... ...... ...... ...... ...... ......"),
        EDGE: ((15, 15, 20), (15, 15, 20), "...... ...... ...... ...... ...... ......"),
        GLITCH: ((230, 20, 230), (20, 20, 20), "##..## ##..## ..##.. ..##.. ##..## ##..##"),
        FLICKER: ((120, 200, 210), (240, 240, 90), "#.#.#. .#.#.# #.#.#. .#.#.# #.#.#. .#.#.#"),
        FLICKER + 1: ((240, 240, 90), (200, 90, 200), "##..## ##..## ..##.. ..##.. ##..## ##..##"),
    }
    for look, (ground, ink, pattern) in designs.items():
        tiles[look] = _tile(ground, ink, pattern)
    shapes = np.random.default_rng(5).random((DECALS, CELL, CELL)) < 0.4
    for number, shape in enumerate(shapes):
        ink = np.array([(200, 60, 60), (60, 60, 200), (60, 180, 180), (180, 60, 180)][number % 4])
        tiles[DECAL + number] = np.where(shape[..., None], ink, (150, 170, 140))
    return tiles


def _sprites() -> tuple[np.ndarray, np.ndarray]:
    """The player by facing, up, down, left, right: colours (4, 6, 6, 3) and where they cover the ground (4, 6, 6)."""
    colours = np.broadcast_to(np.array(_PLAYER), (4, CELL, CELL, 3)).copy()
    covers = np.zeros((4, CELL, CELL), bool)
    covers[:, 1:-1, 1:-1] = True
    marks = ((1, slice(2, 4)), (4, slice(2, 4)), (slice(2, 4), 1), (slice(2, 4), 4))
    for facing, mark in enumerate(marks):
        colours[(facing, *mark)] = _MARK
    return colours.astype(np.uint8), covers


BASE_TILES = _base_tiles()
SPRITES, COVERS = _sprites()


def tiles(map_seed: int, scale: int = 1) -> np.ndarray:
    """The tiles (looks, 6 scale, 6 scale, 3) of a map: one small tint a kind of cell, the same wherever it lies."""
    tint = np.random.default_rng([map_seed, 78]).integers(-TINT, TINT + 1, (LOOKS, 1, 1, 3))
    tint[EDGE] = tint[VOID]
    return _enlarged(np.clip(BASE_TILES + tint, 0, 255).astype(np.uint8), scale)


class Windows:
    """Draws the windows of B players, each in a map of its own, whose tiles lie in one array."""

    def __init__(self, map_seeds: list[int], scale: int) -> None:
        self.cell, self.border = CELL * scale, BORDER * scale
        self.pixels = PIXELS * scale
        # A row of a tile as one item of raw bytes: to move it is one copy instead of one a channel.
        row = np.dtype((np.void, 3 * self.cell))
        drawn = np.concatenate([tiles(s, scale) for s in map_seeds])
        self._tiles = drawn.reshape(-1, self.cell, 3 * self.cell).view(row)[..., 0]
        self._first = (np.arange(len(map_seeds)) * LOOKS)[:, None, None]
        self._batch = np.arange(len(map_seeds))[:, None, None]
        self._offset = np.arange(-REACH, REACH + 1)
        self._sprites, self._covers = _enlarged(SPRITES, scale), _enlarged(COVERS, scale)[..., None]

    def draw(self, look: np.ndarray, position: np.ndarray, facing: np.ndarray) -> np.ndarray:
        """Windows (B, pixels, pixels, 3) uint8 of looks (B, N, N) around positions (B, 2)."""
        rows = position[:, 0, None, None] + self._offset[:, None]
        columns = position[:, 1, None, None] + self._offset
        seen = look[self._batch, rows, columns] + self._first
        windows = np.zeros((len(position), self.pixels, self.pixels, 3), np.uint8)
        inner = slice(self.border, -self.border)
        cells = self._tiles[seen]  # (B, 5, 5, cell) rows of pixels
        joined = np.ascontiguousarray(cells.transpose(0, 1, 3, 2)).view(np.uint8)
        windows[:, inner, inner] = joined.reshape(len(position), VIEW * self.cell, VIEW * self.cell, 3)
        middle = slice(self.border + REACH * self.cell, self.border + (REACH + 1) * self.cell)
        ground = windows[:, middle, middle]
        windows[:, middle, middle] = np.where(self._covers[facing], self._sprites[facing], ground)
        return windows


def picture(look: np.ndarray, map_seed: int) -> np.ndarray:
    """A whole map (6 N, 6 N, 3) uint8 of its looks (N, N): nothing that a player ever sees."""
    n = len(look)
    return tiles(map_seed)[look].transpose(0, 2, 1, 3, 4).reshape(n * CELL, n * CELL, 3)


def _enlarged(tiles: np.ndarray, scale: int) -> np.ndarray:
    return tiles.repeat(scale, 1).repeat(scale, 2)


def detect(obs: np.ndarray, rng: np.random.Generator | None = None, flip: float = 0.0) -> np.ndarray:
    """Whether a crate is in view: the detector of objects of interest, exact but for a share `flip` of errors.

    `obs` (..., pixels, pixels, 3) uint8 as the world renders it; returns (...) bool. It compares every cell of the
    window with the crate's tile, up to the tint that a map may have. Raises ValueError for a `flip` outside [0, 1),
    for one above 0 without `rng`, and for windows of another size.
    """
    if not 0 <= flip < 1 or (flip and rng is None):
        raise ValueError(f"flip={flip!r} must be in [0, 1), and above 0 it needs rng")
    obs = np.asarray(obs)
    scale, rest = divmod(obs.shape[-2] if obs.ndim > 2 else 0, PIXELS)
    if rest or not scale or obs.shape[-3:] != (PIXELS * scale, PIXELS * scale, 3):
        raise ValueError(f"obs of shape {obs.shape} must be (..., {PIXELS} scale, {PIXELS} scale, 3)")
    small = obs[..., scale // 2 :: scale, scale // 2 :: scale, :][..., BORDER:-BORDER, BORDER:-BORDER, :]
    cells = small.reshape(*obs.shape[:-3], VIEW, CELL, VIEW, CELL, 3)
    near = np.abs(cells.astype(np.int16) - BASE_TILES[CRATE].astype(np.int16)[:, None]) <= TINT
    seen = near.all(axis=(-4, -2, -1)).any(axis=(-2, -1))
    return seen if not flip else seen ^ (rng.random(seen.shape) < flip)
