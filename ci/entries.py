"""Executed notebooks as the gallery sees them: the paper, its record, its first figure."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from autodidact.claims.paper import Paper, load_paper, papers_folder
from autodidact.claims.record import read_record
from autodidact.claims.tables import effect
from autodidact.provenance import current_code
from ci.reach import outdated

VERDICTS = "central claims and contradicted controls, verdict, effect [95 % interval]"
COLUMNS = ("paper", "what it says", VERDICTS, "figure", "scale", "seeds", "minutes")
THUMBNAIL_PIXELS = 220
STALE = "other code made this record"


class Figure(NamedTuple):
    """A PNG and what it shows in words."""

    png: bytes
    alt: str


@dataclass(frozen=True)
class Entry:
    """One executed notebook of a paper; `record` is None where it holds none."""

    paper: Paper
    notebook: Path
    record: dict[str, Any] | None

    @property
    def slug(self) -> str:
        """The paper's slug."""
        return self.paper.slug

    @property
    def main(self) -> bool:
        """Whether this is the paper's notebook itself and not a record of another scale."""
        return self.notebook.stem == self.slug

    @cached_property
    def outdated(self) -> list[str]:
        """What has changed since the record was made: names in its `code`, sorted."""
        return [] if self.record is None else outdated(self.record, current_code(self.record))

    @property
    def stale(self) -> bool:
        """Whether other code than the present made the record."""
        return bool(self.outdated)

    @property
    def name(self) -> str:
        """A name for files: `sppo`, or `sppo-small` for a record of another scale."""
        return self.slug if self.main else f"{self.slug}-{self.notebook.stem}"

    @cached_property
    def figure(self) -> Figure | None:
        """The notebook's first figure."""
        return first_figure(self.notebook)

    def verdicts(self) -> list[tuple[str, str, str]]:
        """(what the claim says, verdict, effect with interval and unit) of every central claim.

        So of every control that is contradicted: it says what else may explain the central ones.
        """
        says = {claim.id: claim.says for claim in self.paper.claims}
        shown = [
            c
            for c in (self.record or {"claims": []})["claims"]
            if c["role"] == "central" or (c["role"] == "control" and c["verdict"] == "contradicted")
        ]
        return [
            (
                f"{'' if c['role'] == 'central' else 'Control: '}{says.get(c['id'], c['id'])}",
                c["verdict"],
                f"{effect(c)} {c['unit']}",
            )
            for c in shown
        ]

    def facts(self) -> tuple[str, str, str]:
        """Scale, number of seeds and minutes, as text."""
        if self.record is None:
            return "not executed", "", ""
        parameters = self.record["parameters"]
        return self.record["scale"], str(parameters["seeds"]), f"{self.record['seconds'] / 60:.1f}"


def published() -> Iterator[Entry]:
    """The committed notebooks: each paper's own, then its records of other scales."""
    for path in sorted(papers_folder().glob("*/paper.yaml")):
        slug = path.parent.name
        for notebook in [path.parent / f"{slug}.ipynb", *sorted(path.parent.glob("results/*.ipynb"))]:
            if notebook.is_file():
                yield _entry(slug, notebook)


def executed(folder: Path) -> Iterator[Entry]:
    """The notebooks of a run: `<folder>/<slug>.ipynb`."""
    known = {path.parent.name for path in papers_folder().glob("*/paper.yaml")}
    for notebook in sorted(folder.glob("*.ipynb")):
        if notebook.stem in known:
            yield _entry(notebook.stem, notebook)


def first_figure(notebook: Path) -> Figure | None:
    """The first PNG among the outputs of a notebook, None if there is none."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            image = output.get("data", {}).get("image/png")
            if image:
                alt = output.get("metadata", {}).get("autodidact", {}).get("alt", "first figure of the notebook")
                return Figure(base64.b64decode("".join(image)), alt)
    return None


def _entry(slug: str, notebook: Path) -> Entry:
    try:
        record = read_record(notebook)
    except ValueError:  # a notebook that is not executed yet has its row all the same
        record = None
    return Entry(load_paper(slug), notebook, record)
