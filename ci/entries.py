"""Executed notebooks as the gallery and the site see them: the paper, its record, its verdicts and what runs exist."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from autodidact.claims.paper import Paper, load_paper
from autodidact.claims.record import read_record
from autodidact.claims.tables import plural, word
from autodidact.places import papers_folder

ROLES = ("central", "supporting", "control")
PLURAL = {"central": "central", "supporting": "supporting", "control": "controls"}
SEVERAL = {"holds": "hold", "fails": "fail"}
ORDER = ("reproduced", "holds", "contradicted", "fails", "negligible", "open", "untested")


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
        return self.notebook.parent.name != "results"

    @property
    def name(self) -> str:
        """A name for pages: `sppo`, or `sppo-small` for a record of another scale."""
        return self.slug if self.main else f"{self.slug}-{self.notebook.stem}"

    @property
    def scale(self) -> str:
        """The scale of the run; a notebook that is not executed stands for `toy`."""
        return self.record["scale"] if self.record else "toy" if self.main else self.notebook.stem

    @cached_property
    def claims(self) -> tuple[dict[str, Any], ...]:
        """The claims of the record, central ones first, then supporting ones, then controls."""
        claims = self.record["claims"] if self.record else ()
        return tuple(sorted(claims, key=lambda claim: ROLES.index(claim["role"])))

    def of_role(self, role: str) -> list[dict[str, Any]]:
        """The claims of the record that have this role."""
        return [claim for claim in self.claims if claim["role"] == role]

    @property
    def size(self) -> str:
        """How many replicates the run has: `10 seeds`, or `96 prompts` where its claims are judged by items."""
        if self.record is None:
            return "not run"
        kinds = {claim["replicate"]: len(claim["replicates"]) for claim in reversed(self.claims)}
        if "seed" in kinds or self.scale not in (self.paper.judged or {}):
            seeds = self.record["parameters"]["seeds"]
            return f"{seeds} seed{'s' * (seeds != 1)}"
        kind = list(kinds)[-1]  # of the first claim, a central one where there are any
        return f"{kinds[kind]} {plural(kind)}"


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


def by_kind(entries: Iterable[Entry]) -> dict[str, list[list[Entry]]]:
    """Kind to its papers by name, each a list of its entries, its own notebook first; kinds in alphabetical order."""
    papers = [list(group) for _, group in groupby(entries, key=lambda entry: entry.slug)]
    papers.sort(key=lambda runs: (runs[0].paper.kind, runs[0].paper.name.lower()))
    return {kind: list(group) for kind, group in groupby(papers, key=lambda runs: runs[0].paper.kind)}


def tally(words: Iterable[str]) -> dict[str, int]:
    """How often each word for a verdict occurs; those that do not occur are left out."""
    counts = Counter(words)
    return {said: counts[said] for said in ORDER if counts[said]}


def counted(claims: Iterable[Mapping[str, Any]]) -> str:
    """How many claims have which verdict: `3 reproduced, 2 hold, 1 open`."""
    counts = tally(map(word, claims)).items()
    return ", ".join(f"{number} {said if number == 1 else SEVERAL.get(said, said)}" for said, number in counts)


def in_words(entry: Entry) -> str:
    """The verdicts of a run by role, in place of marks: `central: 2 reproduced, 1 open; controls: 3 open`."""
    parts = []
    for role in ROLES:
        claims = entry.of_role(role)
        if claims:
            parts.append(f"{PLURAL[role]}: {counted(claims)}")
    return "; ".join(parts) or "not run"


def strength(claim: Mapping[str, Any]) -> float | None:
    """The effect of a record's claim in the claimed direction, in half-widths of its 95 % interval.

    Above 1 the whole interval lies on the claimed side: beyond zero for a difference, within the margin for an
    equivalence. An exact claim, and one whose replicates all agree, is infinite either way. None without an interval.
    """
    mean, margin, expects = claim["mean_difference"], claim["margin"], claim["expects"]
    if claim["test"] == "exact":
        return math.inf if claim["verdict"] == "reproduced" else -math.inf
    if claim["ci95"] is None:
        return None
    if claim["test"] == "equivalence":
        way = {"equal": margin - abs(mean), "at_least": mean + margin, "at_most": margin - mean}[expects]
    else:
        way = mean if expects == "greater" else -mean
    half = (claim["ci95"][1] - claim["ci95"][0]) / 2
    return way / half if half else math.copysign(math.inf, way) if way else 0.0


def _entry(slug: str, notebook: Path) -> Entry:
    try:
        record = read_record(notebook)
    except ValueError:  # a notebook that is not executed yet has its row all the same
        record = None
    return Entry(load_paper(slug), notebook, record)
