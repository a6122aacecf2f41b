"""Small papers with real notebooks that need no model, for the tests of what executes and reads notebooks."""

from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MEASURE = """
import numpy as np
for s in study.seeds():
    rng = np.random.default_rng(s)
    study.measure("gain", treatment=p.beta + rng.normal(), control=float(rng.normal()), replicate=s)
"""
FIGURE = """
import base64
from IPython.display import Image
png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
Image(base64.b64decode(png))
"""
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
    "reported": "table 1",
}


def write_paper(papers: Path, slug: str, measure: str = MEASURE, small: bool = True) -> Path:
    """A paper whose notebook measures with the code `measure`; the path of its notebook."""
    folder = papers / slug
    folder.mkdir(parents=True)
    row = {"beta": 2.0, "rounds": 3, "name": "plain"}
    paper = {
        "slug": slug, "title": f"On {slug}", "authors": "A. Author", "year": 2024, "arxiv": None, "kind": "test",
        "summary": "A paper for tests.", "claims": [CLAIM], "compare": None,
        "scales": {"toy": row, **({"small": {**row, "rounds": 5}} if small else {})},
    }  # fmt: skip
    (folder / "paper.yaml").write_text(yaml.safe_dump(paper, sort_keys=False))
    parameters = new_code_cell('scale = "toy"\nseed = 0\nseeds = 3\nbeta = None\nrounds = None\nname = None')
    parameters.metadata["tags"] = ["parameters"]
    study = f'from autodidact.claims import Study\nstudy = Study("{slug}", globals())\np = study.parameters'
    cells = [new_markdown_cell(f"# On {slug}"), parameters, new_code_cell(study), new_code_cell(measure.strip())]
    cells += [new_code_cell(FIGURE.strip()), new_code_cell("study.verdicts()")]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / f"{slug}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    return path
