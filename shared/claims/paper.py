"""What a paper claims and what each scale uses: `paper.yaml`, read once and checked."""

import hashlib
import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from autodidact.claims import schemas
from autodidact.claims.names import unknown
from autodidact.claims.rules import check_row, texts
from autodidact.claims.strict_yaml import read_yaml
from autodidact.places import papers_folder

WORDS = 18  # of a finding, at most


@dataclass(frozen=True)
class Claim:
    """One falsifiable sentence and how it is tested.

    `whose`: the paper's or ours. `smallest`: the smallest difference that matters, in `unit`. `needs`: the id of the
    claim that must be reproduced before this one says anything. `margin`: of an equivalence or an exact claim.
    """

    id: str
    says: str
    unit: str
    treatment: str
    control: str
    expects: str
    test: str = "difference"
    role: str = "central"
    whose: str = "ours"
    measures: str = "as the study measures it"
    reported: str = "not in a paper"
    margin: float | None = None
    smallest: float | None = None
    needs: str | None = None
    replicate: str = "seed"

    @property
    def stated(self) -> str:
        """SHA-256 of the claim as it stands: any change of what is said, measured or asked of the numbers alters it."""
        content = {name: value for name, value in asdict(self).items() if name != "reported"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Paper:
    """A checked `paper.yaml`. Its keys are attributes: `title`, `name`, `finding`, `summary`, `compare` and so on."""

    data: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("data", {})
        if name in data or name in schemas.PAPER["properties"]:
            return data.get(name)
        raise AttributeError(f"paper.yaml has no field {name!r}; its fields are {', '.join(data)}")

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims in the order of the file."""
        return tuple(Claim(**claim) for claim in self.data["claims"])

    @property
    def scales(self) -> Mapping[str, Mapping[str, Any]]:
        """The preset of each scale, what it takes over by `like` included: parameter name to value."""
        return self.data["scales"]

    def claims_at(self, scale: str) -> tuple[Claim, ...]:
        """The claims that are judged at a scale, with the kind of replicate that they have there."""
        judged = (self.data.get("judged") or {}).get(scale)
        if judged is None:
            return self.claims
        kinds = {claim: kind for kind, claims in judged.items() for claim in claims}
        return tuple(replace(claim, replicate=kinds[claim.id]) for claim in self.claims if claim.id in kinds)


def load_paper(slug: str) -> Paper:
    """Read and check `<papers>/<slug>/paper.yaml`.

    Raises ValueError, in one line that names the file and the field, if there is no such paper or the file is wrong.
    """
    path = papers_folder() / slug / "paper.yaml"
    if not re.fullmatch(r"[a-z0-9-]+", slug) or not path.is_file():
        raise unknown(f"paper {slug!r}", slug, sorted(p.parent.name for p in papers_folder().glob("*/paper.yaml")))
    where = f"{slug}/paper.yaml"
    data = read_yaml(path, where)
    schemas.check(data, schemas.PAPER, where)
    if data["slug"] != slug:
        raise ValueError(f"{where}: slug: is {data['slug']!r}, must be the folder's name {slug!r}")
    paper = Paper({**data, "scales": {scale: _row(data["scales"], scale, where) for scale in data["scales"]}})
    _check_scales(paper, where)
    check_claims(paper.claims, where)
    _check_judged(paper, where)
    _check_finding(paper, where)
    return paper


def check_claims(claims: tuple[Claim, ...], where: str) -> None:
    """What a schema of one claim cannot say: unique ids, gates that exist and do not run in a circle. ValueError."""
    ids = [claim.id for claim in claims]
    for repeated in sorted({i for i in ids if ids.count(i) > 1}):
        raise ValueError(f"{where}: claims: the id {repeated!r} occurs more than once")
    needs = {claim.id: claim.needs for claim in claims}
    for name, gate in needs.items():
        if gate is not None and gate not in needs:
            raise ValueError(f"{where}: claims.{name}.needs: {unknown(f'the claim {gate!r}', gate, ids)}")
    for name in ids:
        path = [name]
        while (gate := needs[path[-1]]) is not None:
            if gate in path:
                raise ValueError(f"{where}: claims.{name}.needs: runs in a circle: {' -> '.join([*path, gate])}")
            path.append(gate)


def _row(
    scales: Mapping[str, Mapping[str, Any]], scale: str, where: str, above: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A scale's parameters: those of the row that it is `like`, and its own on top."""
    row = dict(scales[scale])
    like = row.pop("like", None)
    if like is None:
        return row
    if like not in scales:
        raise ValueError(f"{where}: scales.{scale}.like: {unknown(f'the scale {like!r}', like, scales)}")
    if like in (*above, scale):
        raise ValueError(f"{where}: scales.{scale}.like: runs in a circle: {' -> '.join([*above, scale, like])}")
    return _row(scales, like, where, (*above, scale)) | row


def _check_scales(paper: Paper, where: str) -> None:
    """The same parameters in every scale, and every value within its range."""
    names = list(paper.scales["toy"])
    for name in names:
        if not (isinstance(name, str) and name.isidentifier()) or keyword.iskeyword(name):
            raise ValueError(f"{where}: scales.toy: parameter {name!r} must be a name of Python's, as a cell sets it")
    for parameter, rule in (paper.parameters or {}).items():
        for name in (parameter, *_named(rule)):
            if name not in names:
                raise ValueError(f"{where}: parameters: {unknown(f'parameter {name!r}', name, names)}")
    for scale, preset in paper.scales.items():
        for name in sorted(set(names) ^ set(preset)):
            raise ValueError(f"{where}: scales.{scale}: parameter {name!r} must stand in every scale or in none")
        try:
            check_row(preset, paper.parameters, {name: texts(value) for name, value in preset.items()})
        except ValueError as error:
            raise ValueError(f"{where}: scales.{scale}: {error}") from None


def _named(rule: Mapping[str, Any]) -> list[str]:
    """The other parameters that a rule names, as a bound or by `among`."""
    return [value for key, value in rule.items() if key in (*schemas.BOUNDS, "among") and isinstance(value, str)]


def _check_judged(paper: Paper, where: str) -> None:
    """`judged` names scales and claims that exist, each claim once, and its gate with it."""
    needs = {claim.id: claim.needs for claim in paper.claims}
    for scale, kinds in (paper.data.get("judged") or {}).items():
        if scale not in paper.scales:
            raise ValueError(f"{where}: judged: {unknown(f'the scale {scale!r}', scale, paper.scales)}")
        named = [claim for claims in kinds.values() for claim in claims]
        for claim in named:
            if claim not in needs:
                raise ValueError(f"{where}: judged.{scale}: {unknown(f'the claim {claim!r}', claim, needs)}")
            if named.count(claim) > 1:
                raise ValueError(f"{where}: judged.{scale}: the claim {claim!r} occurs more than once")
            if needs[claim] is not None and needs[claim] not in named:
                raise ValueError(f"{where}: judged.{scale}: {claim!r} needs {needs[claim]!r}, which must be judged too")


def _check_finding(paper: Paper, where: str) -> None:
    words = len(paper.finding["says"].split())
    if words > WORDS:
        raise ValueError(f"{where}: finding.says: {words} words, must be {WORDS} at most")
    ids = [claim.id for claim in paper.claims]
    for claim in paper.finding["verdicts"]:
        if claim not in ids:
            raise ValueError(f"{where}: finding.verdicts: {unknown(f'the claim {claim!r}', claim, ids)}")
