"""An exact reader of pictures: the best template of every slot."""

from functools import lru_cache

import numpy as np

from autodidact.environments.shapes.grid import GRID, read_grid
from autodidact.environments.shapes.rendering import GROUND, SHIFTS, SLOT, paint_slot, patches
from autodidact.environments.shapes.scenes import COLOURS, SHAPES, SIDE, Object, Scene


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[tuple[str, str] | None, ...], np.ndarray]:
    """Labels (None: empty) and pixels, (templates, 192) in [0, 1], of every glyph, colour and shift."""
    labels: list[tuple[str, str] | None] = [None]
    tiles = [np.tile(GROUND, (SLOT, SLOT, 1))]
    for shape in SHAPES:
        for colour in COLOURS:
            for shift in np.ndindex(SHIFTS, SHIFTS):
                labels.append((shape, colour))
                tiles.append(paint_slot(shape, colour, shift))
    return tuple(labels), np.stack(tiles).reshape(len(tiles), -1).astype(np.float32) / 255


def match(slots: np.ndarray) -> tuple[list[tuple[str, str] | None], np.ndarray, np.ndarray]:
    """The nearest template of every slot, (slots, 192) in [0, 1]: its label, its lead and its squared distance.

    A label is (shape, colour), None for empty; the lead is over the nearest template of another label.
    """
    labels, templates = _templates()
    distance = (slots**2).sum(1)[:, None] - 2 * slots @ templates.T + (templates**2).sum(1)
    best = distance.argmin(axis=1)
    margin = np.array(
        [min(d for d, label in zip(row, labels, strict=True) if label != labels[b]) - row[b]
         for row, b in zip(distance, best, strict=True)]
    )  # fmt: skip
    return [labels[b] for b in best], margin, distance.min(axis=1)


def read(image: np.ndarray) -> tuple[Scene, np.ndarray]:
    """The scene that a 32 x 32 picture shows, by the nearest template of every slot, and a margin a slot, (16,).

    A margin is how much nearer the best template is than the best one of another label, in squared distance over the
    slot's 192 values in [0, 1]; exact, with positive margins, on pictures without noise. Any picture of the right
    shape has a reading: of equal things the one that matches better is kept, the other's slot counts as empty. A
    drawing, int (8, 8), is read by `read_grid`. Raises ValueError for another shape.
    """
    if np.shape(image) == (GRID, GRID):
        return read_grid(image)
    side = SIDE * SLOT
    if np.shape(image) != (side, side, 3):
        raise ValueError(f"image must have shape ({side}, {side}, 3), or ({GRID}, {GRID}), not {np.shape(image)}")
    labels, margin, _ = match(patches(image))
    found: dict[tuple[str, str], int] = {}
    for slot in np.argsort(-margin):
        if labels[slot] is not None:
            found.setdefault(labels[slot], int(slot))
    return Scene(tuple(sorted(Object(slot, *label) for label, slot in found.items()))), margin
