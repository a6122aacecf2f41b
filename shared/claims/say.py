"""Prose about results, rendered from the record: no sentence that the numbers do not bear out at every scale."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from autodidact.claims import tables
from autodidact.claims.names import unknown
from autodidact.claims.schemas import VERDICTS
from autodidact.claims.statistics import mean_interval

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_OTHERWISE = "otherwise"
FIELDS = {
    "effect": lambda c: f"{tables.effect(c)} {c['unit']}",
    "verdict": tables.word,
    "treatment": lambda c: tables.render(mean_interval(c["treatment"])),
    "control": lambda c: tables.render(mean_interval(c["control"])),
    "p": lambda c: "exact" if c["p_holm"] is None else f"{c['p_holm']:.2g}",
    "n": lambda c: str(len(c["replicates"])),
}
Texts = str | Mapping[str, Mapping[str, str]]


def render(text: Texts, record: Mapping[str, Any], claims: Collection[str], values: Mapping[str, Any]) -> str:
    """The text with its places filled: `{claim.effect}` (any of `FIELDS`) from the record, `{name}` from `values`.

    Instead of a text: claim to verdict to text, of which the one for the verdict that came out is rendered, or that
    under "otherwise", or none; several claims make a paragraph. A text that cites a claim of `claims` that the record
    does not judge is left out. `{{` and `}}` stand for braces. Raises ValueError for a name, field or verdict unknown.
    """
    found = {claim["id"]: claim for claim in record["claims"]}
    if isinstance(text, str):
        return _fill(text, found, claims, values)
    chosen = [_fill(_choose(claim, by, found, claims), found, claims, values) for claim, by in text.items()]
    return " ".join(filter(None, chosen))


def _choose(claim: str, by: Mapping[str, str], found: Mapping[str, Any], claims: Collection[str]) -> str:
    if claim not in claims:
        raise unknown(f"claim {claim!r}", claim, claims)
    for verdict in by:
        if verdict not in (*VERDICTS, _OTHERWISE):
            raise unknown(f"verdict {verdict!r} of {claim}", verdict, (*VERDICTS, _OTHERWISE))
    return by.get(found[claim]["verdict"], by.get(_OTHERWISE, "")) if claim in found else ""


def _fill(text: str, found: Mapping[str, Any], claims: Collection[str], values: Mapping[str, Any]) -> str:
    places = [match[1] for match in _PLACE.finditer(text) if match[1] is not None]
    for place in places:
        name, dot, field = place.partition(".")
        if not dot and place not in values:
            raise unknown(f"value {place!r}", place, [*values, *claims])
        if dot and name not in claims:
            raise unknown(f"claim {name!r}", name, claims)
        if dot and field not in FIELDS:
            raise unknown(f"field {field!r} of {name}", field, FIELDS)
    if any("." in place and place.partition(".")[0] not in found for place in places):
        return ""

    def fill(match: re.Match) -> str:
        if match[1] is None:
            return match[0][0]
        name, dot, field = match[1].partition(".")
        return FIELDS[field](found[name]) if dot else tables.render(values[name])

    return _PLACE.sub(fill, text)
