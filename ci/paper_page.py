"""The head of a paper's page on the site: citation, finding, claims with intervals, parameters with their sources."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import yaml

from autodidact.claims.finding import finding_problems
from autodidact.claims.screen import MARKS
from autodidact.claims.tables import effect, number, word
from autodidact.places import papers_folder
from ci.entries import PLURAL, ROLES, Entry

SIGNS = {"greater": "above", "less": "below", "equal": "equal to", "at_least": "not below", "at_most": "not above"}
WIDTH, HEIGHT, EDGE = 180, 22, 8  # of an interval bar, in px


def head(runs: Sequence[Entry]) -> str:
    """What came out, claims and parameters as one HTML block without blank lines: Markdown takes it as it is."""
    parts = [_finding(runs[0]), *_claims(runs), _parameters(runs)]
    return '<div class="paper-head">\n' + "\n".join(parts) + "\n</div>"


def citation(entry: Entry) -> str:
    """Authors, title, venue or year, and links to arXiv and to the authors' code, as Markdown."""
    paper = entry.paper
    authors = paper.authors if isinstance(paper.authors, str) else ", ".join(paper.authors)
    venue = str(paper.venue or "")
    where = venue if re.search(r"\d{4}", venue) else ", ".join(filter(None, [venue, str(paper.year)]))
    arxiv = f", [arXiv {paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})" if paper.arxiv else ""
    code = f", [code of the authors]({paper.code})" if str(paper.code).startswith("http") else ""
    return f"{authors}. *{paper.title}.* {where}{arxiv}{code}."


def bar(claim: Mapping[str, Any], reach: float) -> str:
    """The effect and its 95 % interval on an axis from -reach to +reach, zero in the middle, as inline SVG."""
    middle, scale = WIDTH / 2, (WIDTH / 2 - EDGE) / (reach or 1.0)
    x = [middle + scale * value for value in (*(claim["ci95"] or ()), claim["mean_difference"])]
    band = claim["margin"] or claim.get("smallest") or 0.0
    label = f"{word(claim)}: {effect(claim)} {claim['unit']}"
    shapes = [f'<line class="zero" x1="{middle:g}" x2="{middle:g}" y1="1" y2="{HEIGHT - 1}"/>']
    if band:
        left, width = middle - scale * band, 2 * scale * band
        shapes.insert(0, f'<rect class="band" x="{left:.1f}" y="3" width="{width:.1f}" height="{HEIGHT - 6}"/>')
    if claim["ci95"]:
        shapes.append(
            f'<line class="interval" x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{HEIGHT / 2:g}" y2="{HEIGHT / 2:g}"/>'
        )
    shapes.append(f'<circle cx="{x[-1]:.1f}" cy="{HEIGHT / 2:g}" r="4"/>')
    return (
        f'<svg class="bar {claim["verdict"]}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(label)}">{"".join(shapes)}</svg>'
    )


def sources(text: str) -> dict[str, dict[str, str]]:
    """Scale to parameter to the comment beside its value in the text of a `paper.yaml`, '' where there is none."""
    lines = text.splitlines()
    scales = dict(_pairs(yaml.compose(text, yaml.SafeLoader)))["scales"][1]
    return {
        scale: {name: _comment(lines, key, value) for name, (key, value) in _pairs(row)}
        for scale, (_, row) in _pairs(scales)
    }


def _finding(entry: Entry) -> str:
    """The published finding, and where the run shown does not bear it out, what it has instead."""
    problems = finding_problems(entry.paper, entry.record) if entry.record else []
    remark = f" <small>Not borne out by this run: {escape('; '.join(problems))}.</small>" if problems else ""
    return f'<p class="finding"><strong>What came out.</strong> {escape(entry.paper.finding["says"])}{remark}</p>'


