"""Is a notebook fit to be run for long? `make check PAPER=sppo`: form, lint, parameters, claims, then a dry run.

What can be read is checked first, in a second: `paper.yaml`, the notebook's sections, text and parameters cell, ruff.
Then the notebook runs at toy scale with one seed that no record has (100), and its outputs and the claims that it
measured are looked at. Exit status 1 if anything is to be mended, 2 for bad input.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from autodidact.claims.paper import load_paper
from autodidact.claims.record import read_record
from ci import arguments, form
from ci.board import Board
from ci.execute import kept
from ci.files import ROOT
from ci.jobs import Job, run_all
from ci.plan import notebook

TUNING_SEED = 100  # seeds from here on are for trials; the records have those below
DRY = {"seed": TUNING_SEED, "seeds": 1}


def static_problems(slug: str) -> list[str]:
    """What is wrong with a paper's notebook as it stands, executed or not, a line each."""
    place, paper = notebook(slug), load_paper(slug)
    problems = form.structure_problems(place) + form.parameter_problems(place, paper)
    return problems + form.text_problems(place) + lint_problems(place)


def lint_problems(place: Path) -> list[str]:
    """What ruff says of a notebook under this repository's rules."""
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format", "concise"]
    command += ["--config", str(ROOT / "pyproject.toml"), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=place.parent)
    return [f"ruff: {line}" for line in (done.stdout or done.stderr).splitlines() if line]


def dry_run(slug: str, folder: Path, board: Board) -> list[str]:
    """What is wrong with the outputs of a notebook that ran with one seed, or the line that says how it failed."""
    job = Job(slug, notebook(slug), folder / f"{slug}.ipynb", dict(DRY))
    run_all([job], 1, lambda _: None, board)
    if job.error:
        return [f"the dry run failed: {job.error}; {kept(job.output)}"]
    problems = [f"dry run: {problem}" for problem in form.output_problems(job.output)]
    try:
        measured = [claim["id"] for claim in read_record(job.output)["claims"]]
    except ValueError as error:
        return [*problems, f"dry run: {error}"]
    stated = [claim.id for claim in load_paper(slug).claims_at("toy")]
    return problems + ([] if measured == stated else [f"dry run: measured {measured}, paper.yaml has {stated}"])


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m ci.check", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks")
    parser.add_argument("--out", default=str(ROOT / "build" / "check"), help="where the dry runs go")
    options = parser.parse_args(argv)
    try:
        if not options.papers.strip():
            raise ValueError("PAPER= is missing: name the papers to check")
        slugs = arguments.parse_papers(options.papers)
        problems = [problem for slug in slugs for problem in _check(slug, Path(options.out).resolve())]
    except ValueError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 1 if problems else 0


def _check(slug: str, out: Path) -> list[str]:
    """The problems of one paper, shown as they are found; no dry run of what is wrong already."""
    board = Board()
    problems = static_problems(slug)
    if not problems:
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{slug}-", dir=out))
        problems = dry_run(slug, folder, board)
    board.say("\n".join(f"{slug}: {problem}" for problem in problems) or f"{slug}: fit to be run")
    return problems


if __name__ == "__main__":
    sys.exit(main())
