"""One picture of all central claims: a row a paper, a mark a claim, how far its effect is from nothing."""

from collections import Counter
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autodidact.figures.layout import wrapped
from autodidact.figures.looks import BLACK, BLUE, GREY, VERMILLION

FILLED, HOLLOW, CROSS = ("reproduced", "holds"), ("open", "negligible", "untested"), ("contradicted", "fails")
SIGNS = dict.fromkeys(FILLED, "●") | dict.fromkeys(HOLLOW, "○") | dict.fromkeys(CROSS, "×")
LIMIT = 10.0  # half-widths: what is further out stands at the border
_ROW = 0.165  # inches
_APART = 0.16  # of the axis's unit, between marks beyond the limit

Row = tuple[str, str, Sequence[tuple[float, str]]]


def forest(rows: Sequence[Row], *, width: float = 8.4) -> Figure:
    """All claims of all papers in one figure of `width` inches, fifty papers in some ten inches of height.

    A row is (kind, name, [(value, mark), ...]): a paper of a kind with its claims. `value` is the effect in the claimed
    direction over the half-width of its 95 % interval, so that beyond -1 and 1 the interval leaves out zero; infinite
    for an exact result. `mark` is a verdict: reproduced, holds (a filled circle), open, negligible, untested (hollow),
    contradicted, fails (a cross). Kinds stand in the order of their first paper; the title counts what is drawn.
    Raises ValueError for no rows, a NaN, and a mark of another name.
    """
    _check(rows)
    kinds = {kind: [row for row in rows if row[0] == kind] for kind in dict.fromkeys(row[0] for row in rows)}
    lines = [line for kind, papers in kinds.items() for line in ((kind, None, ()), *papers)]
    figure, ax = plt.subplots(figsize=(width, 1.0 + _ROW * len(lines)))
    for at, (_, name, claims) in enumerate(lines):
        if name is not None:
            ax.axhline(at, color="#e4e4e4", linewidth=0.7, zorder=0.5)
            _row(ax, at, claims)
    _axis(ax, len(lines))
    ax.set_yticks(range(len(lines)), [kind if name is None else name for kind, name, _ in lines], fontsize=9)
    for text, (_, name, _) in zip(ax.get_yticklabels(), lines, strict=True):
        if name is None:
            text.set(style="italic", color=GREY, fontsize=8)
    figure.suptitle(wrapped(title(rows), int(width * 13)), fontsize=10)
    return figure


def title(rows: Sequence[Row]) -> str:
    """`3 central claims of 2 papers: 2 reproduced (●), 1 open (○)`, counted from the rows."""
    counts = Counter(mark for _, _, claims in rows for _, mark in claims)
    parts = ", ".join(f"{counts[mark]} {mark} ({sign})" for mark, sign in SIGNS.items() if counts[mark])
    claims, papers = counts.total(), len(rows)
    many = f"{claims} central claim{'s' * (claims != 1)} of {papers} paper{'s' * (papers != 1)}"
    return f"{many}: {parts}" if parts else many


def place(value: float) -> float:
    """Where a value stands: as it is from -1 to 1, beyond that one step for every doubling, at most at the limit."""
    size = min(abs(value), LIMIT)
    return float(np.sign(value)) * (size if size <= 1 else 1 + np.log2(size))


def _check(rows: Sequence[Row]) -> None:
    if not rows:
        raise ValueError("rows is empty: there is no paper to draw")
    for _, name, claims in rows:
        for value, mark in claims:
            if np.isnan(value):
                raise ValueError(f"a value of {name!r} is {value}, must be a number or infinite")
            if mark not in SIGNS:
                raise ValueError(f"a mark of {name!r} is {mark!r}, must be one of {', '.join(SIGNS)}")


def _row(ax: Axes, at: int, claims: Sequence[tuple[float, str]]) -> None:
    """The claims of a paper; those beyond the limit side by side instead of on one spot."""
    beyond: Counter[float] = Counter()
    for value, mark in sorted(claims):
        x = place(value)
        if abs(value) >= LIMIT:
            side = np.sign(value)
            x -= side * _APART * beyond[side]
            beyond[side] += 1
        if mark in CROSS:
            ax.plot(x, at, "X", color=VERMILLION, markersize=6.5, markeredgecolor="white", markeredgewidth=0.6)
        elif mark in FILLED:
            ax.plot(x, at, "o", color=BLUE, markersize=6, markeredgecolor="white", markeredgewidth=0.6)
        else:
            ax.plot(x, at, "o", markersize=5, markerfacecolor="white", markeredgecolor=GREY, markeredgewidth=1.2)


def _axis(ax: Axes, lines: int) -> None:
    """Zero, the two shaded sides where the interval leaves it out, and ticks in half-widths."""
    border = place(LIMIT) + 0.25
    ax.axvspan(-border, -1, color=VERMILLION, alpha=0.08, linewidth=0, zorder=0)
    ax.axvspan(1, border, color=BLUE, alpha=0.08, linewidth=0, zorder=0)
    ax.axvline(0, color=BLACK, linewidth=1, zorder=0.6)
    ticks = (-8, -4, -2, -1, 0, 1, 2, 4, 8)
    ax.set_xticks([place(tick) for tick in ticks], [f"{tick:g}".replace("-", "\u2212") for tick in ticks], fontsize=9)
    ax.set(xlim=(-border, border), ylim=(lines - 0.4, -0.7))
    what = f"effect in the claimed direction, in half-widths of its 95 % interval ({LIMIT:g} and more at the border)"
    ax.set_xlabel(what, fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
