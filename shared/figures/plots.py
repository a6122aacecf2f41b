"""Plots of seeds x rounds arrays and of paired differences: every mean stands with its 95 % t interval.

Every function draws on the axes it is given and names quantity and unit on them; none of them computes a verdict.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from autodidact.claims import statistics
from autodidact.claims.statistics import mean_interval, t_interval
from autodidact.figures.palette import BLACK, GREY, method_style

_CROWDED = 4  # more methods than this need room of their own for their names


def by_round(
    ax: Axes,
    series: Mapping[str, np.ndarray],
    *,
    quantity: str,
    unit: str,
    x: str = "round",
    rounds: Sequence[float] | None = None,
) -> None:
    """One line a method over rounds: mean over seeds, with the 95 % t interval of the mean as a band.

    `series` maps a method to an array (seeds, rounds). `x` names the horizontal axis, unit included; `rounds` are its
    values (0, 1, ... by default). Raises ValueError for an array of other shape, and for an empty label.
    """
    for method, values in _named(series).items():
        values = _shaped(method, values, 2)
        at = np.arange(values.shape[1]) if rounds is None else np.asarray(rounds, float)
        if len(at) != values.shape[1]:
            raise ValueError(f"rounds has {len(at)} values, but {method!r} has {values.shape[1]} columns")
        mean, low, high = t_interval(values.T)
        style = method_style(method)
        ax.plot(at, mean, label=method, **style)
        if len(values) > 1:
            ax.fill_between(at, low, high, color=style["color"], alpha=0.15, linewidth=0)
    if rounds is None:
        ax.set_xticks(range(max(np.shape(v)[1] for v in series.values())))
    _label(ax, x=x, y=_with_unit(quantity, unit))
    outside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}  # a long legend would cover the lines
    ax.legend(**(outside if len(series) > _CROWDED else {}))


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
        ax.legend()
    ax.axvline(0, color=BLACK, linewidth=1)
    rows = {
        label: statistics.paired_differences(treatment, control)
        for label, (treatment, control) in _named(pairs).items()
    }
    _dots(ax, rows, {label: {"color": BLACK, "marker": "o"} for label in rows})
    _label(ax, x=_with_unit(quantity, unit), y="comparison")


def dots(ax: Axes, values: Mapping[str, np.ndarray], *, quantity: str, unit: str, y: str = "method") -> None:
    """One row a method: every value of its (replicates,) as a faint dot, the mean and its 95 % t interval."""
    rows = {method: _shaped(method, v, 1) for method, v in _named(values).items()}
    _dots(ax, rows, {method: method_style(method) for method in rows})
    _label(ax, x=_with_unit(quantity, unit), y=y)


def bars(ax: Axes, values: Mapping[str, np.ndarray], *, quantity: str, unit: str, x: str = "method") -> None:
    """One bar a method, from zero to the mean of its (replicates,), with the 95 % t interval; zero must mean none."""
    for at, (method, v) in enumerate(_named(values).items()):
        mean, low, high = mean_interval(_shaped(method, v, 1))
        error = None if low is None else [[mean - low], [high - mean]]
        ax.bar(at, mean, yerr=error, color=method_style(method)["color"], capsize=3, width=0.7)
    ax.set_xticks(range(len(values)), list(values))
    if len(values) > _CROWDED:
        ax.tick_params(axis="x", labelrotation=45)
    ax.grid(visible=False, axis="x")
    _label(ax, x=x, y=_with_unit(quantity, unit))


def _dots(ax: Axes, rows: Mapping[str, np.ndarray], styles: Mapping[str, Mapping[str, str]]) -> None:
    for at, (label, values) in enumerate(rows.items()):
        colour, marker = styles[label]["color"], styles[label]["marker"]
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, at + spread, ".", color=colour, alpha=0.35, markersize=4, linestyle="none")
        mean, low, high = mean_interval(values)
        error = None if low is None else [[mean - low], [high - mean]]
        ax.errorbar(mean, at, xerr=error, color=colour, marker=marker, markersize=7, capsize=3, linewidth=1.8)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def _label(ax: Axes, *, x: str, y: str) -> None:
    if not x.strip() or not y.strip():
        raise ValueError(f"axis labels x={x!r}, y={y!r} must not be empty")
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _with_unit(quantity: str, unit: str) -> str:
    """`gold score (share)`; a quantity without a unit is refused."""
    if not quantity.strip() or not unit.strip():
        raise ValueError(f"quantity={quantity!r} and unit={unit!r} must both be named, such as 'gold score', 'share'")
    return f"{quantity} ({unit})"


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
