"""Figures with one look for all notebooks: a method keeps its colour, an interval is drawn, an axis has its unit."""

from autodidact.figures.display import show
from autodidact.figures.palette import METHOD_COLOURS, METHOD_LINES, METHOD_MARKERS, method_style
from autodidact.figures.plots import bars, by_round, dots, paired_differences
from autodidact.figures.style import STYLE, panels, save_png, use_style

__all__ = [
    "METHOD_COLOURS",
    "METHOD_LINES",
    "METHOD_MARKERS",
    "STYLE",
    "bars",
    "by_round",
    "dots",
    "method_style",
    "paired_differences",
    "panels",
    "save_png",
    "show",
    "use_style",
]
