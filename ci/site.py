"""The static site by Sphinx: an index, a page a paper (committed outputs, nothing is executed), the API reference.

`make site` builds the published notebooks into `build/site`; `python -m ci.site --runs FOLDER` those of a run into
`FOLDER/site`. Everything it needs lies in its folder: it opens from a disk, without a server and without the net.
"""

import argparse
import base64
import contextlib
import importlib.util
import io
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from ci import reference
from ci.entries import Entry, by_kind, executed, published
from ci.files import ROOT, shown, write_atomic
from ci.gallery import picture, picture_text, sentence
from ci.paper_page import citation, head
from ci.site_index import index

SITE = ROOT / "build" / "site"
MATHJAX = "sphinx-mathjax-offline", Path("static") / "mathjax" / "tex-svg.js"  # one file, its fonts included
IMAGES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
SMALL = 20_000  # bytes of a picture that are not worth saving on
MARK = "objects.inv"  # which Sphinx writes: a folder that has it may be replaced


def build(entries: Sequence[Entry], place: Path, with_reference: bool = True) -> Path:
    """Build the site of these notebooks into the folder `place`, whole or not at all; the path of its index.

    Raises ValueError where there is no notebook, or where `place` is a folder with something else in it.
    """
    if not entries:
        raise ValueError("there is no executed notebook to show")
    if place.is_dir() and any(place.iterdir()) and not (place / MARK).is_file():
        raise ValueError(f"{shown(place)} is a folder with something else in it; name another one for the site")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".site-") as scratch:
        source, made = Path(scratch) / "source", Path(scratch) / "site"
        write_sources(list(entries), source, with_reference)
        _sphinx(source, made)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return place / "index.html"


def write_sources(entries: list[Entry], source: Path, with_reference: bool = True) -> None:
    """Write what Sphinx reads: the index, a notebook a page, the reference, pictures and MathJax under `_static`."""
    papers = [runs for group in by_kind(entries).values() for runs in group]
    static = source / "_static"
    for runs in papers:
        for run in runs:
            notebook = page(run, head(runs) + _records(runs) if run.main else _of_scale(run, runs[0]), static)
            write_atomic(source / f"{run.name}.ipynb", json.dumps(notebook))
    write_atomic(static / "claims.png", picture(papers))
    write_atomic(static / "mathjax" / MATHJAX[1].name, _mathjax().read_bytes())
    names = reference.write(source) if with_reference else []
    write_atomic(source / "index.md", _index(entries, papers, names))


def page(entry: Entry, opening: str, static: Path) -> dict[str, Any]:
    """The notebook with `opening` (HTML) below its title and citation, and its figures as files under `static`."""
    notebook = json.loads(entry.notebook.read_text(encoding="utf-8"))
    numbers = count(1)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            _figure(output, f"{entry.name}-{next(numbers)}", static)
    title, cited, rest = _first_cell(entry, "".join(notebook["cells"][0]["source"]))
    texts = [text for text in (title, cited, opening, rest) if text]
    cells = [{"cell_type": "markdown", "id": f"head-{i}", "metadata": {}, "source": s} for i, s in enumerate(texts)]
    return {**notebook, "cells": cells + notebook["cells"][1:]}


def _first_cell(entry: Entry, text: str) -> tuple[str, str, str]:
    """Title, citation (the notebook's own where its first paragraph is one) and the rest of a notebook's first cell."""
    title, _, rest = text.partition("\n") if text.startswith("# ") else (f"# {entry.paper.title}", "", text)
    first, _, after = rest.strip().partition("\n\n")
    if entry.paper.title in " ".join(first.split()):
        cited, rest = first, after
    else:
        cited = citation(entry)
    return title if entry.main else f"{title} (scale {entry.scale})", cited, rest.strip()


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m ci.site", description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=Path, help="a folder with the notebooks of a run; default: the published ones")
    parser.add_argument("--out", type=Path, help=f"default: {shown(SITE)}, or `site` in the folder of the run")
    options = parser.parse_args(argv)
    place = options.out or (options.runs / "site" if options.runs else SITE)
    try:
        entries = list(published() if options.runs is None else executed(options.runs))
        print(shown(build(entries, place.resolve())))
    except ValueError as error:
        print(f"site: {error}", file=sys.stderr)
        return 2
    return 0


