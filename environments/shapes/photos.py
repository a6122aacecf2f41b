"""Scenes of photographs: CIFAR-10 pictures in coloured frames take the place of the glyphs."""

from functools import lru_cache

import numpy as np

from autodidact.environments.densities.images import CIFAR10, cifar10
from autodidact.environments.shapes.rendering import GROUND, PAINT, assemble
from autodidact.environments.shapes.scenes import Scene

NOUNS = CIFAR10
COMPANIONS = {"automobile": "truck", "cat": "dog", "deer": "horse", "airplane": "ship", "bird": "frog"}
SIDE = 32  # pixels of a photograph and of its slot
FRAME = 3  # pixels of its frame
LIMIT = 16_000  # photographs read, a third of all, for time and memory


@lru_cache(maxsize=2)
def photographs(split: str) -> dict[str, np.ndarray]:
    """Noun to photographs of a split, uint8 (n, 32, 32, 3), read once."""
    images, labels = cifar10(SIDE, LIMIT).split(split)
    pixels = np.rint((images.transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
    return {noun: pixels[labels == k] for k, noun in enumerate(NOUNS)}


def compose(scene: Scene, rng: np.random.Generator, noise: float, split: str) -> np.ndarray:
    """A scene as uint8 (128, 128, 3): every thing is a photograph of its noun in a frame of its colour."""
    pool = photographs(split)
    tiles = {}
    for o in scene.objects:
        tile = np.tile(PAINT[o.colour], (SIDE, SIDE, 1))
        photo = pool[o.shape][int(rng.integers(len(pool[o.shape])))]
        tile[FRAME:-FRAME, FRAME:-FRAME] = photo[FRAME:-FRAME, FRAME:-FRAME]
        tiles[o.slot] = tile
    return assemble(tiles, np.tile(GROUND, (SIDE, SIDE, 1)), noise, rng)
