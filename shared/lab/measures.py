"""From the results of a study's seeds to its measurements and the rows of its tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.claims import over_seeds

if TYPE_CHECKING:
    from autodidact.claims import Study


def measure_arms(study: "Study", runs: Mapping[int, Any], value: Callable[[Any, str], Any], *claims: str) -> None:
    """Measure claims whose treatment and control in `paper.yaml` are names of arms: value(a seed's result, arm).

    A value is a number, or an array with an entry for each item: `measure_runs` says what becomes of it. A claim that
    is not judged at this scale is passed over, its arms need not be there. Raises ValueError for a claim that
    `paper.yaml` has not.
    """
    named = {claim.id: claim for claim in study.paper.claims}
    unknown = [claim for claim in claims if claim not in named]
    if unknown:
        raise ValueError(f"claim {unknown[0]!r} is unknown; known are {', '.join(named)}")
    for claim in filter(study.judged.__contains__, claims):
        arms = named[claim].treatment, named[claim].control
        _measure(study, claim, {s: tuple(value(r, arm) for arm in arms) for s, r in runs.items()})


def measure_runs(study: "Study", runs: Mapping[int, Any], numbers: Callable[[Any], Mapping[str, tuple]]) -> None:
    """Measure what numbers(a seed's result) says: claim to (treatment, control), each a number or an array of items.

    Where the claim's replicates are seeds, a seed's array counts by its mean; where they are items (`judged` in
    `paper.yaml`), every item is a replicate, with its mean over the seeds. Raises ValueError where the claim asks for
    items and there are none, or seeds differ in how many they have.
    """
    said = {s: numbers(r) for s, r in runs.items()}
    for claim in dict.fromkeys(claim for one in said.values() for claim in one):
        _measure(study, claim, {s: one[claim] for s, one in said.items() if claim in one})


def _measure(study: "Study", claim: str, pairs: Mapping[int, tuple]) -> None:
    """Note (treatment, control) of every seed, or of every item."""
    if study.replicate_kinds.get(claim, "seed") == "seed":
        for s, (treatment, control) in pairs.items():
            study.measure(claim, treatment=np.mean(treatment), control=np.mean(control), replicate=s)
        return
    both = [np.broadcast_arrays(*map(np.asarray, pair)) for pair in pairs.values()]
    shapes = sorted({treatment.shape for treatment, _ in both})
    if len(shapes) != 1 or len(shapes[0]) != 1:
        raise ValueError(f"claim {claim!r}: its replicates are items, but the seeds' values have the shapes {shapes}")
    treatment, control = np.mean(both, axis=0)
    study.measure_each(claim, treatment=treatment, control=control, replicates=range(len(treatment)))


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
