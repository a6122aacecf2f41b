"""Is every published number what the present code gives? `make verify`, `make verify PAPER=sppo SCALE=toy`.

A record whose code changed is not stale by that. Its first seed is run again with the record's own parameters (of a
record by items that is the whole run), and every number is compared. Where they agree, the record is stamped with the
new code and with what confirmed it; nothing else in the notebook changes. Where they do not, it is stale: the numbers
are listed, it is to be published again, and the exit status is 1.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from autodidact.claims.finding import changed_claims
from autodidact.claims.paper import load_paper
from autodidact.claims.parameters import resolve
from autodidact.claims.record import MIME, read_record
from autodidact.claims.reruns import compare, published_path, stamp
from autodidact.provenance import current_code
from ci import arguments, run
from ci.board import Board
from ci.files import ROOT, only_one, shown, write_atomic
from ci.jobs import Job, run_all
from ci.plan import notebook

SCRATCH = ROOT / "build" / "verify"
LISTED = 8  # numbers that are shown of a stale record


class Published(NamedTuple):
    """A published record and the notebook that holds it."""

    place: Path
    record: dict[str, Any]


def published(slug: str, scale: str = "") -> Iterator[Path]:
    """The notebooks that hold a paper's published records, or that of one scale."""
    for name in load_paper(slug).scales:
        place = published_path(slug, name).resolve()
        if scale in ("", name) and place.is_file():
            yield place


def changed_code(record: Mapping[str, Any]) -> list[str]:
    """Names in a record's `code` whose hash is another now, or that are gone; sorted."""
    now = current_code(record)
    return sorted(name for name, digest in record["code"].items() if now[name] != digest)


def changed_statement(record: Mapping[str, Any]) -> list[str]:
    """What no rerun can confirm, a line each: claims or presets that do not stand as they stood for the record."""
    paper, then = load_paper(record["paper"]), record["parameters"]
    lines = [f"claim {name!r} is not stated as it was" for name in changed_claims(paper, record)]
    try:
        now = resolve(paper, record["scale"], {} if record["scale"] == run.DEFAULT_SCALE else then)
    except ValueError as error:
        return [*lines, str(error)]
    names = [n for n in {**now, **then} if n not in ("scale", "seed", "seeds") and now.get(n) != then.get(n)]
    return lines + [f"parameter {n} is {now.get(n)!r} now, the record has {then.get(n)!r}" for n in names]


def rerun(record: Mapping[str, Any], folder: Path) -> Job:
    """The job that measures the first seed of a record again, with the record's own parameters."""
    slug, scale = record["paper"], record["scale"]
    given = {name: value for name, value in record["parameters"].items() if value is not None}
    output, parameters = folder / scale / f"{slug}.ipynb", {**given, "scale": scale, "seeds": 1}
    return Job(slug, notebook(slug), output, parameters, label=f"{slug}, {scale}")


def write_stamp(place: Path, record: Mapping[str, Any]) -> None:
    """Put a record in place of the one in the notebook at `place`; every other byte of the notebook stays."""
    content = nbformat.read(place, as_version=4)
    outputs = [o for cell in content.cells for o in cell.get("outputs", ()) if MIME in o.get("data", ())]
    outputs[-1]["data"][MIME] = record
    write_atomic(place, nbformat.writes(content) + "\n")


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    try:
        limit = arguments.whole("JOBS", options.jobs)
        slugs = arguments.parse_papers(options.papers)
        arguments.check(slugs, options.scale or run.DEFAULT_SCALE, {})
        with only_one(SCRATCH):
            return _verify([place for slug in slugs for place in published(slug, options.scale)], limit)
    except ValueError as error:
        print(f"verify: {error}", file=sys.stderr)
        return 2


def _verify(places: list[Path], limit: int) -> int:
    board = Board()
    unconfirmed, waiting = 0, {}
    for place in places:
        problems, entry = _at_rest(place)
        if problems:
            unconfirmed += 1
            board.say(_said(place, problems))
        elif changed_code(entry.record):
            job = rerun(entry.record, SCRATCH)
            waiting[job.output] = job, entry
    board.say(f"{len(places)} records, {len(waiting)} of them of other code: their first seed is run again")
    outcomes = []

    def on_end(job: Job) -> None:
        entry = waiting[job.output][1]
        outcomes.append(confirm(job, entry))
        board.say(_said(entry.place, outcomes[-1]))

    try:
        run_all([job for job, _ in sorted(waiting.values(), key=lambda pair: _cost(pair[1]))], limit, on_end, board)
    except KeyboardInterrupt:
        return 130
    unconfirmed += sum(map(bool, outcomes))
    board.say(
        f"{unconfirmed} not confirmed" if unconfirmed else "every published number is what the present code gives"
    )
    return 1 if unconfirmed else 0


def _at_rest(place: Path) -> tuple[list[str], Published | None]:
    """What keeps a record from being confirmed before anything runs, and the record."""
    try:
        entry = Published(place, read_record(place))
    except ValueError as error:
        return [str(error)], None
    return changed_statement(entry.record), entry


def confirm(job: Job, entry: Published) -> list[str]:
    """Stamp a record by the rerun that has ended, or what keeps it from that: numbers that differ, a failure."""
    if job.error:
        return [f"the rerun failed: {job.error}"]
    try:
        again = read_record(job.output)
        differences = compare(entry.record, again)
    except ValueError as error:
        return [str(error)]
    if not differences:
        write_stamp(entry.place, stamp(entry.record, again))
    more = len(differences) - LISTED
    return [str(d) for d in differences[:LISTED]] + ([f"and {more} numbers more"] if more > 0 else [])


def _said(place: Path, problems: list[str]) -> str:
    """What is shown of a record: that it is confirmed, or what is to be published again and why."""
    if not problems:
        return f"{shown(place)}: confirmed and stamped"
    return "\n".join([f"{shown(place)}: stale, to be published again", *(f"  {line}" for line in problems)])


def _cost(entry: Published) -> float:
    """Seconds that a rerun of the first seed takes by the record."""
    return entry.record["seconds"] / entry.record["parameters"]["seeds"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.verify", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks; default: all")
    parser.add_argument("--scale", default="", help="records of one scale; default: all")
    parser.add_argument("--jobs", default="2", help="how many notebooks run at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
