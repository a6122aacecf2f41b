"""Room for every text: legends beside the lines, long names in several lines, and a check that nothing is covered."""

from collections.abc import Iterator
from itertools import combinations
from textwrap import fill
from weakref import WeakSet

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Bbox

_OUTSIDE = "outside"  # the mark of a legend that stands right of its axes
_fitted: WeakSet[Figure] = WeakSet()


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most `width` characters; words stay whole, and so does what has lines already."""
    return text if "\n" in text else fill(text, width, break_long_words=False, break_on_hyphens=False)


def legend_outside(ax: Axes) -> Legend:
    """The legend of an axes, right of it, where it covers no line; `show` widens the figure by as much."""
    legend = ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    legend.set_gid(_OUTSIDE)
    return legend


def one_legend(figure: Figure) -> Legend:
    """One legend below all axes, in place of their own: what has one label has one look in the whole figure."""
    found = [pair for ax in figure.axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    handles = {label: handle for handle, label in reversed(found)}
    labels = list(dict.fromkeys(label for _, label in found))
    if not labels:
        raise ValueError("no axes of the figure has anything with a label: there is nothing to explain")
    for ax in figure.axes:
        if ax.get_legend():
            ax.get_legend().remove()
    inches = 0.6 + 0.085 * max(len(line) for label in labels for line in label.split("\n"))
    columns = max(1, min(len(labels), int(figure.get_figwidth() / inches)))
    figure.set_figheight(figure.get_figheight() + 0.22 * -(-len(labels) // columns))
    return figure.legend([handles[label] for label in labels], labels, loc="outside lower center", ncols=columns)


def fit(figure: Figure) -> None:
    """Wrap labels longer than their axes, move legends off what is drawn, enlarge the figure by what texts need.

    Legends of several axes that do not fit inside become one, below them all.
    """
    if figure in _fitted or not figure.axes:
        return
    _fitted.add(figure)
    rows, columns = np.max([_grid(ax) for ax in figure.axes], axis=0)
    cell = (figure.get_figwidth() / columns, figure.get_figheight() / rows)
    figure.draw_without_rendering()
    for ax in figure.axes:
        if ax.get_legend() and _covered(ax.get_legend(), ax):
            legend_outside(ax)
    outside = [legend for legend in _legends(figure) if legend.get_gid() == _OUTSIDE]
    if len(outside) > 1:
        one_legend(figure)
    elif outside:
        figure.set_figwidth(figure.get_figwidth() + outside[0].get_window_extent().width / figure.dpi)
    figure.draw_without_rendering()
    for _ in range(2):  # a wrapped label takes room from the axes
        _wrap_labels(figure)
        _make_room(figure, cell)


def problems(figure: Figure) -> list[str]:
    """What a reader could not read: labels, titles, names and legends that cover each other or a plotted line."""
    figure.draw_without_rendering()
    texts = [text for ax in figure.axes if ax.get_visible() for text in _texts(ax)]
    texts += [text for legend in [*_legends(figure), *figure.legends] for text in legend.get_texts()]
    boxes = [(text.get_text(), _smaller(text.get_window_extent())) for text in texts if text.get_text().strip()]
    found = [f"{a!r} and {b!r} cover each other" for (a, one), (b, two) in combinations(boxes, 2) if one.overlaps(two)]
    for ax in figure.axes:
        for legend in filter(lambda one: _covered(one, ax), [*_legends(figure), *figure.legends]):
            names = ", ".join(text.get_text() for text in legend.get_texts())
            found.append(f"the legend of {names} covers something drawn")
    return found


def _legends(figure: Figure) -> list[Legend]:
    return [ax.get_legend() for ax in figure.axes if ax.get_legend()]


def _make_room(figure: Figure, cell: tuple[float, float]) -> None:
    """Enlarge a figure whose ticks do not fit beside each other, or whose texts leave an axes under half of its cell.

    `cell` is the width and height in inches that an axes was given with all its texts.
    """
    more = [0.0, 0.0]
    for ax in filter(lambda one: one.axison and one.get_aspect() == "auto", figure.axes):
        box, counts = ax.get_window_extent(), _grid(ax)[::-1]
        for k, (axis, side) in enumerate(((ax.xaxis, "width"), (ax.yaxis, "height"))):
            needed = [getattr(text.get_window_extent(), side) for text in _tick_labels(axis)]
            ticks = 1.1 * len(needed) * max(needed, default=0) / figure.dpi
            lacking = max(ticks, cell[k] / 2) - getattr(box, side) / figure.dpi
            more[k] = max(more[k], counts[k] * lacking)
    figure.set_size_inches(figure.get_size_inches() + more)
    figure.draw_without_rendering()


def _grid(ax: Axes) -> tuple[int, int]:
    """Rows and columns of the grid of axes that an axes stands in."""
    spec = ax.get_subplotspec()
    return spec.get_gridspec().get_geometry() if spec else (1, 1)


def _wrap_labels(figure: Figure) -> None:
    """Break axis labels and titles that are longer than their side of the axes."""
    for ax in figure.axes:
        box = ax.get_window_extent()
        for text, side in ((ax.xaxis.label, "width"), (ax.title, "width"), (ax.yaxis.label, "height")):
            size, room = getattr(text.get_window_extent(), side), getattr(box, side)
            if size > 1.02 * room and "$" not in text.get_text():
                longest = max(len(line) for line in text.get_text().split("\n"))
                words = " ".join(text.get_text().split())
                text.set_text(wrapped(words, max(8, int(longest * room / size))))
    figure.draw_without_rendering()


def _smaller(box: Bbox) -> Bbox:
    """A box without its outermost pixel, in which nothing is drawn."""
    return box.padded(-1)


def _texts(ax: Axes) -> Iterator[Text]:
    """Axis labels, title and the tick labels within the axes' limits."""
    if not ax.axison:
        yield ax.title
        return
    yield from (text for text in (ax.xaxis.label, ax.yaxis.label, ax.title) if text.get_visible())
    yield from (text for axis in (ax.xaxis, ax.yaxis) for text in _tick_labels(axis))


