"""The static site: every notebook as a page, and an index whose table sorts at a click."""

from html import escape
from pathlib import Path

from ci.entries import COLUMNS, STALE, THUMBNAIL_PIXELS, Entry
from ci.files import write_atomic

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #222 }
table { border-collapse: collapse } th, td { text-align: left; vertical-align: top; padding: .5rem .8rem }
tr { border-bottom: 1px solid #ddd } th { cursor: pointer; white-space: nowrap }
th::after { content: " \\2195"; color: #999 }
.reproduced { color: #00664b } .contradicted { color: #a83c00 } .inconclusive { color: #555 } .stale { color: #a83c00 }
"""
SORT = """
const table = document.querySelector("table"), body = table.tBodies[0];
table.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const order = head.dataset.order = head.dataset.order === "up" ? "down" : "up";
  const key = row => row.cells[column].dataset.key ?? row.cells[column].innerText;
  const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), undefined, {numeric: true}));
  body.append(...(order === "up" ? rows : rows.reverse()));
}));
"""
RANK = {"reproduced": 2, "inconclusive": 1, "contradicted": 0}


def build(entries: list[Entry], site: Path) -> Path:
    """Write a page for every notebook, the thumbnails and the index into the folder `site`; the path of the index."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    for entry in entries:
        html, _ = exporter.from_filename(str(entry.notebook))
        write_atomic(site / f"{entry.name}.html", html)
        if entry.figure:
            write_atomic(site / f"{entry.name}.png", entry.figure.png)
    write_atomic(site / "index.html", index(entries))
    return site / "index.html"


def index(entries: list[Entry]) -> str:
    """The page with the sortable table."""
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    rows = "\n".join(_row(entry) for entry in entries)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Gallery</title>\n<style>{STYLE}</style>\n'
        f"<h1>Gallery</h1>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
        f"<script>{SORT}</script>\n</html>\n"
    )


def _row(entry: Entry) -> str:
    mark = f'<br><em class="stale">{STALE}</em>' if entry.stale else ""
    suffix = "" if entry.main else f" at scale {escape(entry.notebook.stem)}"
    title = f'<a href="{entry.name}.html">{escape(entry.paper.title)}</a>{suffix}{mark}'
    verdicts = "<br>".join(
        f'{escape(says)}: <strong class="{verdict}">{verdict}</strong>, {escape(effects)}'
        for says, verdict, effects in entry.verdicts()
    )
    rank = sum(RANK[verdict] for _, verdict, _ in entry.verdicts())
    figure = ""
    if entry.figure:
        alt = escape(entry.figure.alt)
        figure = f'<img src="{entry.name}.png" width="{THUMBNAIL_PIXELS}" alt="{alt}">'
    cells = [title, escape(entry.paper.summary), verdicts, figure, *map(escape, entry.facts())]
    keys = [escape(entry.paper.title), "", str(rank)] + [""] * 4
    return f"<tr>{''.join(_cell(cell, key) for cell, key in zip(cells, keys, strict=True))}</tr>"


def _cell(html: str, key: str) -> str:
    return f'<td data-key="{key}">{html}</td>' if key else f"<td>{html}</td>"
