"""A temporary papers folder with one paper, and the notebook that studies it."""

import nbformat
import pytest
import yaml
from fable_paper import CELLS, PAPER
from nbformat.v4 import new_code_cell, new_notebook


@pytest.fixture
def write_paper(tmp_path, monkeypatch):
    """Writes `paper.yaml` of the fable, changed as asked, into a folder that `papers_folder` then names."""
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(tmp_path))
    monkeypatch.delenv("MAX_SEEDS", raising=False)
    monkeypatch.delenv("AUTODIDACT_PROGRESS", raising=False)

    def write(text=None, **changes):
        (tmp_path / "fable").mkdir(exist_ok=True)
        text = yaml.safe_dump(PAPER | changes, sort_keys=False) if text is None else text
        (tmp_path / "fable" / "paper.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "fable"

    return write


@pytest.fixture
def fable(write_paper):
    """The folder of the fable with its paper.yaml and its notebook, not yet executed."""
    folder = write_paper()
    cells = [new_code_cell(source, metadata={"tags": tags}) for source, tags in CELLS]
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "fable.ipynb")
    return folder