def _tick_labels(axis: Axis) -> list[Text]:
    """The labels that are drawn: those within the limits."""
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    return [text for at, text in labels if low <= at <= high and text.get_visible() and text.get_text().strip()]


def _covered(legend: Legend, ax: Axes) -> bool:
    """Whether a legend lies on a line, a point or a bar of the axes; bands of intervals may lie below it."""
    inside = legend.get_window_extent().padded(-0.05 * ax.figure.dpi)  # its border holds nothing
    box = Bbox.intersection(inside, ax.get_window_extent())
    if box is None or box.width < 1 or box.height < 1:
        return False
    return any(path.intersects_bbox(box, filled=filled) for path, filled in _drawn(ax))


def _drawn(ax: Axes) -> Iterator[tuple[Path, bool]]:
    """Paths in pixels of what is drawn on an axes, and whether they are areas."""
    for line in filter(Artist.get_visible, ax.lines):
        path = line.get_transform().transform_path(line.get_path()).cleaned(remove_nans=True)
        if line.get_linestyle() in ("None", "none", " ", ""):
            yield from ((Path([point, point + 1]), False) for point in path.vertices[:-1])
        else:
            yield path, False
    for bar in ax.patches:
        yield bar.get_transform().transform_path(bar.get_path()), bar.get_alpha() is None
    for drawn in ax.collections:
        if isinstance(drawn, LineCollection):
            yield from ((Path(drawn.get_transform().transform(s)), False) for s in drawn.get_segments() if len(s))
        elif len(drawn.get_offsets()) and np.any(drawn.get_offsets()):
            points = drawn.get_offset_transform().transform(drawn.get_offsets())
            yield from ((Path([point, point + 1]), False) for point in np.asarray(points))
