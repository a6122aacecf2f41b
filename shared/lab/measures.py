"""From the results of a study's seeds to its measurements and the rows of its tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodidact.claims import over_seeds

if TYPE_CHECKING:
    from autodidact.claims import Study


def measure_arms(study: "Study", runs: Mapping[int, Any], value: Callable[[Any, str], float], *claims: str) -> None:
    """Measure claims whose treatment and control in `paper.yaml` are names of arms: value(a seed's result, arm).

    Raises ValueError for a claim that `paper.yaml` has not.
    """
    named = {claim.id: claim for claim in study.paper.claims}
    unknown = [claim for claim in claims if claim not in named]
    if unknown:
        raise ValueError(f"claim {unknown[0]!r} is unknown; known are {', '.join(named)}")
    for s, r in runs.items():
        for claim in claims:
            treatment, control = (value(r, arm) for arm in (named[claim].treatment, named[claim].control))
            study.measure(claim, treatment=treatment, control=control, replicate=s)


def measure_runs(study: "Study", runs: Mapping[int, Any], numbers: Callable[[Any], Mapping[str, tuple]]) -> None:
    """Measure what numbers(a seed's result) says: claim to (treatment, control)."""
    for s, r in runs.items():
        for claim, (treatment, control) in numbers(r).items():
            study.measure(claim, treatment=treatment, control=control, replicate=s)


def arm_rows(
    runs: Mapping[int, Any], arms: Sequence[str] | Mapping[str, Any], columns: Mapping[str, Any], head: str = "arm"
) -> list[dict[str, Any]]:
    """Rows for `study.table`, one an arm: what every seed measured of it under each column.

    arms: keys of a seed's result, or name to the path of keys and functions that leads to the arm's own results.
    columns: title to the path from there (a key, a function, or a tuple of them), as `over_seeds` takes it. A cell is
    left out where an arm has no such key. Raises ValueError for a column that no arm has.
    """
    paths = arms if isinstance(arms, Mapping) else {arm: arm for arm in arms}
    rows = [{head: arm} | _cells(runs, _steps(path), columns) for arm, path in paths.items()]
    empty = [title for title in columns if not any(title in row for row in rows)]
    if empty:
        raise ValueError(f"column {empty[0]!r}: no arm has {columns[empty[0]]!r}; arms are {', '.join(paths)}")
    return rows


def _cells(runs: Mapping[int, Any], arm: tuple, columns: Mapping[str, Any]) -> dict[str, Any]:
    cells = {}
    for title, path in columns.items():
        try:
            cells[title] = over_seeds(runs, *arm, *_steps(path))
        except (KeyError, IndexError):  # this arm was not measured so
            continue
    return cells


def _steps(path: Any) -> tuple:
    return path if isinstance(path, tuple) else (path,)
