"""The form that every notebook keeps. Each function returns what is wrong, a line each: an empty list is a good one."""

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat

from autodidact.claims.finding import changed_claims, finding_problems
from autodidact.claims.paper import Paper
from autodidact.claims.record import MIME, read_record, recompute

SECTIONS = (
    "Claims",
    "Parameters",
    "The world",
    "The method",
    "Baselines and controls",
    "Results",
    "Verdicts",
    "What differs from the paper",
    "How to run it at scale",
)
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
CELLS = range(12, 26)
CELL_LINES = 40
OUTPUT_BYTES = 300_000
RECORD_BYTES = 1_000_000  # of the output that holds the record: where items are replicates there are thousands of them
PROSE_WORDS = 1500
PUBLISHED_SEEDS = 10
RESULTS, AFTER_RESULTS = "Results", "What differs from the paper"
VERDICT = re.compile(r"\b(reproduced|contradicted|negligible|untested|holds|fails|open)\b", re.IGNORECASE)
DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d+")
# what may stand after the results: code, formulas, links, and where in the paper something stands
QUOTED = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)"
    r"|\b(sections?|equations?|tables?|figures?|appendix|algorithms?|theorems?|lemmas?|arXiv)\s+[A-Z]?[\d.]+",
    re.IGNORECASE | re.DOTALL,
)
OF_A_MACHINE = re.compile(r"(?<![\w.:/<>*-])(/(work|root|home|tmp|Users|usr|opt|var|mnt|srv)/|[A-Z]:\\Users)")
Cell = Mapping[str, Any]


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook file."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def structure_problems(notebook: Path) -> list[str]:
    """Title, sections in their order, number of cells, length of code cells."""
    cells = cells_of(notebook)
    markdown = "\n".join(_markdown(cells))
    found = re.findall(r"^## +(.+?) *$", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), re.MULTILINE)
    problems = []
    if not (cells and cells[0]["cell_type"] == "markdown" and _source(cells[0]).startswith("# ")):
        problems.append("the first cell must begin with the title, `# ...`")
    if tuple(found) != SECTIONS:
        problems.append(f"the sections are {found}, must be {list(SECTIONS)}")
    if len(cells) not in CELLS:
        problems.append(f"{len(cells)} cells, must be {CELLS[0]} to {CELLS[-1]}")
    for number, cell in enumerate(cells):
        lines = len(_source(cell).splitlines())
        if (
            cell["cell_type"] == "code" and lines > CELL_LINES and not _tagged(cell)
        ):  # parameters are as many as they are
            problems.append(f"cell {number}: {lines} lines, must be {CELL_LINES} at most")
    return problems


def text_problems(notebook: Path) -> list[str]:
    """The claims first of all code, prose of a length that is read, and no result that was typed.

    Between the results and what differs from the paper a sentence that quotes a number of ours or a verdict is false at
    the next scale: such text is rendered from the record.
    """
    cells = cells_of(notebook)
    first = next((_source(cell) for cell in cells if cell["cell_type"] == "code"), "")
    problems = [] if "claims_table(" in first else ["the first code cell must show the claims, claims_table(...)"]
    words = sum(len(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split()) for text in _markdown(cells))
    if words > PROSE_WORDS:
        problems.append(f"{words} words of prose, must be {PROSE_WORDS} at most")
    within = False
    for number, cell in enumerate(cells):
        for heading, text in _sections(cell):
            within = within if heading is None else heading == RESULTS or (within and heading != AFTER_RESULTS)
            if within:
                problems += [f"cell {number}: typed after the results: {found!r}" for found in _typed_results(text)]
    return problems


def parameter_problems(notebook: Path, paper: Paper) -> list[str]:
    """One cell tagged `parameters`: a value for scale, and None for every parameter that the presets fill.

    `seed` and `seeds` have values there (0 and 10) unless the presets set them.
    """
    tagged = [cell for cell in cells_of(notebook) if _tagged(cell)]
    if len(tagged) != 1:
        return [f"{len(tagged)} cells are tagged `parameters`, must be 1"]
    chained = [node.lineno for node in ast.parse(_source(tagged[0])).body if len(getattr(node, "targets", "1")) > 1]
    if chained:
        return [f"parameters cell: line {chained[0]} sets several names, of which papermill lists only one"]
    values = _assignments(_source(tagged[0]))
    presets = dict.fromkeys(paper.scales["toy"])
    own = {"scale": "toy", "seed": values.get("seed", 0), "seeds": PUBLISHED_SEEDS}
    own = {name: value for name, value in own.items() if name not in presets}
    wanted = own | presets
    problems = [f"parameters cell: {name} is missing" for name in wanted if name not in values]
    problems += [f"parameters cell: {name} is in no preset of paper.yaml" for name in values if name not in wanted]
    for name in wanted.keys() & values.keys():
        if values[name] != wanted[name] or type(values[name]) is not type(wanted[name]):
            problems.append(f"parameters cell: {name} = {values[name]!r}, must be {wanted[name]!r}")
    first = own.get("seed", paper.scales["toy"].get("seed"))
    if type(first) is not int or first % PUBLISHED_SEEDS:  # a claim that changed takes seeds not run before
        problems.append(f"parameters cell: seed = {first!r}, must be 0 or another multiple of {PUBLISHED_SEEDS}")
    return problems