def _claims(runs: Sequence[Entry]) -> Iterator[str]:
    """A table a role, central claims open and the others folded; a column a run, so that toy stands beside small."""
    results = [{claim["id"]: claim for claim in run.claims} for run in runs]
    titles = "".join(f"<th>{_run_title(run)}</th>" for run in runs)
    for role in ROLES:
        claims = [claim for claim in runs[0].paper.claims if claim.role == role]
        if not claims:
            continue
        rows = "\n".join(_claim_row(claim, [found.get(claim.id) for found in results], runs) for claim in claims)
        name = f"{PLURAL[role].capitalize()}{'' if role == 'control' else ' claims'} ({len(claims)})"
        opened = " open" if role == "central" else ""
        yield (
            f'<details class="claims"{opened}><summary>{name}</summary>\n'
            f"<table>\n<thead><tr><th>claim</th>{titles}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></details>"
        )


def _claim_row(claim: Any, found: Sequence[Mapping[str, Any] | None], runs: Sequence[Entry]) -> str:
    detail = f"{claim.measures} ({claim.unit}): {claim.treatment} {SIGNS[claim.expects]} {claim.control}"
    margin = f" ± {number(claim.margin)}" if claim.margin else ""
    needs = f" Needs {claim.needs}." if claim.needs else ""
    small = f"Measured: {escape(detail)}{margin}.{escape(needs)} <b>The paper:</b> {escape(claim.reported)}"
    cells = [f'<td id="{claim.id}"><span class="says">{escape(claim.says)}</span><small>{small}</small></td>']
    reach = max((_reach(result) for result in found if result), default=1.0)
    for result, run in zip(found, runs, strict=True):
        cells.append(f'<td data-run="{escape(_run_title(run))}">{_result(result, reach)}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _result(claim: Mapping[str, Any] | None, reach: float) -> str:
    if claim is None:
        return '<span class="absent">not judged</span>'
    verdict = claim["verdict"]
    note = f"; {escape(claim['note'])}" if claim.get("note") else ""
    said = f'<span class="verdict {verdict}">{MARKS[verdict]} {word(claim)}</span>'
    return f"{said}{bar(claim, reach)}<small>{escape(effect(claim))} {escape(claim['unit'])}{note}</small>"


def _reach(claim: Mapping[str, Any]) -> float:
    band = claim["margin"] or claim.get("smallest") or 0.0
    return max(map(abs, (claim["mean_difference"], band, *(claim["ci95"] or ()))))


def _run_title(run: Entry) -> str:
    return f"{run.scale}, {run.size}"


def _parameters(runs: Sequence[Entry]) -> str:
    """Every parameter at every scale: what the run took where there is one, else the preset; its source below it."""
    paper = runs[0].paper
    resolved = {run.scale: run.record["parameters"] for run in runs if run.record}
    comments = sources((papers_folder() / paper.slug / "paper.yaml").read_text(encoding="utf-8"))
    scales = list(paper.scales)
    values = {scale: {**paper.scales[scale], **resolved.get(scale, {})} for scale in scales}
    names = dict.fromkeys(name for scale in scales for name in values[scale] if name != "scale")
    rows = []
    for name in names:
        cells = [_parameter(values[scale], name, comments.get(scale, {}).get(name, "")) for scale in scales]
        rows.append(f"<tr><th>{escape(name)}</th>{''.join(cells)}</tr>")
    heads = "".join(f"<th>{scale}{', as run' if scale in resolved else ''}</th>" for scale in scales)
    return (
        f'<details class="parameters"><summary>Parameters and their sources ({len(names)})</summary>\n'
        f'<div class="wide"><table>\n<thead><tr><th>parameter</th>{heads}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div></details>"
    )


def _parameter(values: Mapping[str, Any], name: str, source: str) -> str:
    text = escape(_value(values[name])) if name in values else ""
    return f"<td>{text}{f'<small>{escape(source)}</small>' if source else ''}</td>"


def _value(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(mapping: yaml.MappingNode) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    return ((key.value, (key, value)) for key, value in mapping.value)


def _comment(lines: Sequence[str], key: yaml.Node, value: yaml.Node) -> str:
    """The comment behind a value; where it has none, one on a line of its own above the key."""
    end = value.end_mark
    behind = re.match(r"\s*[,}\]]*\s*#\s*(.*)", lines[end.line][end.column :]) if end.line < len(lines) else None
    if behind:
        return behind[1].strip()
    above = lines[key.start_mark.line - 1].strip() if key.start_mark.line else ""
    return above.lstrip("# ") if above.startswith("#") else ""
