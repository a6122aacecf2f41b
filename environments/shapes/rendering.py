"""Scenes as pixels: one glyph a slot, shifted a little, under noise."""

from functools import cache

import numpy as np

from autodidact.environments.shapes.grid import one_hot
from autodidact.environments.shapes.scenes import COLOURS, SHAPES, SIDE, SLOTS, Scene

SLOT = 8  # pixels a side of a slot
GLYPH = 6
SHIFTS = SLOT - GLYPH + 1  # places of a glyph in its slot, along each axis
GROUND = np.array([40, 40, 48], np.uint8)
EMPTY = np.tile(GROUND, (SLOT, SLOT, 1))
PAINT = dict(
    zip(
        COLOURS,
        np.array(
            [[220, 50, 50], [50, 180, 70], [60, 100, 230], [235, 215, 60], [160, 70, 200], [245, 140, 40]], np.uint8
        ),
        strict=True,
    )
)
_DRAWN = {
    "circle": ".####. ###### ###### ###### ###### .####.",
    "square": "###### ###### ###### ###### ###### ######",
    "triangle": "..##.. ..##.. .####. .####. ###### ######",
    "cross": "..##.. ..##.. ###### ###### ..##.. ..##..",
    "star": "##..## .####. ..##.. ..##.. .####. ##..##",
    "ring": ".####. ##..## #....# #....# ##..## .####.",
}
GLYPHS = {shape: np.array([[c == "#" for c in row] for row in _DRAWN[shape].split()]) for shape in SHAPES}


@cache
def paint_slot(shape: str, colour: str, shift: tuple[int, int]) -> np.ndarray:
    """One slot without noise, uint8 (8, 8, 3), read only: the glyph `shift` pixels down and right of the corner."""
    tile = EMPTY.copy()
    down, right = shift
    tile[down : down + GLYPH, right : right + GLYPH][GLYPHS[shape]] = PAINT[colour]
    tile.flags.writeable = False
    return tile


def assemble(tiles: dict[int, np.ndarray], empty: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """The whole board, uint8, of tiles (size, size, 3) by slot and the empty tile; noise in units of full scale."""
    size = len(empty)
    board = np.broadcast_to(empty, (SIDE, SIDE, size, size, 3)).transpose(0, 2, 1, 3, 4).copy()
    for slot, tile in tiles.items():
        board[slot // SIDE, :, slot % SIDE] = tile
    image = board.reshape(SIDE * size, SIDE * size, 3)
    if not noise:
        return image
    noisy = rng.normal(0, 255 * noise, image.shape)
    noisy += image
    np.rint(noisy, out=noisy)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


def render(scene: Scene, rng: np.random.Generator, noise: float = 0.06) -> np.ndarray:
    """The `pixels` of a scene: uint8 (32, 32, 3); each glyph shifted by 0 to 2 pixels, normal noise on every value.

    noise: standard deviation in units of full scale. Raises ValueError for one outside [0, 1].
    """
    if not 0 <= noise <= 1:
        raise ValueError(f"noise={noise} is a share of full scale and must lie in [0, 1]")
    shifts = rng.integers(SHIFTS, size=(len(scene.objects), 2))
    shifts = map(tuple, shifts.tolist())
    tiles = {o.slot: paint_slot(o.shape, o.colour, shift) for o, shift in zip(scene.objects, shifts, strict=True)}
    return assemble(tiles, EMPTY, noise, rng)


def patches(image: np.ndarray) -> np.ndarray:
    """The slots of an image as rows, float32 (16, size * size * 3) in [0, 1], in reading order; 192 wide at 32 x 32.

    Of a drawing, int (8, 8), its `one_hot`. Raises ValueError for what is no uint8 (height, width, 3) array whose sides
    are equal and divide by 4, and no drawing.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        return one_hot(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.shape[0] != image.shape[1]:
        raise ValueError(f"image must be a square uint8 (side, side, 3) array, not {image.dtype} {image.shape}")
    if image.shape[0] % SIDE:
        raise ValueError(f"image has a side of {image.shape[0]} pixels, which must divide by {SIDE}")
    size = image.shape[0] // SIDE
    rows = image.reshape(SIDE, size, SIDE, size, 3).transpose(0, 2, 1, 3, 4).reshape(SLOTS, -1)
    return rows.astype(np.float32) / 255
