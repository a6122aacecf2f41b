"""Pictures with what somebody says of them: a thing a line below each, and a cross before what is not there."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from autodidact.figures.looks import BLACK

_LINE = 0.19  # inches from line to line
_WRONG = "#D00000"
Said = Sequence[tuple[str, bool]]


def captioned(pictures: Sequence[np.ndarray], captions: Sequence[Mapping[str, Said]], width: float = 1.9) -> Figure:
    """Pictures side by side, `width` inches each; below each, by heading, what is said of it: (words, whether true).

    pictures: as matplotlib's `imshow` takes them. captions: one mapping of headings a picture. What is not true is red
    and has a cross. Raises ValueError where there are no pictures, and for as many captions as there are not pictures.
    """
    if not len(pictures) or len(pictures) != len(captions):
        raise ValueError(f"captions must be one a picture: {len(captions)} for {len(pictures)} pictures were given")
    rows = [[line for heading, said in by.items() for line in _lines(heading, said)] for by in captions]
    height = width + _LINE * (1 + max(map(len, rows)))
    figure, axes = plt.subplots(1, len(pictures), figsize=(width * len(pictures), height), squeeze=False)
    for ax, picture, lines in zip(axes.flat, pictures, rows, strict=True):
        ax.imshow(picture)
        ax.set_anchor("N")
        ax.set_axis_off()
        for k, (words, look) in enumerate(lines):
            drop = (0, -_LINE * 72 * (k + 0.3))  # points below the picture's lower left corner
            ax.annotate(words, (0, 0), drop, "axes fraction", textcoords="offset points", va="top", fontsize=8, **look)
    return figure


def _lines(heading: str, said: Said) -> list[tuple[str, dict[str, str]]]:
    """A heading and what is said under it, with the look of each line."""
    things = [(words if true else f"✗ {words}", {"color": BLACK if true else _WRONG}) for words, true in said]
    return [(heading, {"color": BLACK, "weight": "bold"}), *things]
