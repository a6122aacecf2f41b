"""The look of a method (colour, line, marker), given by its place within a figure, so that no two arms share one.

The first six colours are those of Okabe and Ito (2008) without yellow; the others were chosen so that every two keep a
distance in CIELAB of 12 or more, also without the red or the green cones. Line and marker tell them apart in grey.
"""

from typing import TypedDict
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLACK, GREY = "#000000", "#555555"
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE, SKY = "#E69F00", "#CC79A7", "#56B4E9"
INDIGO, BROWN, MINT, ROYAL, PLUM, RED = "#40208F", "#802000", "#20CF70", "#1060EF", "#700060", "#CF4040"

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INDIGO, BROWN, MINT, ROYAL, PLUM, RED)
LINES = ("-", "--", "-.", (0, (1, 1)), (0, (7, 2)))  # numbers without a common factor: 660 looks
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "p")
REFERENCES = {  # what every figure has once, and needs no colour
    "base": (GREY, ":", "x"),
    "oracle": (BLACK, "--", "*"),
    "truth": (BLACK, ":", "+"),
    "data": (BLACK, "-.", "1"),
}


class Look(TypedDict):
    """What matplotlib's `plot` takes to draw a method."""

    color: str
    linestyle: str | tuple[int, tuple[int, int]]
    marker: str


_looks: WeakKeyDictionary[Figure, dict[str, Look]] = WeakKeyDictionary()


def look(ax: Axes, name: str) -> Look:
    """Colour, line and marker of a method: the same on all axes of a figure, another one for every other method.

    The looks go by order: the first name that a figure asks for has the first, and so on; twelve have colours of their
    own, later ones repeat a colour with another line and marker. "base", "oracle", "truth" and "data" are grey or black
    wherever they stand. Case and surrounding blanks do not matter. Raises ValueError for an empty name.
    """
    key = name.strip().lower()
    if not key:
        raise ValueError(f"name={name!r} of a method is empty: it must be a word such as 'sppo'")
    known = _looks.setdefault(ax.get_figure(root=True), {})
    if key not in known:
        place = sum(name not in REFERENCES for name in known)
        ours = tuple(options[place % len(options)] for options in (COLOURS, LINES, MARKERS))
        colour, line, marker = REFERENCES.get(key, ours)
        known[key] = Look(color=colour, linestyle=line, marker=marker)
    return known[key]