def _index(entries: list[Entry], papers: Sequence[Sequence[Entry]], names: Sequence[str]) -> str:
    trees = []
    for kind, group in by_kind(entries).items():
        trees.append(_tree([f"{_titled(runs[0])} <{runs[0].name}>" for runs in group], kind.capitalize()))
    trees += [_tree(names, "Reference")] if names else []
    forest = f'<img class="forest" src="_static/claims.png" alt="{escape(picture_text(papers))}">'
    parts = [
        "---\nhide-toc: true\n---\n# Autodidact",
        sentence(papers),
        index(entries),
        "## All central claims",
        forest,
    ]
    return "\n\n".join([*parts, "\n".join(trees)])


def _tree(names: Sequence[str], caption: str = "") -> str:
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n{f':caption: {caption}' if caption else ''}\n\n{listed}\n```\n"


def _records(runs: Sequence[Entry]) -> str:
    """The records of other scales as pages below the paper's own."""
    others = [f"scale {run.scale} <{run.name}>" for run in runs[1:]]
    return f"\n\n{_tree(others)}" if others else ""


def _titled(entry: Entry) -> str:
    return entry.paper.name.replace("<", "").replace(">", "")


def _of_scale(run: Entry, own: Entry) -> str:
    back = f'<a href="{own.name}.html">{escape(own.paper.name)}</a>'
    where = f"its claims and parameters stand on the page of {back}"
    return f'<p class="paper-head">The record of scale {escape(run.scale)}; {where}.</p>'


def _figure(output: dict[str, Any], name: str, static: Path) -> None:
    """Put an output's picture into a file of its own and an `<img>` with its alternative text in its place."""
    data = output.get("data", {})
    kind = next((kind for kind in IMAGES if kind in data), None)
    if kind is None or "text/html" in data:
        return
    content = "".join(data[kind])
    file = static / "figures" / f"{name}.{IMAGES[kind]}"
    write_atomic(file, content if kind == "image/svg+xml" else _smaller(base64.b64decode(content)))
    alt = output.get("metadata", {}).get("autodidact", {}).get("alt") or "figure of the notebook"
    output["data"] = {"text/html": f'<img class="figure" src="_static/figures/{file.name}" alt="{escape(alt)}">'}


def _smaller(image: bytes) -> bytes:
    """A PNG with 256 colours, where that is smaller: a third of the size, and no eye can tell in a plot."""
    with Image.open(io.BytesIO(image)) as picture:
        if picture.format != "PNG" or len(image) < SMALL:
            return image
        white = Image.new("RGBA", picture.size, "white")
        flat = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
        made = io.BytesIO()
        dpi = picture.info.get("dpi", (100, 100))
        flat.quantize(256, dither=Image.Dither.NONE).save(made, "PNG", optimize=True, dpi=dpi)
    return min(image, made.getvalue(), key=len)


def _mathjax() -> Path:
    package, file = MATHJAX
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ValueError(f"the package {package} is not installed: pip install 'autodidact[site]'")
    return Path(spec.origin).parent / file


def _sphinx(source: Path, made: Path) -> None:
    """Run Sphinx with the settings in `docs`; its warnings go to stderr, ValueError where it fails."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    messages = io.StringIO()
    settings = {"html_static_path": [str(ROOT / "docs" / "_static"), str(source / "_static")]}
    with patch_docutils(ROOT / "docs"), docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = Sphinx(
            source, ROOT / "docs", made, made.parent / "doctrees", "html", settings, status=None, warning=messages,
        )  # fmt: skip
        app.build()
    with contextlib.suppress(FileNotFoundError):
        (made / ".buildinfo").unlink()
    if app.statuscode:
        raise ValueError(f"Sphinx failed:\n{messages.getvalue()}")
    print(messages.getvalue().strip(), end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
