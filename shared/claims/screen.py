"""The first screen of a notebook: what came out, one line a central claim, and what was claimed."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autodidact.claims import tables
from autodidact.claims.finding import finding_problems
from autodidact.claims.paper import Claim, Paper

MARKS = {"reproduced": "●", "contradicted": "✖", "negligible": "≈", "open": "○", "untested": "–"}
Bundle = dict[str, str]


def outcome(paper: Paper, record: Mapping[str, Any] | None) -> Bundle:
    """What came out, as HTML and text: the finding, every central claim, the controls that went the other way.

    Before there is a record it says so. A finding that the record does not bear out is shown as the published one,
    with what this run has instead; one that cites claims which are not judged at this scale is not its own to show.
    """
    if record is None:
        return _bundle("What came out", ["filled in by the run, when its last cell has computed the verdicts"], [])
    title, remarks = "What came out", []
    cited = set(paper.finding["verdicts"]) if paper.finding is not None else set()
    if cited and cited <= {claim["id"] for claim in record["claims"]}:
        problems = finding_problems(paper, record)
        title = f"What came out: {paper.finding['says']}" if not problems else "What came out"
        remarks = [f"Not borne out by this run: “{paper.finding['says']}” ({'; '.join(problems)})"] if problems else []
    central = [claim for claim in record["claims"] if claim["role"] == "central"]
    others = [c for c in record["claims"] if c["role"] != "central" and c["verdict"] == "contradicted"]
    controls = [claim for claim in others if claim["role"] == "control"]
    lines = [_line(claim) for claim in central] + [f"control {_line(claim)}" for claim in controls]
    return _bundle(title, remarks, lines, record.get("generalises", ""))


def claims(paper: Paper, listed: Sequence[Claim]) -> Bundle:
    """The claims as HTML and text, central ones first, the rest folded."""
    groups = [[c for c in listed if c.role == "central"], [c for c in listed if c.role != "central"]]
    central, rest = (tables.claims_rows(group) for group in groups)
    html = [tables.html_table(central)] if central else []
    if rest:
        summary = f"{len(rest)} supporting and control claims"
        html.append(f"<details><summary>{summary}</summary>\n{tables.html_table(rest)}\n</details>")
    return {"text/html": "\n".join(html), "text/plain": tables.text_table([*central, *rest])}


def generalises(listed: Sequence[Claim], items: bool) -> str:
    """Over what the verdicts of these claims generalise, in a sentence; items: whether the replicates are not runs."""
    kinds = list(dict.fromkeys(c.replicate for c in listed if c.test != "exact"))
    over = [
        f"over {tables.plural(kind)}" + (" under fixed models" if items and kind not in ("seed", "run") else "")
        for kind in kinds
    ]
    return f"Verdicts generalise {' and '.join(over)}." if over else ""


def _line(claim: Mapping[str, Any]) -> str:
    effect = f"{tables.effect(claim)} {claim['unit']}"
    says = claim.get("says") or claim["id"]
    return f"{MARKS[claim['verdict']]} {tables.word(claim)}: {says} ({claim['id']}: {effect})"


def _bundle(title: str, remarks: Sequence[str], lines: Sequence[str], last: str = "") -> Bundle:
    html = [f"<p><b>{escape(title)}</b></p>", *(f"<p>{escape(text)}</p>" for text in remarks)]
    if lines:
        html.append(f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")
    html += [f"<p>{escape(last)}</p>"] if last else []
    text = [title, *remarks, *(f"  {line}" for line in lines), *([last] if last else [])]
    return {"text/html": "\n".join(html), "text/plain": "\n".join(text)}
