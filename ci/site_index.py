"""The index of the site: all papers in one list that is searched, filtered and sorted without the net."""

from collections.abc import Sequence
from html import escape

from autodidact.claims.screen import MARKS
from ci.entries import PLURAL, ROLES, Entry, by_kind, counted, in_words

SORTS = {"name": "by name", "kind": "by kind", "year": "newest first", "reproduced": "most reproduced first"}


def index(entries: Sequence[Entry]) -> str:
    """The controls and the list as one HTML block without blank lines."""
    kinds = by_kind(entries)
    papers = sorted((runs for group in kinds.values() for runs in group), key=lambda runs: runs[0].paper.name.lower())
    rows = "\n".join(_row(runs) for runs in papers)
    return f'{_controls(list(kinds), len(papers))}\n<ul id="papers" class="papers">\n{rows}\n</ul>'


def _controls(kinds: Sequence[str], count: int) -> str:
    """Hidden until the script is there: without it the list stands whole."""
    options = "".join(f'<option value="{escape(kind)}">{escape(kind)}</option>' for kind in kinds)
    sorts = "".join(f'<option value="{key}">{text}</option>' for key, text in SORTS.items())
    has = "".join(
        f'<button type="button" data-has="{verdict}" aria-pressed="false">{MARKS[verdict]} has {verdict}</button>\n'
        for verdict in ("contradicted", "open")
    )
    return (
        '<form id="controls" class="controls" hidden role="search" aria-label="Papers">\n'
        '<input id="find" type="search" placeholder="papers, findings" aria-label="find papers and findings">\n'
        f'<select id="kind" aria-label="kind"><option value="">all kinds</option>{options}</select>\n{has}'
        f'<select id="sort" aria-label="order">{sorts}</select>\n'
        f'<output id="count" aria-live="polite">{count} of {count}</output>\n</form>'
    )


def _row(runs: Sequence[Entry]) -> str:
    own = runs[0]
    paper, central = own.paper, [claim["verdict"] for claim in own.of_role("central")]
    links = " · ".join(f'<a href="{run.name}.html">{escape(run.scale)}</a> {escape(run.size)}' for run in runs)
    return (
        f'<li data-name="{escape(paper.name.lower())}" data-kind="{escape(paper.kind)}" data-year="{paper.year}" '
        f'data-reproduced="{central.count("reproduced")}" data-has="{" ".join(dict.fromkeys(central))}">\n'
        f'<div class="who"><a class="name" href="{own.name}.html">{escape(paper.name)}</a> '
        f"<small>{escape(str(paper.venue or paper.year))}<br>{escape(paper.kind)}</small></div>\n"
        f'<div class="what">{escape(paper.finding["says"])}</div>\n'
        f'<div class="marks" title="{escape(in_words(own))}">{_marks(own)}</div>\n'
        f'<div class="runs"><small>{links}</small></div></li>'
    )


def _marks(entry: Entry) -> str:
    lines = []
    for role in ROLES:
        claims = entry.of_role(role)
        if claims:
            marks = "".join(f'<b class="{claim["verdict"]}">{MARKS[claim["verdict"]]}</b>' for claim in claims)
            spoken = f'<span role="img" aria-label="{counted(claims)}">{marks}</span>'
            lines.append(f'<div class="{role}"><small>{PLURAL[role]}</small> {spoken}</div>')
    return "".join(lines) or "not run"
