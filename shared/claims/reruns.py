"""Two runs of the same study beside each other: whether their numbers agree, and the stamp of a record that holds.

Changed code does not make numbers false, changed numbers do. So a record whose code changed is not stale by that: a
rerun of its first replicates is compared with it, and where they agree the record is stamped with the new code.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autodidact.claims.record import read_record
from autodidact.places import papers_folder

EQUAL = 1e-9  # relative size of a difference that is rounding, on the same kind of machine
# Elsewhere, in standard deviations over the record's replicates. Measured with seed 0, base and all, under
# ATEN_CPU_CAPABILITY default, avx2 and avx512: numbers of sppo and spin lie 0.1 apart at the median and 1.0 at most;
# those of dstc, whose base takes 2,500 steps, 0.6 and 1.9 (avx2, avx512). Rounding grows with training: after so many
# steps it is another base, and what is measured on it are the numbers of another seed. Two seeds of ten lie within 8 in
# all of some sixty numbers with a chance of 99 %. So elsewhere the check finds gross faults only.
TOLERANCE = 8.0
_OWN_SEEDS = ("seed", "seeds")
_LIBRARIES = ("numpy", "torch")


class Difference(NamedTuple):
    """A number of a record that a rerun does not repeat."""

    claim: str
    replicate: int | str
    side: str
    recorded: float
    found: float

    def __str__(self) -> str:
        return (
            f"claim {self.claim!r}, {self.side} of replicate {self.replicate!r}: {self.recorded!r}, now {self.found!r}"
        )


def compare(record: Mapping[str, Any], rerun: Mapping[str, Any], tolerance: float | None = None) -> list[Difference]:
    """Every number of the record that the rerun measured too and that came out otherwise.

    tolerance: how far numbers may lie apart, in standard deviations of that side of that claim over the record's
    replicates (of a single replicate: in units of the number itself); by default 0 on the same kind of machine, where
    only rounding is forgiven, and 8 elsewhere. Raises ValueError where the two are not of one paper, scale and
    parameters, or have no replicate of any claim in common.
    """
    differing = parameters_that_differ(record, rerun)
    if differing:
        raise ValueError(f"cannot compare runs of {record['paper']}: they differ in {', '.join(differing)}")
    if tolerance is None:
        tolerance = 0.0 if same_machine(record, rerun) else TOLERANCE
    moved, shared = [], 0
    again = {claim["id"]: claim for claim in rerun["claims"]}
    for claim in record["claims"]:
        other = again.get(claim["id"], {"replicates": []})
        places = {replicate: i for i, replicate in enumerate(other["replicates"])}
        for side in ("treatment", "control"):
            spread = _spread(claim[side])
            for replicate, value in zip(claim["replicates"], claim[side], strict=True):
                if replicate in places:
                    shared += 1
                    now = other[side][places[replicate]]
                    if not math.isclose(value, now, rel_tol=EQUAL, abs_tol=1e-12):
                        apart = abs(value - now) / spread if spread else math.inf
                        moved.append((apart, Difference(claim["id"], replicate, side, value, now)))
    if not shared:
        raise ValueError(f"cannot compare runs of {record['paper']}: they have no replicate of any claim in common")
    return [difference for apart, difference in moved if apart > tolerance]


def parameters_that_differ(record: Mapping[str, Any], rerun: Mapping[str, Any]) -> list[str]:
    """Names in which two runs are not the same run: paper, scale, and every parameter but the seeds."""
    one, two = record["parameters"], rerun["parameters"]
    names = [name for name in {**one, **two} if name not in _OWN_SEEDS and one.get(name) != two.get(name)]
    return [name for name in ("paper", "scale") if record[name] != rerun[name]] + names


def same_machine(record: Mapping[str, Any], rerun: Mapping[str, Any]) -> bool:
    """Whether numbers must be equal: the same processor, instructions, threads, device, NumPy and torch, and all known.

    Local versions count as the same: `2.13.0+cpu` and `2.13.0` have the same kernels for a processor.
    """
    kinds = [
        [run.get("device"), *((run.get("machine") or {}).get(k) for k in ("cpu", "capability", "threads")),
         *(run["versions"].get(k, "").partition("+")[0] for k in _LIBRARIES)]
        for run in (record, rerun)
    ]  # fmt: skip
    return kinds[0] == kinds[1] and "machine" in record and kinds[0][1] is not None


def stamp(record: Mapping[str, Any], rerun: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the code of a rerun that agrees with it, and a line in `confirmed` that says what confirmed it.

    Raises ValueError, naming the first difference, where they do not agree.
    """
    differences = compare(record, rerun)
    if differences:
        raise ValueError(f"{record['paper']}: {len(differences)} numbers differ; {differences[0]}")
    seeds = rerun["parameters"]["seed"], rerun["parameters"]["seeds"]
    entry = {
        "before": digest(record["code"]),
        "code": digest(rerun["code"]),
        "seeds": list(range(seeds[0], sum(seeds))),
    }
    if "machine" in rerun:
        entry["machine"] = dict(rerun["machine"])
    return {**record, "code": dict(rerun["code"]), "confirmed": [*record.get("confirmed", ()), entry]}


def check_against_published(record: Mapping[str, Any]) -> None:
    """Raise ValueError that names claim, replicate and both numbers where a run departs from the published record.

    That is the paper's own notebook at toy, `results/<scale>.ipynb` at another scale; where there is none, or no
    replicate is common to both, there is nothing to check. Other parameters than the record's are a departure: a preset
    was changed and not published again.
    """
    path = published_path(record["paper"], record["scale"])
    if not path.is_file():
        return
    published = read_record(path)
    differing = parameters_that_differ(published, record)
    if differing:
        raise ValueError(f"{record['paper']} is published with other parameters: {', '.join(differing)}")
    if not _replicates(published) & _replicates(record):
        return
    differences = compare(published, record)
    if differences:
        more = f" (and {len(differences) - 1} numbers more)" if len(differences) > 1 else ""
        raise ValueError(f"{record['paper']} is not as published at {record['scale']}: {differences[0]}{more}")


def published_path(slug: str, scale: str) -> Path:
    """The notebook that holds a paper's published record of a scale, whether it exists or not."""
    folder = papers_folder() / slug
    return folder / f"{slug}.ipynb" if scale == "toy" else folder / "results" / f"{scale}.ipynb"


def digest(code: Mapping[str, Any]) -> str:
    """One SHA-256 of all the hashes of a record's code."""
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()


def _replicates(record: Mapping[str, Any]) -> set[tuple[str, Any]]:
    return {(claim["id"], replicate) for claim in record["claims"] for replicate in claim["replicates"]}


def _spread(values: list[float]) -> float:
    """Standard deviation over replicates; where they do not vary, or there is one, the size of the number itself."""
    return float(np.std(values, ddof=1)) or abs(values[0]) if len(values) > 1 else abs(values[0])
