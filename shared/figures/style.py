"""The look of all figures: matplotlib's settings, and axes side by side.

In a notebook it holds from the import on, also for what is drawn with plain matplotlib; elsewhere `use_style` sets it.
"""

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodidact.claims.progress import notebook_shell

STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
}


def use_style() -> None:
    """Set matplotlib's defaults for this process, in a notebook also for the pictures of its inline backend."""
    shell = notebook_shell()
    if shell is not None:
        shell.enable_matplotlib("inline")
    matplotlib.rcParams.update(STYLE)  # after the backend, which puts its own in place


def panels(
    count: int = 1, *, width: float = 4.2, height: float = 3.6, columns: int | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` axes, `width` x `height` inches each (a single one is wider): (figure, axes).

    They stand side by side, or in rows of `columns`; ten inches of width are what a page shows without shrinking it.
    """
    columns = columns or count
    if count < 1 or columns < 1:
        raise ValueError(f"count={count} and columns={columns} must be 1 or greater")
    rows = -(-count // columns)
    size = (6.4 if count == 1 else width * columns, height * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for spare in axes.flat[count:]:
        spare.remove()
    return figure, list(axes.flat[:count])


if notebook_shell() is not None:
    use_style()
