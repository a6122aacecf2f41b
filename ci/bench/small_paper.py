"""Small papers with real notebooks that need no model, for the tests of what executes and reads notebooks."""

from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ci.form import SECTIONS

MEASURE = """
import numpy as np

for s in study.seeds():
    rng = np.random.default_rng(s)
    study.measure("gain", treatment=p.beta + rng.normal(), control=float(rng.normal()), replicate=s)
"""
FIGURE = """
from IPython.display import display

png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
labels = {"autodidact": {"alt": "A dot.", "axes": [["round", "points"]]}}
display({"image/png": png, "text/plain": "a dot"}, raw=True, metadata=labels)
"""
PARAMETERS = """
scale = "toy"
seed = 0
seeds = 10
beta = None
rounds = None
name = None
"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CLAIM = {
    "id": "gain",
    "says": "The treatment gains beta over the control",
    "measures": "gain",
    "unit": "points",
    "treatment": "treated",
    "control": "untreated",
    "test": "difference",
    "expects": "greater",
    "role": "central",
    "whose": "paper",
    "reported": "table 1",
}


def write_paper(papers: Path, slug: str, measure: str = MEASURE, small: bool = True) -> Path:
    """A paper whose notebook measures with the code `measure`; the path of its notebook."""
    folder = papers / slug
    folder.mkdir(parents=True)
    row = {"beta": 2.0, "rounds": 3, "name": "plain"}
    paper = {
        "slug": slug, "name": slug.title(), "title": f"On {slug}", "authors": "A. Author", "year": 2024, "arxiv": None,
        "kind": "test", "summary": "A paper for tests.", "claims": [CLAIM], "compare": None,
        "finding": {"says": "It gains.", "verdicts": {"gain": "reproduced"}},
        "scales": {"toy": row, **({"small": {**row, "rounds": 5}} if small else {})},
    }  # fmt: skip
    (folder / "paper.yaml").write_text(yaml.safe_dump(paper, sort_keys=False))
    path = folder / f"{slug}.ipynb"
    nbformat.write(new_notebook(cells=_cells(slug, measure), metadata=KERNEL), path)
    return path


def _cells(slug: str, measure: str) -> list[nbformat.NotebookNode]:
    """A notebook's cells in the form of all notebooks: title, claims, and every section with its heading."""
    claims = f'from autodidact.claims import Study, claims_table\n\nclaims_table("{slug}")'
    codes = {
        "Parameters": [PARAMETERS, f'study = Study("{slug}", globals())\np = study.parameters'],
        "The world": [measure],
        "Results": [FIGURE],
        "Verdicts": ["study.verdicts()"],
    }
    cells = [new_markdown_cell(f"# On {slug}\n\n## {SECTIONS[0]}"), new_code_cell(claims)]
    for section in SECTIONS[1:]:
        cells.append(new_markdown_cell(f"## {section}"))
        cells += [new_code_cell(source.strip()) for source in codes.get(section, ())]
    next(cell for cell in cells if cell.source == PARAMETERS.strip()).metadata["tags"] = ["parameters"]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return cells
