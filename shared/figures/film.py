"""Film strips: what happens in an episode, a row an arm, from left to right."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from autodidact.figures.layout import wrapped

_MARGIN = 4  # pixels left around what moves
_GAP = 2  # white pixels between pictures


def film(
    ax: Axes,
    strips: Mapping[str, np.ndarray],
    *,
    x: str,
    y: str = "arm",
    columns: Sequence[str] | None = None,
) -> None:
    """One row of pictures a name, cut to the part in which anything moves in any of them.

    `strips` maps a name to uint8 pictures (pictures, height, width, 3), of one shape; `columns` are their names below
    (0, 1, ... by default), `x` and `y` the labels of the axes. Raises ValueError for other shapes and other types.
    """
    frames = _frames(strips)
    if columns is not None and len(columns) != frames.shape[1]:
        raise ValueError(f"columns has {len(columns)} names for {frames.shape[1]} pictures a row")
    part = frames[:, :, *_moving(frames)]
    padded = np.pad(part, [(0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0)], constant_values=255)
    rows, count, tall, wide, _ = padded.shape
    ax.imshow(padded.transpose(0, 2, 1, 3, 4).reshape(rows * tall, count * wide, 3), interpolation="nearest")
    ax.set_yticks((np.arange(rows) + 0.5) * tall, [wrapped(name, 20) for name in strips])
    ax.set_xticks((np.arange(count) + 0.5) * wide, columns or [str(k) for k in range(count)])
    ax.set(xlabel=x, ylabel=y)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _frames(strips: Mapping[str, np.ndarray]) -> np.ndarray:
    """All pictures, (rows, pictures, height, width, 3)."""
    shapes = {name: (np.shape(frames), np.asarray(frames).dtype) for name, frames in strips.items()}
    right = all(len(shape) == 4 and shape[-1] == 3 and kind == np.uint8 for shape, kind in shapes.values())
    if not right or len(set(shapes.values())) != 1:
        given = ", ".join(f"{name}: {kind} {shape}" for name, (shape, kind) in shapes.items())
        raise ValueError(f"strips must be uint8 of one shape (pictures, height, width, 3), not {given or 'empty'}")
    return np.stack(list(strips.values()))


def _moving(frames: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a picture in which some picture differs from the first, and a margin."""
    moves = (frames != frames[:1, :1]).any(axis=(0, 1, -1))
    return tuple(
        slice(max(0, where[0] - _MARGIN), where[-1] + 1 + _MARGIN) if len(where) else slice(None)
        for where in (np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0)))
    )
