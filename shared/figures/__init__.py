"""Figures with one look for all notebooks: paired results as differences, an interval drawn, an axis with its unit."""

from autodidact.figures.captioned import captioned
from autodidact.figures.display import png, save_png, show
from autodidact.figures.film import film
from autodidact.figures.forest import forest
from autodidact.figures.layout import legend_outside, one_legend, problems
from autodidact.figures.looks import look
from autodidact.figures.plots import bars, by_round, dots, paired_differences
from autodidact.figures.simplex import simplex
from autodidact.figures.style import STYLE, panels, use_style

__all__ = [
    "STYLE",
    "bars",
    "by_round",
    "captioned",
    "dots",
    "film",
    "forest",
    "legend_outside",
    "look",
    "one_legend",
    "paired_differences",
    "panels",
    "png",
    "problems",
    "save_png",
    "show",
    "simplex",
    "use_style",
]
