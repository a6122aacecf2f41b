"""What the form test finds in a notebook: outputs that are no good, results that were typed."""

import json
from dataclasses import replace

import nbformat

from autodidact.claims import load_paper
from ci import check, form
from ci.bench.small_paper import write_paper


def test_a_good_notebook_has_no_problems(papers):
    write_paper(papers, "alpha")
    assert check.static_problems("alpha") == []


def test_form_names_what_is_wrong_with_outputs(tmp_path):
    figure = {"data": {"image/png": "aa"}, "metadata": {"autodidact": {"axes": [["round", ""]]}}}
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": ["warning"]},
        {"output_type": "stream", "name": "stdout", "text": "saved to /home/someone/x and https://a.org/home/b"},
        {"output_type": "display_data", "data": {"text/html": "x" * 300_001}, "metadata": {}},
        {"output_type": "display_data", **figure},
    ]
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": outputs, "execution_count": 2}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [cell]}))
    problems = form.output_problems(path)
    expected = [
        "execution counts are [2]",
        "stderr: 'warning'",
        "machine: /home/someone/x",
        "of 300 kB",
        "['round', '']",
    ]
    assert len(problems) == len(expected)
    for problem, words in zip(problems, expected, strict=True):
        assert words in problem


def edited(place, section, text):
    """The problems of a notebook whose section of that name has another text below its heading."""
    notebook = nbformat.read(place, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.source == f"## {section}")
    cell.source += f"\n\n{text}"
    nbformat.write(notebook, place)
    problems = form.text_problems(place)
    cell.source = f"## {section}"
    nbformat.write(notebook, place)
    return problems


def test_a_typed_result_is_found_between_the_results_and_what_differs(papers):
    place = write_paper(papers, "alpha")
    for text in (
        "It gains 0.64 points.",
        "The claim is contradicted.",
        "### A part\n\nThis **holds**.",
        "It stays open.",
    ):
        for section in ("Results", "Verdicts"):
            assert len(edited(place, section, text)) == 1, text
    assert edited(place, "The method", "A step of 0.64; this holds.") == []
    assert edited(place, "What differs from the paper", "They take 0.001, which holds.") == []
    assert "typed after the results: '-0.3'" in edited(place, "Results", "a move of -0.3 nats")[0]


def test_formulas_code_and_places_in_the_paper_may_stand_after_the_results(papers):
    place = write_paper(papers, "alpha")
    for text in (
        "section 5.1 and Table 2.3",
        "`beta` = `0.1`",
        "$\\eta = 0.5$",
        "[here](https://a.org/1.2)",
        "of 95 %",
    ):
        assert edited(place, "Results", text) == [], text


def test_the_claims_come_first_and_prose_has_a_limit(papers):
    place = write_paper(papers, "alpha")
    assert "words of prose" in edited(place, "The method", "word " * 1500)[0]
    assert edited(place, "The method", f"```\n{'word ' * 1500}\n```") == []
    text = place.read_text().replace('claims_table(\\"alpha\\")', "1")
    place.write_text(text)
    assert "first code cell" in form.text_problems(place)[0]


def test_lint_problems_name_the_cell(papers):
    place = write_paper(papers, "alpha", measure="import os\nx = undefined_name")
    problems = check.lint_problems(place)
    assert any("F821" in problem and "cell" in problem for problem in problems)


def test_parameters_stand_one_a_line_and_start_at_a_multiple_of_the_seeds(papers):
    place, paper = write_paper(papers, "alpha"), load_paper("alpha")
    good = place.read_text()
    assert form.parameter_problems(place, paper) == []
    place.write_text(good.replace("seed = 0", "seed = 10"))
    assert form.parameter_problems(place, paper) == []
    place.write_text(good.replace("seed = 0", "seed = 3"))
    assert form.parameter_problems(place, paper) == ["parameters cell: seed = 3, must be 0 or another multiple of 10"]
    place.write_text(good.replace("beta = None", "beta = other = None"))
    (problem,) = form.parameter_problems(place, paper)
    assert "sets several names, of which papermill lists only one" in problem


def test_seeds_that_a_preset_sets_are_none_in_the_cell(papers):
    place, paper = write_paper(papers, "alpha"), load_paper("alpha")
    good = place.read_text()

    def preset(**seeds):
        return replace(paper, data={**paper.data, "scales": {"toy": {**paper.scales["toy"], **seeds}}})

    assert any("seeds = 10, must be None" in text for text in form.parameter_problems(place, preset(seeds=30)))
    place.write_text(good.replace("seed = 0", "seed = None").replace("seeds = 10", "seeds = None"))
    assert form.parameter_problems(place, preset(seed=20, seeds=30)) == []
    assert form.parameter_problems(place, preset(seed=3, seeds=30)) != []


def test_a_record_of_thousands_of_items_may_be_larger_than_other_outputs(tmp_path):
    path = tmp_path / "a.ipynb"
    for size, refused in ((300_001, False), (1_000_001, True)):
        output = {"output_type": "display_data", "data": {form.MIME: "x" * size}, "metadata": {}}
        cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [output], "execution_count": 1}
        path.write_text(json.dumps({"cells": [cell]}))
        assert any("1000 kB at most" in problem for problem in form.output_problems(path)) is refused
