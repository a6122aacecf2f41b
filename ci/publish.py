"""Execute a paper's notebook and commit-ready write it: `make publish PAPER=sppo`, or with `SCALE=small SEEDS=3`.

At its default the notebook replaces itself; at another scale it becomes `results/<scale>.ipynb`. What `make check`
would refuse is refused before anything runs, and outputs of which the form test would complain are not published.
Nothing machine-bound stays in the file: no times, no paths, no kernel versions. Two runs of the same code differ in the
record's `seconds`.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat

from autodidact.claims.finding import changed_claims
from autodidact.claims.paper import load_paper
from autodidact.claims.record import read_record
from autodidact.claims.reruns import published_path
from autodidact.claims.tables import text_table, verdict_rows
from ci import check, form, run
from ci.board import Board
from ci.files import ROOT, only_one, shown, write_atomic
from ci.form import PUBLISHED_SEEDS
from ci.jobs import Job, run_all

SCRATCH = ROOT / "build" / "publish"
KEPT = ("tags", "jupyter", "slideshow")  # metadata of cells that a person set
DEFAULT_SCALE = run.DEFAULT_SCALE
INJECTED = "injected-parameters"


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    folder = Path(options.out)
    try:
        scale = "" if options.scale == DEFAULT_SCALE else options.scale
        _check(options, scale)
        jobs = run.plan(options.papers, scale, options.seeds, options.args, folder)
        if _refused(jobs):
            return 1
        with only_one(folder):
            return _publish(jobs)
    except ValueError as error:
        print(f"publish: {error}", file=sys.stderr)
        return 2


def target(slug: str, parameters: dict[str, Any]) -> Path:
    """Where a notebook with these parameters is published: its own place, or `results/<scale>.ipynb`."""
    return published_path(slug, parameters.get("scale", DEFAULT_SCALE)).resolve()


def clean(executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of an executed notebook without anything that a second run on another machine would change."""
    cells = [_clean_cell(cell, number) for number, cell in enumerate(executed.cells)]
    copy = nbformat.from_dict({"cells": cells, "metadata": form.METADATA, "nbformat": 4, "nbformat_minor": 5})
    nbformat.validate(copy)
    return copy


def write(executed: Path, place: Path) -> None:
    """Clean an executed notebook and put it at `place`, whole or not at all."""
    save(nbformat.read(executed, as_version=4), place)


def save(notebook: nbformat.NotebookNode, place: Path) -> None:
    """Clean a notebook and put it at `place`, whole or not at all, in the bytes that JupyterLab would write."""
    write_atomic(place, nbformat.writes(clean(notebook)) + "\n")


def _check(options: argparse.Namespace, scale: str) -> None:
    if not options.papers.strip():
        raise ValueError("PAPER= is missing: name the papers to publish")
    if not scale and (options.seeds or options.args):
        raise ValueError(f"SEEDS= and ARGS= go with another SCALE= only; at {DEFAULT_SCALE} the notebook's own stand")


def _refused(jobs: list[Job]) -> bool:
    """Whether any notebook is not fit to be run; says why."""
    problems = {job.slug: check.static_problems(job.slug) for job in jobs}
    for slug, found in problems.items():
        for problem in found:
            print(f"{slug}: {problem}", file=sys.stderr)
    return any(problems.values())


def _publish(jobs: list[Job]) -> int:
    board = Board()
    try:
        run_all(jobs, 1, lambda job: board.say(_finish(job)), board)
    except KeyboardInterrupt:
        return 130
    return 1 if any(job.error for job in jobs) else 0


def record_problems(slug: str, record: dict[str, Any], place: Path) -> list[str]:
    """What keeps a record from being published at `place`: it can decide nothing, or measures anew what it has seen.

    A run of another scale of which all claims but controls and exact ones are untested is no record. A claim that
    changed after its seeds were run is measured on seeds that were not run: rules that are fixed in advance are what
    makes a verdict one.
    """
    measured = [c["verdict"] for c in record["claims"] if c["role"] != "control" and c["test"] != "exact"]
    if record["scale"] != DEFAULT_SCALE and all(verdict == "untested" for verdict in measured):
        return ["no claim but a control can be decided by so few replicates"]
    try:
        before = read_record(place)
    except (OSError, ValueError):  # nothing is published there yet
        return []
    changed, seen = changed_claims(load_paper(slug), before), {c["id"]: set(c["replicates"]) for c in before["claims"]}
    return [
        f"claim {claim['id']} changed after its seeds were run; set `seed` to {PUBLISHED_SEEDS} or a later one"
        for claim in record["claims"]
        if claim["id"] in changed and claim["test"] != "exact" and seen.get(claim["id"], set()) & {*claim["replicates"]}
    ]


def _finish(job: Job) -> str:
    """Publish what a job executed, or say what keeps it from that; the lines to show."""
    if job.error:
        return run.outcome(job)
    try:
        record = read_record(job.output)
        lines = [text_table(verdict_rows(record), job.slug)]
    except ValueError as error:  # it has no record
        lines, job.error = [f"{job.slug}: failed, {error}"], str(error)
    if job.error is None:
        place = target(job.slug, job.parameters)
        problems = form.output_problems(job.output) + record_problems(job.slug, record, place)
        if problems:
            job.error = problems[0]
            lines += [f"not published, kept in {shown(job.output)}:", *(f"  {problem}" for problem in problems)]
        else:
            write(job.output, place)
            lines.append(f"published: {shown(place)}")
    return "\n".join(lines)


def _clean_cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    tags = cell["metadata"].get("tags", [])
    metadata = {key: cell["metadata"][key] for key in KEPT if cell["metadata"].get(key)}
    name = INJECTED if INJECTED in tags else cell.get("id") or f"cell-{number:02d}"
    kept = {"cell_type": cell["cell_type"], "id": name, "metadata": metadata, "source": cell["source"]}
    if "attachments" in cell:
        kept["attachments"] = cell["attachments"]
    if cell["cell_type"] == "code":
        kept |= {"execution_count": cell["execution_count"], "outputs": _joined_streams(cell["outputs"])}
    return kept


def _joined_streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs with neighbouring pieces of one stream joined: where they break is chance."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" == last.get("output_type") and output["name"] == last["name"]:
            joined[-1] = {**last, "text": last["text"] + output["text"]}
        else:
            joined.append(dict(output))
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.publish", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks")
    parser.add_argument("--scale", default="", help="another scale than the notebook's own")
    parser.add_argument("--seeds", default="", help="default: as the notebook says")
    parser.add_argument("--args", default="", help="-p NAME VALUE, any number of times")
    parser.add_argument("--out", default=str(SCRATCH), help="where notebooks are executed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
