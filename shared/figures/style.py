"""The look of all figures, and the settings that make the same data give the same bytes."""

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodidact.claims.progress import notebook_shell

STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 100,
    "savefig.dpi": 100,
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
    "svg.hashsalt": "autodidact",
}
METADATA = {"Software": None}  # else the PNG names the version of matplotlib that wrote it


def use_style() -> None:
    """Set matplotlib's defaults for this process; in a notebook also make its inline PNGs reproducible to the byte."""
    matplotlib.rcParams.update(STYLE)
    shell = notebook_shell()
    if shell is None:
        return
    from matplotlib_inline.backend_inline import set_matplotlib_formats
    from matplotlib_inline.config import InlineBackend

    config = InlineBackend.instance(parent=shell)
    config.print_figure_kwargs = {"bbox_inches": None, "metadata": METADATA}
    shell.enable_matplotlib("inline")
    set_matplotlib_formats("png", **config.print_figure_kwargs)
    matplotlib.rcParams.update(STYLE)  # switching the backend may have put its own in place


def panels(count: int = 1, *, width: float = 4.2, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """A figure of `count` axes side by side, `width` x `height` inches each (a single one is wider): (figure, axes)."""
    if count < 1:
        raise ValueError(f"count={count} must be 1 or greater")
    figure, axes = plt.subplots(1, count, figsize=(6.4 if count == 1 else width * count, height), squeeze=False)
    return figure, list(axes[0])


def save_png(figure: Figure, path: str) -> None:
    """Write a figure as PNG, the same bytes for the same data on the same machine."""
    figure.savefig(path, format="png", metadata=METADATA)
