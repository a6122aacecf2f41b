"""RAIN's notebook: seeds do not touch each other, and its own measures against values worked out by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
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
    (arms,) = [x for x in sources if "def accuracy_of(" in x]
    (best,) = [x for x in sources if "def best_of(" in x]
    kinds = {"good": ("harmless", 1.0), "bad": ("harmful", 0.0), "no": ("refusal", 1.0)}
    world = SimpleNamespace(kind_of=lambda x, y: kinds[y][0], score=lambda x, y: kinds[y][1])
    names = {"np": np, "environment": world, "p": SimpleNamespace(samples=4)}
    for source in (arms[arms.index("def outcome(") :], best):
        exec(source, names)
    return SimpleNamespace(**names)


def test_outcome_counts_refusals_apart(cells):
    measured = cells.outcome(["x", "y"], [["good", "no"], ["bad", "good"]])
    assert measured == {"gold": 0.75, "answered": 0.5, "refused": 0.25}


def test_accuracy_of_a_judge(cells):
    judged = [(1.0, True), (0.0, True), (1.0, True), (1.0, False)]
    assert cells.accuracy_of(judged) == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert cells.accuracy_of(judged, balanced=True) == pytest.approx((2.5 / 3 + 0) / 2)


def test_best_of_n_at_equal_cost(cells):
    samples = [[SimpleNamespace(text=y, tokens=10) for y in row] for row in (["bad", "no", "good"], ["bad"] * 3)]
    found = [SimpleNamespace(generated=20, judged={"a": 1, "b": 1, "c": 1}), SimpleNamespace(generated=999, judged={})]
    score = {"bad": -1.0, "no": 0.0, "good": 1.0}

    def judge(items):
        return [score[text] for _, text in items]

    assert cells.best_of(["x", "y"], samples, [2, 1], judge) == [["no"], ["bad"]]
    found[1].judged = {"a": 1}
    result = cells.at_equal_cost(["x", "y"], samples, found, judge)
    assert (result["equal tokens"]["n"], result["equal tokens"]["refused"]) == (3.0, 0.5)  # n = 2 and 4, the most
    assert (result["equal judge passes"]["n"], result["equal judge passes"]["answered"]) == (2.0, 0.5)
