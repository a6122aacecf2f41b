"""Execute the papers' notebooks: `make run`, or `make run PAPER=sppo SCALE=small SEEDS=10 ARGS="-p beta 0.05"`.

The quickest papers go first, by the seconds of their published records. The executed notebooks lie in `build/run`, a
failed one with its traceback; the others go on, and the exit status is 1. Bad input: exit status 2 and one line.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from autodidact.claims.record import read_record
from autodidact.claims.tables import effect
from ci import arguments, gallery
from ci.board import Board
from ci.execute import failed_path
from ci.files import ROOT, shown
from ci.jobs import Job, run_all
from ci.plan import notebook

RUNS = ROOT / "build" / "run"
SITE = ROOT / "build" / "gallery"
ROW = "{:<16} {:<26} {:<10} {:<13} {}"


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    try:
        jobs = plan(options.papers, options.scale, options.seeds, options.args, Path(options.out))
        limit = arguments.whole("JOBS", options.jobs)
    except ValueError as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    board = Board()
    board.say(f"{len(jobs)} notebooks, {limit} at a time, quickest first\n")
    board.say(ROW.format("paper", "claim", "role", "verdict", "effect [95 % interval]"))
    try:
        run_all(jobs, limit, lambda job: board.say(outcome(job)), board)
    except KeyboardInterrupt:
        print("run: interrupted; finished notebooks are in", shown(Path(options.out)), file=sys.stderr)
        return 130
    return _close(jobs, Path(options.out), Path(options.site))


def plan(papers: str, scale: str, seeds: str, args: str, folder: Path) -> list[Job]:
    """The jobs of what was typed, quickest first; ValueError in one line for whatever is wrong with it."""
    slugs, given = arguments.parse_papers(papers), arguments.parse_parameters(args)
    parameters = given | ({"scale": scale} if scale else {}) | (_span(seeds) if seeds else {})
    arguments.check(slugs, scale or "toy", {k: v for k, v in parameters.items() if k != "scale"})
    folder = folder.resolve()
    return [Job(s, notebook(s), folder / f"{s}.ipynb", parameters) for s in sorted(slugs, key=_published_seconds)]


def outcome(job: Job) -> str:
    """The verdicts of a finished paper, a line a claim, or the line that says how it failed."""
    if job.error:
        return f"{job.slug}: failed, {job.error}\n  kept with its traceback: {shown(failed_path(job.output))}"
    try:
        record = read_record(job.output)
    except ValueError as error:
        job.state, job.error = "failed", str(error)
        return f"{job.slug}: failed, {error}"
    rows = [(c["id"], c["role"], c["verdict"], f"{effect(c)} {c['unit']}") for c in record["claims"]]
    return "\n".join(ROW.format(job.slug, *row) for row in rows)


def _close(jobs: list[Job], folder: Path, site: Path) -> int:
    failed = [job.slug for job in jobs if job.error]
    print(f"\nexecuted notebooks: {shown(folder)}")
    if len(failed) < len(jobs):
        print(f"gallery: {shown(gallery.build_site(folder, site))}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _span(text: str) -> dict[str, Any]:
    """`seed` and `seeds` of a run in one notebook, which takes consecutive seeds only."""
    seeds = arguments.parse_seeds(text)
    if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
        raise ValueError(f"SEEDS={text!r} has gaps; one notebook runs consecutive seeds, `make rerun` any")
    return {"seed": seeds[0], "seeds": len(seeds)}


def _published_seconds(slug: str) -> float:
    try:
        return read_record(notebook(slug))["seconds"]
    except ValueError:  # not published yet
        return math.inf


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.run", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks; default: all")
    parser.add_argument("--scale", default="", help="default: as the notebook says, toy")
    parser.add_argument("--seeds", default="", help="10 (0 to 9) or 5-9; default: as the notebook says")
    parser.add_argument("--jobs", default="2", help="how many notebooks run at once")
    parser.add_argument("--args", default="", help="-p NAME VALUE, any number of times")
    parser.add_argument("--out", default=str(RUNS), help="where the executed notebooks go")
    parser.add_argument("--site", default=str(SITE), help="where the gallery goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
