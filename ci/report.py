"""The report of a batch: the seeds of all its finished runs pooled into one verdict table a paper."""

import json
from html import escape
from pathlib import Path
from typing import Any

from autodidact.claims.record import pool, read_record
from autodidact.claims.tables import html_table, text_table, verdict_rows
from ci.execute import failed_path
from ci.files import write_atomic
from ci.plan import Plan

STYLE = "body{font:15px/1.5 sans-serif;max-width:75rem;margin:2rem auto}td,th{padding:.2rem .8rem;text-align:left}"
Summary = dict[str, Any]


def write(plan: Plan) -> Summary:
    """Pool what is finished and write `report.md`, `report.html` and `report.json` into the folder of the batch."""
    summary = summarise(plan)
    write_atomic(plan.folder / "report.json", json.dumps(summary, indent=1))
    write_atomic(plan.folder / "report.md", markdown(summary))
    write_atomic(plan.folder / "report.html", html(summary))
    return summary


def summarise(plan: Plan) -> Summary:
    """Scale, parameters, and for every paper: finished, failed and missing seeds, and the pooled record."""
    papers = {slug: _paper(plan, slug) for slug in plan.resolved}
    return {"scale": plan.scale, "given": dict(plan.given), "seeds": list(plan.seeds), "papers": papers}


def complete(summary: Summary) -> bool:
    """Whether every run of the batch is in its report."""
    return not any(paper["failed"] or paper["missing"] or paper["error"] for paper in summary["papers"].values())


def text(summary: Summary) -> str:
    """The report for a terminal."""
    return "\n\n".join(
        "\n".join([_title(summary, slug), *_notes(paper), text_table(_rows(paper))]).rstrip()
        for slug, paper in summary["papers"].items()
    )


def markdown(summary: Summary) -> str:
    """The report as Markdown."""
    parts = ["# Pooled verdicts"]
    for slug, paper in summary["papers"].items():
        parts += [f"## {_title(summary, slug)}", *_notes(paper), f"Parameters: `{json.dumps(paper['parameters'])}`"]
        parts.append(_markdown_table(_rows(paper)))
    return "\n\n".join(filter(None, parts)) + "\n"


def html(summary: Summary) -> str:
    """The report as one HTML page that needs nothing else."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Pooled verdicts</title><style>{STYLE}</style>"]
    parts.append("<h1>Pooled verdicts</h1>")
    for slug, paper in summary["papers"].items():
        parts.append(f"<h2>{escape(_title(summary, slug))}</h2>")
        parts += [f"<p>{escape(note)}</p>" for note in _notes(paper)]
        parts.append(f"<p>Parameters: <code>{escape(json.dumps(paper['parameters']))}</code></p>")
        parts.append(html_table(_rows(paper)) if paper["record"] else "")
    return "\n".join(parts) + "\n"


def _paper(plan: Plan, slug: str) -> Summary:
    finished = [seed for seed in plan.seeds if plan.output(slug, seed).is_file()]
    others = [seed for seed in plan.seeds if seed not in finished]
    outputs = {seed: plan.output(slug, seed) for seed in others}
    failed = {seed: _reason(output) for seed, output in outputs.items() if _ended(output)}
    parameters = {k: v for k, v in plan.resolved[slug].items() if k not in ("scale", "seed", "seeds")}
    record, error = None, None
    try:
        record = pool(read_record(plan.output(slug, seed)) for seed in finished) if finished else None
    except ValueError as problem:
        error = str(problem)
    missing = [seed for seed in others if seed not in failed]
    outcome = {"finished": finished, "failed": failed, "missing": missing, "error": error, "record": record}
    return {"parameters": parameters, **outcome}


def _ended(output: Path) -> bool:
    """Whether a run without an output was begun: it left its notebook with a traceback, or a log at least."""
    return failed_path(output).is_file() or output.with_suffix(".log").is_file()


def _reason(output: Path) -> str:
    """Why a run failed: the last line of its log."""
    log = output.with_suffix(".log")
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1] if lines else "no log"


def _title(summary: Summary, slug: str) -> str:
    given = "".join(f", {name} = {value}" for name, value in summary["given"].items())
    return f"{slug}, scale {summary['scale']}{given}: {len(summary['papers'][slug]['finished'])} seeds pooled"


def _notes(paper: Summary) -> list[str]:
    notes = [f"seeds: {', '.join(map(str, paper['finished'])) or 'none'}"]
    notes += [f"seed {seed} failed: {reason}" for seed, reason in paper["failed"].items()]
    notes += [f"missing: seeds {', '.join(map(str, paper['missing']))}"] if paper["missing"] else []
    notes += [f"not pooled: {paper['error']}"] if paper["error"] else []
    return notes + [text for text in [(paper["record"] or {}).get("generalises")] if text]


def _rows(paper: Summary) -> list[dict[str, str]]:
    return verdict_rows(paper["record"]) if paper["record"] else [{"claim": "no finished run"}]


def _markdown_table(rows: list[dict[str, str]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