def output_problems(notebook: Path) -> list[str]:
    """Executed in order without errors, nothing on stderr, no large output, no path of a machine, labelled figures."""
    cells = cells_of(notebook)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    problems = []
    counts = [cell.get("execution_count") for cell in code]
    if counts != list(range(1, len(code) + 1)):
        problems.append(f"not executed once from top to bottom: execution counts are {counts}")
    for number, cell in enumerate(cells):
        problems += [f"cell {number}: a path of one machine: {path}" for path in _machine_paths(_source(cell))]
        for output in cell.get("outputs", ()):
            problems += [f"cell {number}: {problem}" for problem in _problems_of(output)]
    return problems


def saved_problems(notebook: Path) -> list[str]:
    """The file is, byte for byte, what JupyterLab writes when it is opened there and saved."""
    content = nbformat.read(notebook, as_version=4)
    problems = [] if content.metadata == METADATA else ["the metadata are not those of published notebooks"]
    if nbformat.writes(content) + "\n" != notebook.read_text(encoding="utf-8"):
        problems.append("the file is not written as nbformat writes it (order of keys, indentation, last line)")
    return problems


def record_problems(notebook: Path, paper: Paper, scale: str) -> list[str]:
    """The record is there, is of this paper, scale and claims, its verdicts follow from its numbers.

    At toy scale it bears out the finding of paper.yaml, and has enough seeds.
    """
    try:
        record = read_record(notebook)
    except ValueError as error:
        return [str(error)]
    problems = []
    if (record["paper"], record["scale"]) != (paper.slug, scale):
        problems.append(f"the record is of {record['paper']} at {record['scale']}, must be {paper.slug} at {scale}")
    if [c["id"] for c in record["claims"]] != [c.id for c in paper.claims_at(scale)]:
        problems.append("the record's claims are not those of paper.yaml, in their order")
    changed = changed_claims(paper, record)
    problems += [f"the claim {name} is not stated as it was when it was measured" for name in changed]
    if scale == "toy":
        problems += finding_problems(paper, record)
        if record["parameters"]["seeds"] < PUBLISHED_SEEDS:
            problems.append(f"{record['parameters']['seeds']} seeds, must be {PUBLISHED_SEEDS} or more")
    for old, new in zip(record["claims"], recompute(record)["claims"], strict=True):
        names = [name for name in new if not same(old.get(name), new[name])]
        problems += [f"claim {old['id']}: {name} does not follow from its numbers" for name in names]
    return problems


def same(one: Any, two: Any) -> bool:
    """Equality of JSON values, numbers to nine digits, since libraries round differently from version to version."""
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[k], two[k]) for k in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


def _assignments(source: str) -> dict[str, Any]:
    """Names and literal values of the assignments in a cell."""
    values = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            value = ast.literal_eval(node.value)
            names = [name for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            values |= {name.id: value for name in names}
    return values


def _markdown(cells: list[dict[str, Any]]) -> list[str]:
    return [_source(cell) for cell in cells if cell["cell_type"] == "markdown"]


def _sections(cell: Cell) -> Iterator[tuple[str | None, str]]:
    """(heading, text below it) of every part of a markdown cell; None for what stands before the first heading."""
    if cell["cell_type"] != "markdown":
        return
    before, *rest = re.split(r"^## +(.+?) *$", _source(cell), flags=re.MULTILINE)
    yield None, before
    yield from zip(rest[::2], rest[1::2], strict=True)


def _typed_results(text: str) -> list[str]:
    """Decimal numbers and verdicts in a text, beside what is quoted or formula."""
    plain = QUOTED.sub(" ", text)
    return [match[0] for pattern in (DECIMAL, VERDICT) for match in pattern.finditer(plain)]


def _problems_of(output: Cell) -> Iterator[str]:
    if output["output_type"] == "error":
        yield f"ended with {output['ename']}"
    if output.get("name") == "stderr":
        yield f"wrote to stderr: {_joined(output['text'])[:80]!r}"
    size = len(json.dumps(output))
    most = RECORD_BYTES if MIME in output.get("data", {}) else OUTPUT_BYTES
    if size > most:
        yield f"an output of {size // 1000} kB, must be {most // 1000} kB at most"
    texts = [_joined(output.get("text", ""))]
    texts += [json.dumps(v) if k == MIME else _joined(v) for k, v in output.get("data", {}).items() if "image" not in k]
    for path in _machine_paths("\n".join(texts)):
        yield f"a path of one machine: {path}"
    if "image/png" in output.get("data", {}):
        yield from _figure_problems(output)


def _figure_problems(output: Cell) -> Iterator[str]:
    """`autodidact.figures.show` leaves the labels of every axis in the output's metadata."""
    axes = output.get("metadata", {}).get("autodidact", {}).get("axes")
    if axes is None:
        yield "a figure without the labels of its axes; draw it with autodidact.figures.show"
    for number, labels in enumerate(axes or ()):
        if len(labels) != 2 or not all(isinstance(label, str) and label.strip() for label in labels):
            yield f"a figure whose axes {number} have the labels {labels}"


def _machine_paths(text: str) -> list[str]:
    return [text[match.start() :].split()[0][:60] for match in OF_A_MACHINE.finditer(text)]


def _tagged(cell: Cell) -> bool:
    return "parameters" in cell["metadata"].get("tags", ())


def _source(cell: Cell) -> str:
    return _joined(cell["source"])


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else text if isinstance(text, str) else json.dumps(text)
