"""Notebooks as text: `make text PAPER=sppo` writes `build/text/sppo.py`, `make notebook PAPER=sppo` takes it back.

The text is jupytext's percent format. On the way back a cell whose code is what it was keeps its outputs. Neither side
is overwritten where both changed: that is refused in one line.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import jupytext
import jupytext.combine
import nbformat

from autodidact.provenance import source_hash
from ci import arguments, publish
from ci.files import ROOT, shown, write_atomic
from ci.plan import notebook

TEXTS = ROOT / "build" / "text"
FORMAT = "py:percent"


def to_text(slug: str, folder: Path = TEXTS) -> Path:
    """Write a paper's notebook as text; the path of the text.

    Raises ValueError where the text was edited since it was last written or read.
    """
    text, known = folder / f"{slug}.py", _known(slug, folder)
    if text.is_file() and _hash(text) != known.get("text"):
        raise ValueError(f"{shown(text)} was edited; take it back with `make notebook PAPER={slug}`, or delete it")
    write_atomic(text, jupytext.writes(nbformat.read(notebook(slug), as_version=4), FORMAT))
    _note(slug, folder)
    return text


def to_notebook(slug: str, folder: Path = TEXTS) -> Path:
    """Take the edited text of a paper back into its notebook, outputs kept where the code is equal; the notebook.

    Raises ValueError where there is no text, and where the notebook changed since the text was written.
    """
    text, place = folder / f"{slug}.py", notebook(slug)
    if not text.is_file():
        raise ValueError(f"there is no {shown(text)}; write it with `make text PAPER={slug}`")
    if _hash(place) != _known(slug, folder).get("notebook"):
        raise ValueError(f"{shown(place)} changed since {shown(text)} was written; delete the text and write it anew")
    edited = jupytext.reads(text.read_text(encoding="utf-8"), FORMAT)
    publish.save(merge(edited, nbformat.read(place, as_version=4)), place)
    _note(slug, folder)
    return place


def merge(edited: nbformat.NotebookNode, old: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The edited cells with ids and outputs of the old ones; a cell whose code changed, comments aside, has no output.

    jupytext pairs the cells; it also pairs those that are merely alike, whose outputs would be another code's.
    """
    merged = jupytext.combine.combine_inputs_with_outputs(edited, old)
    sources = {cell["id"]: cell.source for cell in old.cells}
    for cell in merged.cells:
        if cell.cell_type == "code" and not _same_code(cell.source, sources.get(cell["id"])):
            cell.outputs, cell.execution_count = [], None
    return merged


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    options = _parser().parse_args(argv)
    try:
        if not options.papers.strip():
            raise ValueError("PAPER= is missing: name the papers")
        for slug in arguments.parse_papers(options.papers):
            print(shown({"to-text": to_text, "to-notebook": to_notebook}[options.way](slug)))
    except ValueError as error:
        print(f"text: {error}", file=sys.stderr)
        return 2
    return 0


def _same_code(new: str, old: str | None) -> bool:
    try:
        return new == old or (old is not None and source_hash(new) == source_hash(old))
    except ValueError:  # not plain Python
        return False


def _known(slug: str, folder: Path) -> dict[str, str]:
    """The hashes of both sides when they were last the same."""
    path = folder / f".{slug}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _note(slug: str, folder: Path) -> None:
    both = {"text": _hash(folder / f"{slug}.py"), "notebook": _hash(notebook(slug))}
    write_atomic(folder / f".{slug}.json", json.dumps(both))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.text", description=__doc__.split("\n\n")[0])
    parser.add_argument("way", choices=["to-text", "to-notebook"])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
