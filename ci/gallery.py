"""The gallery: a row for every paper out of its executed notebook, as Markdown and as a static site.

`make gallery` writes `papers/README.md`, the same table into the repository's `README.md`, the first figure of every
notebook as `papers/<slug>/figure.png`, and `build/gallery/index.html`. Nothing in it is typed by hand.
"""

import sys
from html import escape
from pathlib import Path

from autodidact.claims.paper import papers_folder
from ci import site
from ci.entries import COLUMNS, STALE, THUMBNAIL_PIXELS, Entry, executed, published
from ci.files import ROOT, shown, write_atomic

WIDE = "figure" + 36 * "&nbsp;"  # JupyterLab shrinks a picture to its column, and a column to its longest word
MARKERS = ("<!-- gallery -->", "<!-- /gallery -->")


def markdown_table(entries: list[Entry], papers: str) -> str:
    """The gallery's table; `papers` is the way from the Markdown file to the papers' folder, such as `papers/`."""
    head = [WIDE if column == "figure" else column for column in COLUMNS]
    lines = [head, ("---",) * len(COLUMNS), *(_markdown_row(entry, papers) for entry in entries)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def readmes() -> dict[Path, str | bytes]:
    """Every file of the Markdown gallery with its content: the two READMEs and the figures."""
    entries = list(published())
    files: dict[Path, str | bytes] = {}
    for entry in entries:
        if entry.main and entry.figure:
            files[papers_folder() / entry.slug / "figure.png"] = entry.figure.png
    title = "# Gallery\n\nWritten by `make gallery` from the executed notebooks."
    files[papers_folder() / "README.md"] = f"{title}\n\n{markdown_table(entries, '')}\n"
    readme = papers_folder().parent / "README.md"
    if readme.is_file() and MARKERS[0] in readme.read_text(encoding="utf-8"):
        table = markdown_table(entries, f"{papers_folder().name}/")
        files[readme] = between_markers(readme.read_text(encoding="utf-8"), table)
    return files


def between_markers(text: str, table: str) -> str:
    """The text with whatever stands between the gallery's markers replaced; ValueError without both, in order."""
    before, opening, rest = text.partition(MARKERS[0])
    _, closing, after = rest.partition(MARKERS[1])
    if not (opening and closing):
        raise ValueError(f"README.md must have the markers {MARKERS[0]} and {MARKERS[1]}, in this order")
    return f"{before}{opening}\n{table}\n{closing}{after}"


def build_site(folder: Path | None, place: Path) -> Path:
    """The static site of the published notebooks, or of those executed in `folder`; the path of its index."""
    return site.build(list(published() if folder is None else executed(folder)), place)


def main() -> int:
    """Write the READMEs, the figures and the site."""
    for path, content in readmes().items():
        write_atomic(path, content)
        print(shown(path))
    print(shown(build_site(None, ROOT / "build" / "gallery")))
    return 0


def _markdown_row(entry: Entry, papers: str) -> tuple[str, ...]:
    folder = papers_folder()
    link = f"{papers}{entry.notebook.relative_to(folder).as_posix()}"
    title = entry.paper.title if entry.main else f"{entry.slug} at scale {entry.notebook.stem}"
    mark = f"<br>*{STALE}*" if entry.stale else ""
    verdicts = "<br>".join(f"{_cell(says)}: **{verdict}**, {effects}" for says, verdict, effects in entry.verdicts())
    figure = ""
    if entry.main and entry.figure:
        alt = escape(_cell(entry.figure.alt))
        figure = f'<img src="{papers}{entry.slug}/figure.png" width="{THUMBNAIL_PIXELS}" alt="{alt}">'
    summary = _cell(entry.paper.summary) if entry.main else ""
    return f"[{_cell(title)}]({link}){mark}", summary, verdicts, figure, *entry.facts()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
