"""The first screen: what came out, in the words that people read, and the claims; filled in when the run ends."""

import nbformat
import papermill
import pytest
from fable_paper import CELLS
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autodidact import provenance
from autodidact.claims import Study, load_paper, word
from autodidact.claims.screen import claims, generalises, outcome

WORDS = [
    ("reproduced", "paper", "reproduced"), ("reproduced", "ours", "holds"), ("contradicted", "paper", "contradicted"),
    ("contradicted", "ours", "fails"), ("negligible", "ours", "negligible"), ("open", "ours", "open"),
    ("untested", "paper", "untested"), ("open", "paper", "open"),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "whose", "shown"), WORDS)
def test_the_word_that_people_see(verdict, whose, shown):
    assert word({"verdict": verdict, "whose": whose}) == shown


@pytest.fixture
def record(write_paper):
    write_paper()
    study = Study("fable", {"seeds": 6})
    for s in study.seeds():
        study.measure("grapes", treatment=1.0 + s / 100, control=0.5, replicate=s)
        study.measure("sour", treatment=0.9 + s / 100, control=0.0, replicate=s)
    study.measure("law", treatment=2.0, control=1.0, replicate="lambda=1")
    study.verdicts()
    return study.record


def test_what_came_out(record):
    lines = outcome(load_paper("fable"), record)["text/plain"].splitlines()
    assert lines == [
        "What came out: The grapes hang higher.",
        "  ● reproduced: the treatment is greater (grapes: 0.525 [0.505, 0.545] nats)",
        "  ✖ contradicted: the treatment is greater (law: 1 nats)",
        "  control ✖ fails: the treatment is greater (sour: 0.925 [0.905, 0.945] nats)",
        "Verdicts generalise over seeds.",
    ]
    html = outcome(load_paper("fable"), record)["text/html"]
    assert html.count("<li>") == 3 and "<b>What came out: The grapes hang higher.</b>" in html


def test_a_finding_that_the_run_does_not_bear_out_is_not_said_of_it(record):
    record["claims"][0]["verdict"] = "open"
    lines = outcome(load_paper("fable"), record)["text/plain"].splitlines()
    assert lines[0] == "What came out" and lines[1].startswith("Not borne out by this run: “The grapes hang higher.”")
    assert "grapes to be reproduced, it is open" in lines[1]


def test_a_finding_about_claims_that_are_not_judged_here_is_not_shown(record):
    record["claims"] = [claim for claim in record["claims"] if claim["id"] != "grapes"]
    text = outcome(load_paper("fable"), record)["text/plain"]
    assert text.splitlines()[0] == "What came out" and "borne out" not in text and "higher" not in text


def test_before_the_run_it_says_so():
    assert "filled in by the run" in outcome(load_paper("sppo"), None)["text/plain"]


def test_central_claims_stand_open_and_the_rest_is_folded(write_paper):
    write_paper()
    paper = load_paper("fable")
    html = claims(paper, paper.claims)["text/html"]
    shown, _, folded = html.partition("<details>")
    assert ">grapes<" in shown and ">law<" in shown and ">sour<" in folded and ">sour<" not in shown
    assert "control, ours" in folded and "margin" not in html


def test_over_what_the_verdicts_generalise(write_paper):
    write_paper(judged={"small": {"prompt": ["sour"], "seed": ["grapes"], "lambda": ["law"]}})
    paper = load_paper("fable")
    assert generalises(paper.claims, False) == "Verdicts generalise over seeds."
    small = paper.claims_at("small")
    assert generalises(small, True) == "Verdicts generalise over seeds and over prompts under fixed models."
    assert generalises(paper.claims[2:], True) == ""  # what is exact does not
    write_paper(judged={"small": {"run": ["sour"]}})  # a run is no item under a model that is fixed
    assert generalises(load_paper("fable").claims_at("small"), True) == "Verdicts generalise over runs."


def notebook_of(folder, *changes):
    cells = [new_code_cell(source, metadata={"tags": tags}) for source, tags in CELLS]
    for old, new in changes:
        cells[2].source = cells[2].source.replace(old, new)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "fable.ipynb")
    return folder / "fable.ipynb"


def screen_of(notebook):
    return [output["data"]["text/plain"] for output in notebook.cells[1].outputs]


def test_a_run_that_ends_early_leaves_the_promise(fable):
    notebook = nbformat.read(fable / "fable.ipynb", 4)
    notebook.cells[4].source = "raise KeyboardInterrupt"
    client = NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(provenance.ROOT)}}, allow_errors=True
    )
    client.execute()
    shown, _ = screen_of(notebook)
    assert shown.splitlines()[0] == "What came out" and "filled in by the run" in shown


def test_papermill_writes_it_and_a_scale_shows_what_it_judges(write_paper, tmp_path):
    """Through papermill: the outputs of the first cell are replaced in the file by what later cells made of them."""
    path = notebook_of(write_paper(judged={"small": {"seed": ["grapes"]}}))
    papermill.execute_notebook(path, tmp_path / "out.ipynb", parameters={"scale": "small"}, progress_bar=False)
    done = nbformat.read(tmp_path / "out.ipynb", 4)
    done.cells = [cell for cell in done.cells if "injected-parameters" not in cell.metadata.get("tags", ())]
    shown, listed = screen_of(done)
    assert "What came out: The grapes hang higher." in shown and "(grapes: " in shown and "law" not in shown
    assert "grapes" in listed and "sour" not in listed
