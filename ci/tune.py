"""A paper on a grid of parameters, on seeds that no record has: `make tune PAPER=sppo GRID="beta=0.05,0.1"`.

Every point of the grid is a run of the notebook; of every claim the table has the treatment's and the control's mean
and standard deviation over the replicates, by arm. It is kept as `papers/<slug>/results/tuning.csv`: a row that is
measured again replaces the old one, all others stay. A point that was run with the present code is not run again.
"""

import argparse
import csv
import io
import json
import shlex
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from autodidact.claims import resolve
from autodidact.claims.paper import load_paper
from autodidact.claims.record import read_record
from autodidact.claims.tables import text_table
from autodidact.provenance import current_code
from ci import arguments, run
from ci.board import Board
from ci.check import TUNING_SEED
from ci.files import ROOT, only_one, shown, write_atomic
from ci.jobs import Job, run_all
from ci.plan import notebook

RUNS = ROOT / "build" / "tune"
SEEDS = f"{TUNING_SEED}-{TUNING_SEED + 2}"
KEY = ("scale", "seeds", "parameters", "claim", "arm")
COLUMNS = (*KEY, "unit", "mean", "sd", "n")
Row = dict[str, str]


def parse_grid(text: str) -> list[dict[str, Any]]:
    """All points of `beta=0.05,0.1 rounds=2,3`, first name slowest; one point without parameters where it is empty.

    A value is read as behind `-p`; a list stands in brackets, as in `noise=[0,0.1],[0,0.2]`, and is YAML. Raises
    ValueError for a word without `=`, a name that is given twice or has no value.
    """
    names: dict[str, list[Any]] = {}
    for word in shlex.split(text):
        name, sign, values = word.partition("=")
        if not sign or not name or not values:
            raise ValueError(f"GRID={text!r}: {word!r} must read name=value,value")
        if name in names:
            raise ValueError(f"GRID={text!r}: {name!r} is given more than once")
        if name in arguments.OWN:
            raise ValueError(f"GRID={text!r}: parameter {name!r} is set by {arguments.OWN[name]}=")
        names[name] = [arguments.value(name, part) for part in _parts(values)]
    return [dict(zip(names, point, strict=True)) for point in product(*names.values())]


def rows(record: Mapping[str, Any], point: Mapping[str, Any], arms: Sequence[str] = ()) -> Iterator[Row]:
    """Rows of the table out of one run: both sides of every claim, or those of the named arms."""
    first = record["parameters"]["seed"]
    last = first + record["parameters"]["seeds"] - 1
    own = {"scale": record["scale"], "seeds": f"{first}-{last}", "parameters": json.dumps(point, sort_keys=True)}
    for claim in record["claims"]:
        for side in ("treatment", "control"):
            arm, values = claim["arms"][side], claim[side]
            if not arms or arm in arms:
                spread = f"{statistics.stdev(values):.6g}" if len(values) > 1 else ""
                numbers = {"mean": f"{statistics.fmean(values):.6g}", "sd": spread, "n": str(len(values))}
                yield {**own, "claim": claim["id"], "arm": arm, "unit": claim["unit"], **numbers}


def merge(place: Path, new: Sequence[Row]) -> None:
    """Put rows into the table at `place`, each in place of the one with the same key; sorted, whole or not at all."""
    old = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8")))) if place.is_file() else []
    table = {tuple(row[name] for name in KEY): row for row in (*old, *new)}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table[key] for key in sorted(table))
    write_atomic(place, text.getvalue())


def table_place(slug: str) -> Path:
    """Where a paper's tuning table is kept."""
    return notebook(slug).parent / "results" / "tuning.csv"


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    try:
        slug, arms, jobs = _plan(options)
        limit = arguments.whole("JOBS", options.jobs)
        with only_one(RUNS / slug):
            return _tune(slug, arms, jobs, limit)
    except ValueError as error:
        print(f"tune: {error}", file=sys.stderr)
        return 2


def _plan(options: argparse.Namespace) -> tuple[str, list[str], list[tuple[Job, dict[str, Any]]]]:
    """Paper, arms, and a job with its point for every point of the grid, all checked."""
    slugs = options.papers.split()
    if len(slugs) != 1:
        raise ValueError(f"PAPER={options.papers.strip()!r} must name one paper")
    arguments.parse_papers(slugs[0])
    arms = _arms(slugs[0], options.arms)
    scale, seeds = options.scale or run.DEFAULT_SCALE, options.seeds or SEEDS
    if min(arguments.parse_seeds(seeds)) < TUNING_SEED:
        raise ValueError(f"SEEDS={seeds!r}: tuning takes seeds from {TUNING_SEED} on; those below are for records")
    jobs = []
    for point in parse_grid(options.grid):
        args = f"{options.args} -y {shlex.quote(json.dumps(point))}"
        folder = RUNS / slugs[0] / run.variant(scale, seeds, args)
        jobs += [(run.plan(slugs[0], scale, seeds, args, folder)[0], arguments.parse_parameters(args))]
    return slugs[0], arms, jobs


def _arms(slug: str, text: str) -> list[str]:
    """The arms of `sppo, dpo`, each of which some claim of the paper names."""
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    known = sorted({arm for claim in load_paper(slug).claims for arm in (claim.treatment, claim.control)})
    for name in wanted:
        if name not in known:
            raise ValueError(f"ARMS={text!r}: no claim of {slug} has the arm {name!r}{arguments.near(name, known)}")
    return wanted


def _tune(slug: str, arms: list[str], jobs: list[tuple[Job, dict[str, Any]]], limit: int) -> int:
    waiting = [job for job, _ in jobs if not _current(job)]
    board = Board()
    board.say(f"{len(jobs)} points, {len(jobs) - len(waiting)} of them run before")
    for job in waiting:
        job.label = job.output.parent.name
    try:
        run_all(waiting, limit, lambda job: board.say(f"{job.label}: {job.error or 'done'}"), board)
    except KeyboardInterrupt:
        return 130
    finally:
        found = [row for job, point in jobs if _current(job) for row in rows(read_record(job.output), point)]
        if found:
            merge(table_place(slug), found)
    print(text_table([row for row in found if not arms or row["arm"] in arms]) if found else "nothing was measured")
    print(f"table: {shown(table_place(slug))}")
    return 1 if any(job.error for job in waiting) else 0


def _current(job: Job) -> bool:
    """Whether a job's output is there, whole, and of the present code and presets."""
    try:
        record = read_record(job.output)
    except (OSError, ValueError):
        return False
    wanted = resolve(load_paper(job.slug), job.parameters.get("scale", "toy"), job.parameters)
    wanted.pop("scale")
    return record["code"] == current_code(record) and record["parameters"] == wanted


def _parts(text: str) -> list[str]:
    """`a,[b,c]` at the commas outside of brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.tune", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="one slug")
    parser.add_argument("--grid", default="", help="name=value,value name=value,value; default: the preset alone")
    parser.add_argument("--arms", default="", help="arms to show, separated by commas; default: all. The file has all")
    parser.add_argument("--scale", default="", help="default: toy")
    parser.add_argument("--seeds", default="", help=f"default: {SEEDS}")
    parser.add_argument("--jobs", default="2", help="how many notebooks run at once")
    parser.add_argument("--args", default="", help="-p NAME VALUE at every point, any number of times")
    return parser


if __name__ == "__main__":
    sys.exit(main())
