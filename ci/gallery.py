"""The gallery: what was found, in a sentence, in one picture and in a short row a paper, out of the executed notebooks.

`make gallery` writes `papers/README.md`, the same into the repository's `README.md`, and the picture
`papers/claims.png`. Nothing in it is typed by hand; the numbers stand on the papers' own pages (`make site`).
"""

import math
import statistics
import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from autodidact.claims.screen import MARKS
from autodidact.claims.tables import word
from autodidact.places import papers_folder
from ci.entries import ROLES, Entry, by_kind, counted, in_words, published, strength
from ci.files import shown, write_atomic

MARKERS = ("<!-- gallery -->", "<!-- /gallery -->")
PICTURE = "claims.png"
WIDTH = 10.5  # inches of the picture; it is shown in 838 px
LEGEND = "{marks} (ours: ● holds, ✖ fails). Large: central; small: others."


def markdown(entries: Sequence[Entry], papers: str) -> str:
    """Sentence, picture and table; `papers` is the way from the Markdown file to the papers' folder: `papers/`."""
    kinds = by_kind(entries)
    rows = [runs for group in kinds.values() for runs in group]
    verdicts = {claim["verdict"] for entry in _own(rows) for claim in entry.claims}
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items() if verdict in verdicts)
    lines = [
        sentence(rows),
        f'<img src="{papers}{PICTURE}" width="838" alt="{escape(picture_text(rows))}">',
        LEGEND.format(marks=marks or "No paper was run yet"),
        "\n".join(table(kinds, papers)),
    ]
    return "\n\n".join(lines)


def sentence(papers: Sequence[Sequence[Entry]]) -> str:
    """What was found: how many central claims have which verdict, in how many seeds, and what a run takes."""
    own = _own(papers)
    records = [entry.record for entry in own if entry.record]
    if not records:
        return f"**{_count(len(papers), 'paper')}**, none of them run yet."
    central = [claim for entry in own for claim in entry.of_role("central")]
    seeds = _span([record["parameters"]["seeds"] for record in records])
    minutes = [record["seconds"] / 60 for record in records]
    took = _span([max(1, round(m)) for m in minutes])
    found = f"Of {_count(len(central), 'central claim')} of {_count(len(papers), 'paper')}: {counted(central)}"
    return (
        f"**{found}**, in worlds whose truth is known (tiny models, {seeds} seeds). A notebook runs in {took} minutes "
        f"on one or two CPU cores (median {statistics.median(minutes):.0f}).{_larger(papers)}"
    )


def _larger(papers: Sequence[Sequence[Entry]]) -> str:
    """The same of the records of other scales: every claim that is judged there, since few are."""
    runs = [entry for group in papers for entry in group[1:] if entry.record]
    if not runs:
        return ""
    claims = [claim for entry in runs for claim in entry.claims]
    what = f"{_count(len(claims), 'claim')} of {_count(len({entry.slug for entry in runs}), 'paper')}"
    return f" On pretrained models, real data or at full size, of {what}: {counted(claims)}."


def picture_rows(papers: Iterable[Sequence[Entry]]) -> list[tuple[str, str, list[tuple[float, str]]]]:
    """The rows of `figures.forest`: kind, name, and (effect in the claimed direction, verdict) a central claim."""
    return [
        (runs[0].paper.kind, runs[0].paper.name, [(strength(c) or 0.0, word(c)) for c in runs[0].of_role("central")])
        for runs in papers
    ]


def picture_text(papers: Sequence[Sequence[Entry]]) -> str:
    """The picture in words, for those who cannot see it: the counts, and every contradicted claim's paper."""
    central = [(entry.paper.name, claim) for entry in _own(papers) for claim in entry.of_role("central")]
    against = dict.fromkeys(name for name, claim in central if claim["verdict"] == "contradicted")
    names = f" Contradicted in {', '.join(against)}." if against else ""
    said = counted([claim for _, claim in central])
    return f"All central claims, a row a paper: the effect in the claimed direction in half-widths. {said}.{names}"


def table(kinds: dict[str, list[list[Entry]]], papers: str) -> list[str]:
    """The lines of the table: a row for each kind, and below it a row a paper."""
    lines = ["| paper | what came out | claims |", "| --- | --- | --- |"]
    for kind, group in kinds.items():
        lines.append(f"| | **{_cell(kind)}** | |")
        lines += [f"| {' | '.join(_row(runs, papers))} |" for runs in group]
    return lines


def readmes() -> dict[Path, str | bytes]:
    """Every file of the Markdown gallery with its content: the two READMEs and the picture."""
    entries = list(published())
    folder = papers_folder()
    title = "# Gallery\n\nWritten by `make gallery` from the executed notebooks."
    files: dict[Path, str | bytes] = {folder / "README.md": f"{title}\n\n{markdown(entries, '')}\n"}
    readme = folder.parent / "README.md"
    if readme.is_file() and MARKERS[0] in readme.read_text(encoding="utf-8"):
        files[readme] = between_markers(readme.read_text(encoding="utf-8"), markdown(entries, f"{folder.name}/"))
    papers = [runs for group in by_kind(entries).values() for runs in group]
    if papers:
        files[folder / PICTURE] = picture(papers)
    return files


def picture(papers: Sequence[Sequence[Entry]]) -> bytes:
    """All central claims as one PNG."""
    from autodidact.figures import forest, png, use_style

    use_style()
    return png(forest(picture_rows(papers), width=WIDTH))


def between_markers(text: str, content: str) -> str:
    """The text with whatever stands between the gallery's markers replaced; ValueError without both, in order."""
    before, opening, rest = text.partition(MARKERS[0])
    _, closing, after = rest.partition(MARKERS[1])
    if not (opening and closing):
        raise ValueError(f"README.md must have the markers {MARKERS[0]} and {MARKERS[1]}, in this order")
    return f"{before}{opening}\n{content}\n{closing}{after}"


def main() -> int:
    """Write the READMEs and the picture."""
    for path, content in readmes().items():
        write_atomic(path, content)
        print(shown(path))
    return 0


def _row(runs: Sequence[Entry], papers: str) -> tuple[str, str, str]:
    own = runs[0]
    places = [f"{papers}{run.notebook.relative_to(papers_folder()).as_posix()}" for run in runs]
    links = " · ".join(f"[{run.scale}]({place})" for run, place in zip(runs, places, strict=True) if run.record)
    name = f"[{_cell(own.paper.name)}]({places[0]})<br><sub>{own.paper.year} · {links or 'not run'}</sub>"
    large, *small = ("".join(MARKS[claim["verdict"]] for claim in own.of_role(role)) for role in ROLES)
    marks = " ".join([large, *(f"<sub>{text}</sub>" for text in small if text)])
    said = "; ".join(f"{run.scale}, {run.size}: {in_words(run)}" for run in runs if run.record)
    return name, _cell(own.paper.finding["says"]), f'<span title="{escape(said or "not run")}">{marks}</span>'


def _own(papers: Iterable[Sequence[Entry]]) -> list[Entry]:
    return [runs[0] for runs in papers]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _span(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:g}" if math.isclose(low, high) else f"{low:g} to {high:g}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
