"""Execute the papers' notebooks and lay their verdicts beside the published ones: `make run`, the tour.

`make run` takes every paper with two seeds, `make run SEEDS=10` the whole of it, `make run PAPER=sppo SCALE=small
ARGS="-p beta 0.05"` one paper as you want it. The quickest go first. Executed notebooks lie in a folder that is named
by scale, seeds and parameters, below `build/run` or OUT=; an earlier one is replaced only by one that is whole. A
failed notebook is kept with its traceback; the others go on, and the exit status is 1. Bad input: exit status 2.
"""

import argparse
import hashlib
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodidact.claims.record import read_record
from autodidact.claims.reruns import parameters_that_differ, published_path
from autodidact.claims.tables import effect, number, word
from ci import arguments
from ci.agreement import EQUAL, OFF, WITHIN, agreement
from ci.board import Board
from ci.entries import executed
from ci.execute import kept
from ci.files import ROOT, only_one, shown
from ci.jobs import Job, run_all
from ci.plan import notebook

RUNS = ROOT / "build" / "run"
DEFAULT_SCALE = "toy"
TOUR_SEEDS = {DEFAULT_SCALE: "2"}  # at another scale a seed takes long, and one shows what comes out
ROW = "{:<24} {:<28} {:<13} {:<32} {:<10} {}"
HEAD = ROW.format("paper", "claim", "published", "effect there [95 % interval]", "here", "numbers")
NAME_LENGTH = 80


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    scale = options.scale or DEFAULT_SCALE
    seeds = options.seeds or TOUR_SEEDS.get(scale, "1")
    try:
        folder = Path(options.out or RUNS).resolve() / variant(scale, seeds, options.args)
        jobs = plan(options.papers, options.scale, seeds, options.args, folder)
        limit = arguments.whole("JOBS", options.jobs)
        with only_one(folder):
            return _run(jobs, limit, folder)
    except ValueError as error:
        print(f"run: {error}", file=sys.stderr)
        return 2


def plan(papers: str, scale: str, seeds: str, args: str, folder: Path) -> list[Job]:
    """The jobs of what was typed, quickest first; ValueError in one line for whatever is wrong with it.

    Without `seeds` and `scale` a notebook runs as its own parameters cell says.
    """
    slugs, given = arguments.parse_papers(papers), arguments.parse_parameters(args)
    parameters = given | ({"scale": scale} if scale else {}) | (_span(seeds) if seeds else {})
    arguments.check(slugs, scale or DEFAULT_SCALE, {k: v for k, v in parameters.items() if k != "scale"})
    folder = folder.resolve()
    return [Job(s, notebook(s), folder / f"{s}.ipynb", parameters) for s in sorted(slugs, key=published_seconds)]


def variant(scale: str, seeds: str, args: str) -> str:
    """A folder's name for runs of one scale, seeds and parameters, such as `toy-seeds-0-1-beta-0.05`."""
    span = _span(seeds)
    last = span["seed"] + span["seeds"] - 1
    given = [f"{name}-{json.dumps(value)}" for name, value in sorted(arguments.parse_parameters(args).items())]
    said = "-".join([scale, f"seeds-{span['seed']}-{last}", *given])
    name = re.sub(r"[^A-Za-z0-9.+_-]", "", said)
    if any(re.search(r'[^\w.+"-]', text) for text in given) or len(name) > NAME_LENGTH:
        name = f"{name[:NAME_LENGTH]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    return name


def published_record(slug: str, scale: str) -> dict[str, Any] | None:
    """The published record of a paper at a scale, None where there is none."""
    try:
        return read_record(published_path(slug, scale))
    except (OSError, ValueError):
        return None


def published_seconds(slug: str) -> float:
    """How long the published run of a paper took, infinitely long if it is not published yet."""
    record = published_record(slug, DEFAULT_SCALE)
    return record["seconds"] if record else math.inf


def outcome(job: Job) -> str:
    """A finished paper's claims beside the published record, a line each, or the line that says how it failed."""
    if job.error:
        return f"{job.slug}: failed, {job.error}\n  {kept(job.output)}"
    try:
        record = read_record(job.output)
    except ValueError as error:
        job.state, job.error = "failed", str(error)
        return f"{job.slug}: failed, {error}"
    return "\n".join(ROW.format(job.slug, *row).rstrip() for row in beside(record))


def beside(record: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """For every claim of a record: its id, the published verdict and effect, the effect here, do the numbers agree."""
    published = published_record(record["paper"], record["scale"])
    claims = {c["id"]: c for c in published["claims"]} if published else {}
    others = parameters_that_differ(published, record) if published else []
    words = agreement(published, record) if published and not others else {}
    rows = []
    for here in record["claims"]:
        there = claims.get(here["id"])
        measured = number(here["mean_difference"])
        if there is None:
            rows.append((here["id"], "not yet", f"here {word(here)} ({here['unit']})", measured, ""))
        else:
            agrees = words.get(here["id"], f"other {', '.join(others)}")
            rows.append((here["id"], word(there), f"{effect(there)} {there['unit']}", measured, agrees))
    return rows


def _run(jobs: list[Job], limit: int, folder: Path) -> int:
    board = Board()
    board.say(f"{len(jobs)} notebooks, {limit} at a time, quickest first\n\n{HEAD}")
    try:
        run_all(jobs, limit, lambda job: board.say(outcome(job)), board)
    except KeyboardInterrupt:
        print("run: interrupted; finished notebooks are in", shown(folder), file=sys.stderr)
        return 130
    return _close(jobs, folder)


def _close(jobs: list[Job], folder: Path) -> int:
    failed = [job.slug for job in jobs if job.error]
    words = Counter(row[-1] for job in jobs if not job.error for row in beside(read_record(job.output)))
    counts = [f"{words[word]} {word}" for word in (EQUAL, WITHIN, OFF) if words[word]]
    print(f"\n{words.total()} claims{': ' if counts else ''}{', '.join(counts)}\nexecuted notebooks: {shown(folder)}")
    if len(failed) < len(jobs):
        _show_site(folder)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _show_site(folder: Path) -> None:
    """Build the pages of what was run, beside it; that they cannot be built spoils no run."""
    from ci import site

    try:
        print(f"site: {shown(site.build(list(executed(folder)), folder / 'site', with_reference=False))}")
    except (ValueError, ImportError) as error:
        print(f"no site was built: {error}", file=sys.stderr)


def _span(text: str) -> dict[str, Any]:
    """`seed` and `seeds` of a run in one notebook, which takes consecutive seeds only."""
    seeds = arguments.parse_seeds(text)
    if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
        raise ValueError(f"SEEDS={text!r} has gaps; one notebook runs consecutive seeds, `make rerun` any")
    return {"seed": seeds[0], "seeds": len(seeds)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.run", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks; default: all")
    parser.add_argument("--scale", default="", help="default: as the notebook says, toy")
    parser.add_argument("--seeds", default="", help="10 (0 to 9) or 5-9; default: 2 at toy, else 1")
    parser.add_argument("--jobs", default="2", help="how many notebooks run at once")
    parser.add_argument("--args", default="", help="-p NAME VALUE, any number of times")
    parser.add_argument("--out", default="", help=f"where the folders of runs go; default: {shown(RUNS)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
