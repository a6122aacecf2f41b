"""Plots of seeds x rounds arrays and of paired differences: every mean stands with its 95 % t interval.

Every function draws on the axes it is given and names quantity and unit on them; none of them computes a verdict.
With `minus` a plot shows differences within a replicate: results that are paired are then drawn as paired.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from autodidact.claims import statistics
from autodidact.claims.statistics import mean_interval, t_interval
from autodidact.figures.layout import legend_outside, wrapped
from autodidact.figures.looks import BLACK, GREY, look

_CROWDED = 4  # more methods than this need room of their own for their names
_MARKS = 12  # markers on a line, at most
_NAME = 30  # characters of a method's name in one line


def by_round(
    ax: Axes,
    series: Mapping[str, np.ndarray],
    *,
    quantity: str,
    unit: str,
    x: str = "round",
    rounds: Sequence[float] | None = None,
    minus: str | np.ndarray | None = None,
    control: str = "control",
) -> None:
    """One line a method over rounds: mean over seeds, with the 95 % t interval of the mean as a band.

    `series` maps a method to an array (seeds, rounds). `x` names the horizontal axis, unit included; `rounds` are its
    values (0, 1, ... by default). `minus` names the method (or is the (seeds, rounds) array, called `control` on the
    axis) whose values are taken from those of the same seed; the band is then that of the difference. Raises ValueError
    for an array of other shape, for a `minus` that is no method of `series`, and for an empty label.
    """
    series = {method: _shaped(method, values, 2) for method, values in _named(series).items()}
    series, less = _less(ax, series, minus, control)
    for method, values in series.items():
        at = np.arange(values.shape[1]) if rounds is None else np.asarray(rounds, float)
        if len(at) != values.shape[1]:
            raise ValueError(f"rounds has {len(at)} values, but {method!r} has {values.shape[1]} columns")
        mean, low, high = t_interval(values.T)
        style = look(ax, method)
        ax.plot(at, mean, label=wrapped(method, _NAME), markevery=max(1, round(len(at) / _MARKS)), **style)
        if len(values) > 1:
            ax.fill_between(at, low, high, color=style["color"], alpha=0.13, linewidth=0)
    if rounds is None:
        ax.set_xticks(range(max(v.shape[1] for v in series.values())))
    if minus is not None:
        ax.axhline(0, color=BLACK, linewidth=1)
    _label(ax, x=x, y=_with_unit(quantity, unit, less))
    if len(series) > _CROWDED:
        legend_outside(ax)
    else:
        ax.legend()


def paired_differences(
    ax: Axes,
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    unit: str,
    quantity: str = "treatment minus control",
    margin: float | None = None,
) -> None:
    """One row a comparison: every replicate's difference, their mean and its 95 % t interval, and the zero line.

    `pairs` maps a label to (treatment, control), each (replicates,). A `margin` of equivalence is shaded around zero.
    """
    if margin is not None:
        ax.axvspan(-margin, margin, color=GREY, alpha=0.15, linewidth=0, label=f"within ± {margin:g}")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
    rows = {
        label: statistics.paired_differences(treatment, control)
        for label, (treatment, control) in _named(pairs).items()
    }
    ax.axvline(0, color=BLACK, linewidth=1)
    _dots(ax, rows, {label: (BLACK, "o") for label in rows})
    _label(ax, x=_with_unit(quantity, unit), y="comparison")


def dots(
    ax: Axes,
    values: Mapping[str, np.ndarray],
    *,
    quantity: str,
    unit: str,
    y: str = "method",
    minus: str | np.ndarray | None = None,
    control: str = "control",
) -> None:
    """One row a method: every value of its (replicates,) as a faint dot, the mean and its 95 % t interval.

    `minus` names the method (or is the (replicates,) array, called `control` on the axis) whose values are taken from
    those of the same replicate: rows are then differences, with the interval of the paired difference and a zero line.
    """
    rows = {method: _shaped(method, v, 1) for method, v in _named(values).items()}
    rows, less = _less(ax, rows, minus, control)
    if minus is not None:
        ax.axvline(0, color=BLACK, linewidth=1)
    looks = {method: look(ax, method) for method in rows}
    _dots(ax, rows, {method: (one["color"], one["marker"]) for method, one in looks.items()})
    _label(ax, x=_with_unit(quantity, unit, less), y=y)


def bars(
    ax: Axes,
    values: Mapping[str, np.ndarray],
    *,
    quantity: str,
    unit: str,
    x: str = "method",
    minus: str | np.ndarray | None = None,
    control: str = "control",
) -> None:
    """One bar a method, from zero to the mean of its (replicates,), with the 95 % t interval; zero must mean none.

    `minus` and `control` are those of `dots`: with them a bar is a mean difference within a replicate.
    """
    heights = {method: _shaped(method, v, 1) for method, v in _named(values).items()}
    heights, less = _less(ax, heights, minus, control)
    for at, (method, v) in enumerate(heights.items()):
        mean, low, high = mean_interval(v)
        error = None if low is None else [[mean - low], [high - mean]]
        ax.bar(at, mean, yerr=error, color=look(ax, method)["color"], capsize=3, width=0.7)
    crowded = len(heights) > _CROWDED
    ax.set_xticks(range(len(heights)), [wrapped(method, _NAME if crowded else _NAME // 2) for method in heights])
    ax.tick_params(axis="x", labelrotation=90 if crowded else 0)
    if minus is not None:
        ax.axhline(0, color=BLACK, linewidth=1)
    ax.grid(visible=False, axis="x")
    _label(ax, x=x, y=_with_unit(quantity, unit, less))


def _less(
    ax: Axes, values: dict[str, np.ndarray], minus: str | np.ndarray | None, control: str
) -> tuple[dict[str, np.ndarray], str]:
    """Differences from `minus` within a replicate, without itself, and the words for it in an axis label."""
    for method in values:
        look(ax, method)  # in order, so that leaving `minus` out changes nobody's look
    if minus is None:
        return values, ""
    if isinstance(minus, str):
        if minus not in values or len(values) == 1:
            raise ValueError(f"minus={minus!r} must be one of two methods or more, these are {', '.join(values)}")
        control, minus = minus, values[minus]
        values = {method: v for method, v in values.items() if method != control}
    minus = _shaped(control, minus, next(iter(values.values())).ndim)
    for method, v in values.items():
        if v.shape != minus.shape:
            raise ValueError(f"{method!r} of shape {v.shape} is not paired with {control!r} of shape {minus.shape}")
    return {m: statistics.paired_differences(v.T, minus.T).T for m, v in values.items()}, f" minus {control}"


def _dots(ax: Axes, rows: Mapping[str, np.ndarray], looks: Mapping[str, tuple[str, str]]) -> None:
    for at, (label, values) in enumerate(rows.items()):
        colour, marker = looks[label]
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, at + spread, ".", color=colour, alpha=0.35, markersize=4, linestyle="none")
        mean, low, high = mean_interval(values)
        error = None if low is None else [[mean - low], [high - mean]]
        ax.errorbar(mean, at, xerr=error, color=colour, marker=marker, markersize=7, capsize=3, linewidth=1.8)
    ax.set_yticks(range(len(rows)), [wrapped(label, _NAME) for label in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def _label(ax: Axes, *, x: str, y: str) -> None:
    if not x.strip() or not y.strip():
        raise ValueError(f"axis labels x={x!r}, y={y!r} must not be empty")
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _with_unit(quantity: str, unit: str, less: str = "") -> str:
    """`gold score (share)`, `gold score minus dpo (share)`; a quantity without a unit is refused."""
    if not quantity.strip() or not unit.strip():
        raise ValueError(f"quantity={quantity!r} and unit={unit!r} must both be named, such as 'gold score', 'share'")
    return f"{quantity}{less} ({unit})"


def _named(values: Mapping) -> Mapping:
    if not values:
        raise ValueError("there is nothing to draw: the mapping of methods to values is empty")
    return values


def _shaped(name: str, values: np.ndarray, dimensions: int) -> np.ndarray:
    values = np.asarray(values, float)
    axes = {1: "(replicates,)", 2: "(seeds, rounds)"}[dimensions]
    if values.ndim != dimensions or not values.size or not np.isfinite(values).all():
        raise ValueError(f"values of {name!r} must be finite and of shape {axes}, not of shape {values.shape}")
    return values
