"""Tables for people: claims, verdicts and results, each as HTML for a notebook and as text for a terminal."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from autodidact.claims.paper import Claim
from autodidact.claims.statistics import Interval, mean_interval

_SIGNS = {"greater": ">", "less": "<", "equal": "=", "at_least": "≥", "at_most": "≤"}
_OURS = {"reproduced": "holds", "contradicted": "fails"}  # nobody else has published what is ours
_COLOURS = {
    **dict.fromkeys(["reproduced", "holds"], "#00664b"),
    **dict.fromkeys(["contradicted", "fails"], "#a83c00"),
    **dict.fromkeys(["negligible", "open", "untested"], "#555555"),
}
_ARMS = {"treatment": "treatment", "control": "control"}
Cell = Any


def number(value: float) -> str:
    """Three significant digits, more for whole thousands: 0.123, 12.3, 12345, 1.23e-06."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def with_interval(mean: float, bounds: Sequence[float] | None) -> str:
    """`0.61 [0.58, 0.64]`, or the mean alone where there are no bounds."""
    return number(mean) if bounds is None else f"{number(mean)} [{number(bounds[0])}, {number(bounds[1])}]"


def word(claim: Mapping[str, Any]) -> str:
    """The verdict of a record's claim as people see it: a claim of ours holds or fails, the paper's is reproduced."""
    return _OURS.get(claim["verdict"], claim["verdict"]) if claim["whose"] == "ours" else claim["verdict"]


def claims_rows(claims: Sequence[Claim]) -> list[dict[str, str]]:
    """The claims of a paper, a row each: what it says, how it is tested, and the paper's own figure."""
    return [
        {
            "claim": claim.id,
            "role": _role(claim.role, claim.whose),
            "says": claim.says,
            "measured": f"{claim.measures} ({claim.unit})",
            "expected": _expected(claim.treatment, claim.control, claim.expects, claim.margin),
            "test": claim.test + (f", needs {claim.needs}" if claim.needs else ""),
            "the paper reports": claim.reported,
        }
        for claim in claims
    ]


def verdict_rows(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """The verdicts of a record, a row a claim: effect with 95 % interval and unit, adjusted p, replicates, verdict."""
    return [
        {
            "claim": claim["id"],
            "role": _role(claim["role"], claim["whose"]),
            "expected": _expected(**claim.get("arms", _ARMS), expects=claim["expects"], margin=claim["margin"]),
            "effect [95 % interval]": f"{effect(claim)} {claim['unit']}",
            "p (Holm)": "exact" if claim["test"] == "exact" else _p(claim["p_holm"]),
            "n": f"{len(claim['replicates'])}",
            "verdict": word(claim),
            "note": _remark(claim),
        }
        for claim in record["claims"]
    ]


def effect(claim: Mapping[str, Any]) -> str:
    """The mean difference of a record's claim with its 95 % interval, without the unit."""
    return with_interval(claim["mean_difference"], claim["ci95"])


def html_table(rows: Sequence[Mapping[str, Cell]], caption: str = "") -> str:
    """Rows as an HTML table, a column for every name that occurs; verdicts are coloured, and named in words beside."""
    columns = _columns(rows)
    head = "".join(f"<th style='text-align:left'>{escape(str(name))}</th>" for name in columns)
    body = "\n".join(f"<tr>{''.join(_td(row.get(name, '')) for name in columns)}</tr>" for row in rows)
    title = f"<caption style='text-align:left'>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def text_table(rows: Sequence[Mapping[str, Cell]], caption: str = "") -> str:
    """Rows as aligned text, a column for every name that occurs."""
    columns = _columns(rows)
    lines = [list(map(str, columns)), *([render(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(([caption] if caption else []) + text)


def render(cell: Cell) -> str:
    """A table cell as text: an interval or a list of per-seed values as mean with its 95 % interval."""
    if isinstance(cell, (list, np.ndarray)) and np.ndim(cell) == 1 and len(cell):
        cell = mean_interval(cell)
    if isinstance(cell, Interval):
        return with_interval(cell.mean, None if cell.low is None else (cell.low, cell.high))
    if isinstance(cell, (float, np.floating)):
        return number(float(cell))
    return "" if cell is None else str(cell)


def _columns(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """The names of all cells, each where it first occurs."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _td(cell: Cell) -> str:
    text = escape(render(cell))
    colour = _COLOURS.get(text)
    style = f"text-align:left;color:{colour};font-weight:bold" if colour else "text-align:left"
    return f"<td style='{style}'>{text}</td>"


def _expected(treatment: str, control: str, expects: str, margin: float | None) -> str:
    tolerance = f" ± {number(margin)}" if margin else ""
    return f"{treatment} {_SIGNS[expects]} {control}{tolerance}"


def _role(role: str, whose: str) -> str:
    return f"{role}, ours" if whose == "ours" else role


def _p(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _remark(claim: Mapping[str, Any]) -> str:
    """What a reader needs beside the verdict: the worst replicate, the second interval, why nothing can be said."""
    worst, bootstrap = claim.get("worst"), claim.get("bootstrap95")
    remarks = [claim.get("note") or ""]
    if claim["needs"] and claim["verdict"] == "untested":
        remarks.append(f"gate: {claim['needs']}")
    if claim["decides"]:
        remarks.append(f"{claim['decides']} {plural(claim['replicate'])} would decide")
    if worst:
        pair = f"{number(worst['treatment'])} against {number(worst['control'])}"
        remarks.append(f"worst {claim['replicate']}: {worst['replicate']}, {pair}")
    if bootstrap:
        remarks.append(f"skewed; bootstrap [{number(bootstrap[0])}, {number(bootstrap[1])}]")
    return "; ".join(filter(None, remarks))


def plural(kind: str) -> str:
    """A kind of replicate in the plural: seeds, pairs of prompts; what is no word, or ends in s, stays as it is."""
    first, of, rest = kind.partition(" of ")
    return f"{first}s{of}{rest}" if first.isalpha() and not first.endswith("s") else kind
