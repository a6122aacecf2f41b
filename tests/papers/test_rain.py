"""RAIN's notebook: seeds do not touch each other, and its own measures against values worked out by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.lab import Answers
from tests.papers.notebooks import measure, seeds_stand_alone

# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 20, "threads": 1, "prompts": 2, "samples": 3, "draws": 1, "judge_items": 12, "rounds": 3,
    "rounds_after_commit": 2, "children": 3, "lengths": [2, 6], "max_new_tokens": 10,
}  # fmt: skip


def test_seeds_together_are_seeds_apart_bit_for_bit():
    seeds_stand_alone(lambda **seeds: measure("rain", **LEAST, **seeds))


@pytest.fixture(scope="module")
def cells():
    """The functions of the two cells that measure."""
    sources = ["".join(c["source"]) for c in json.loads((papers_folder() / "rain/rain.ipynb").read_text())["cells"]]
    (arms,) = [x for x in sources if "def outcome(" in x]
    (measures,) = [x for x in sources if "def at_equal_cost(" in x]
    kinds = {"good": ("harmless", 1.0), "bad": ("harmful", 0.0), "no": ("refusal", 1.0)}
    world = SimpleNamespace(
        kind_of=lambda x, y: kinds[y][0], score=lambda x, y: kinds[y][1], harmless=lambda x, y: y != "bad"
    )
    names = {"np": np, "lab": SimpleNamespace(world=world), "p": SimpleNamespace(samples=4)}
    names["RAIN"] = SimpleNamespace(threshold=0.9)
    for source in (arms[arms.index("def outcome(") :], measures):
        exec(source, names)
    return SimpleNamespace(**names)


def test_outcome_counts_refusals_apart(cells):
    measured = cells.outcome(["x", "y"], [["good", "no"], ["bad", "good"]])
    assert measured == {"gold": 0.75, "answered": 0.5, "refused": 0.25}


def test_a_judge_is_half_right_where_the_orders_of_the_options_disagree(cells):
    assert cells.right([1.0, 0.0, -1.0, 1.0], [True, True, False, False]).tolist() == [1, 0.5, 1, 0]


def test_costs_of_a_search(cells):
    found = [
        SimpleNamespace(generated=20, additions=0, judged={"good": 1.0, "bad": 0.0}, compared=[0.95, 0.5]),
        SimpleNamespace(generated=40, additions=3, judged={"bad": 1.0}, compared=[]),
    ]
    costs = cells.costs(["x", "y"], found)
    assert costs == {"generated": 30, "additions": 1.5, "passes": 3, "judge": 0.5, "similar": 0.5}


def test_best_of_n_at_equal_cost(cells):
    rows = [[SimpleNamespace(text=y, tokens=10) for y in row] for row in (["bad", "no", "good"], ["bad"] * 3)]
    answers = Answers(["x", "y"], ["x", "y"], rows, None)
    found = [
        SimpleNamespace(generated=20, judged={"a": 1, "b": 1, "c": 1}),
        SimpleNamespace(generated=999, judged={"a": 1}),
    ]
    score = {"bad": -1.0, "no": 0.0, "good": 1.0}

    def judge(items):
        return [score[text] for _, text in items]

    result = cells.at_equal_cost(answers, found, judge)
    assert (result["tokens"]["n"], result["tokens"]["refused"]) == (3.0, 0.5)  # n = 2 and 4, the most
    assert (result["judge passes"]["n"], result["judge passes"]["answered"]) == (2.0, 0.5)
