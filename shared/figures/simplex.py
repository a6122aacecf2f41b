"""Mixtures of three answers over a triangle, in shades and letters that need no colour vision."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from autodidact.figures.looks import BLACK

_INKS = np.array([(0.0, 0.2, 0.45), (0.9, 0.6, 0.0), (0.95, 0.95, 0.8)])  # dark blue, orange, nearly white
_PURE = 0.9  # from this share on an answer stands alone and gets its letter
_HEIGHT = np.sqrt(3) / 2  # of the triangle


def simplex(
    ax: Axes, places: np.ndarray, mixtures: np.ndarray, *, corners: Sequence[str], letters: str = "abc"
) -> None:
    """One hexagon a row: where it stands in the triangle says `places`, its shade the mixture of three answers.

    places, mixtures: (n, 3), rows that are not negative and sum to 1. corners: what a place wholly at the left, the
    right and the upper corner means. An answer with a share above 0.9 writes its letter. Raises ValueError for others.
    """
    places, mixtures = _shares("places", places), _shares("mixtures", mixtures)
    if len(places) != len(mixtures) or len(corners) != 3 or len(letters) != 3:
        raise ValueError(
            f"{len(places)} places and {len(mixtures)} mixtures must be as many, corners={corners!r} and "
            f"letters={letters!r} three each"
        )
    x, y = places[:, 1] + places[:, 2] / 2, places[:, 2] * _HEIGHT
    shades = np.clip(mixtures @ _INKS, 0, 1)
    ax.scatter(x, y, c=shades, s=170, marker="h", edgecolors=BLACK, linewidths=0.5)
    for k in np.flatnonzero(mixtures.max(axis=1) > _PURE):
        best = mixtures[k].argmax()
        ax.text(x[k], y[k], letters[best], ha="center", va="center", fontsize=8, color=BLACK if best else "white")
    for at, up, text in zip((0.0, 1.0, 0.5), (-0.08, -0.08, _HEIGHT + 0.035), corners, strict=True):
        ax.text(at, up, text, ha="center", fontsize=9)
    ax.set(aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.1, 0.98))
    ax.set_axis_off()


def _shares(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    if (
        values.ndim != 2
        or values.shape[1] != 3
        or not (values >= -1e-9).all()
        or not np.allclose(values.sum(axis=1), 1)
    ):
        raise ValueError(f"{name} of shape {values.shape} must be (n, 3), rows of shares that sum to 1")
    return values
