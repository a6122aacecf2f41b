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


def test_paper_scale_judges_prompts_and_pairs_and_runs_no_judge_of_set_accuracy():
    least = LEAST | {"scale": "paper", "model": "tiny", "world": "facts/requests", "seed": 100, "seeds": 1}
    claims = {claim["id"]: claim for claim in measure("rain", **least)["claims"]}
    assert claims["judges-itself"]["replicate"] == "pair" and claims["more-harmless"]["replicate"] == "prompt"
    assert len(claims["more-harmless"]["treatment"]) == LEAST["prompts"]
    assert "beats-best-of-n-weak" not in claims and "harmful-mode" not in claims


@pytest.fixture(scope="module")
def cells():
    """The functions of the cells that measure."""
    sources = ["".join(c["source"]) for c in json.loads((papers_folder() / "rain/rain.ipynb").read_text())["cells"]]
    (arms,) = [x for x in sources if "def outcome(" in x]
    (budgets,) = [x for x in sources if "def at_equal_cost(" in x]
    (measures,) = [x for x in sources if "def own_judgement(" in x]
    kinds = {"good": ("harmless", 1.0), "bad": ("harmful", 0.0), "no": ("refusal", 1.0)}

    def kind_of(x, y):
        return kinds[y.split()[-1]]

    world = SimpleNamespace(
        kind_of=lambda x, y: kind_of(x, y)[0],
        score=lambda x, y: kind_of(x, y)[1],
        harmless=lambda x, y: "bad" not in y,
        complete_clause=lambda text: text.endswith(","),
        labelled=lambda n, rng, split: [("x", "bad", False), ("x", "good", True), ("y", "good , bad", False)],
    )
    names = {"np": np, "lab": SimpleNamespace(world=world), "p": SimpleNamespace(samples=4, judge_items=3)}
    names |= {"RAIN": SimpleNamespace(threshold=0.9), "stream": lambda *_: None}
    for source in (arms[arms.index("def outcome(") :], budgets, measures):
        exec(source, names)
    return SimpleNamespace(**names)


def test_outcome_counts_refusals_apart_prompt_by_prompt(cells):
    measured = cells.outcome(["x", "y"], [["good", "no"], ["bad", "good"]])
    assert {name: values.tolist() for name, values in measured.items()} == {
        "gold": [1, 0.5], "full": [0.5, 0.5], "refused": [0.5, 0],
    }  # fmt: skip


def test_a_judge_is_half_right_where_the_orders_of_the_options_disagree(cells):
    assert cells.right([1.0, 0.0, -1.0, 1.0], [True, True, False, False]).tolist() == [1, 0.5, 1, 0]


def test_own_judgement_is_averaged_over_pairs_so_that_saying_harmless_always_is_one_half(cells):
    # the texts: harmful, harmless, harmful; their pair is the second and the first
    always = SimpleNamespace(odds=lambda items: np.array([[3.0, 1.0], [3.0, 2.0], [9.0, 9.0]]))
    found = cells.own_judgement(None, always, 0)
    assert [found[k].tolist() for k in ("harmless", "harmful", "pair", "prefers")] == [[1], [0], [0.5], [1]]
    assert found["shorter"].tolist() == [0.5]
    torn = SimpleNamespace(odds=lambda items: np.array([[-1.0, -2.0], [1.0, -4.0], [9.0, 9.0]]))
    found = cells.own_judgement(None, torn, 0)
    assert [found[k].tolist() for k in ("harmless", "harmful", "pair", "prefers")] == [[0.5], [1], [0.75], [0.5]]


def test_costs_of_a_search(cells):
    found = [
        SimpleNamespace(generated=20, additions=0, judged={"good": 1.0, "bad": 0.0}, compared=[0.95, 0.5]),
        SimpleNamespace(generated=40, additions=3, judged={"bad": 1.0}, compared=[]),
    ]
    costs = cells.costs(["x", "y"], found)
    assert costs.pop("added").tolist() == [False, True]
    assert costs == {"generated": 30, "passes": 3, "judge": 0.5, "similar": 0.5}


def test_the_beginnings_of_a_text_end_with_a_clause_and_the_last_is_the_whole(cells):
    assert cells.clause_ends("a b , c , d .") == ["a b ,", "a b , c ,", "a b , c , d ."]
    assert cells.clause_ends("") == [""]


def test_plain_samples_at_the_cost_of_a_search(cells):
    texts = [["bad", "no", "good"], ["good , bad", "good", "bad"]]
    rows = [[SimpleNamespace(text=y, tokens=10) for y in row] for row in texts]
    answers = Answers(["x", "y"], ["x", "y"], rows, None)
    found = [
        SimpleNamespace(generated=20, judged={"a": 1, "b": 1, "c": 1}),
        SimpleNamespace(generated=999, judged={"a": 1, "b": 1}),
    ]
    # the whole of "good , bad" passes for the best; its first clause does not
    score = {"bad": -1.0, "no": 0.0, "good": 0.9, "good , bad": 1.0, "good ,": -1.0}
    asked = []

    def judge(items):
        asked.extend(text for _, text in items)
        return [score[text] for _, text in items]

    result = cells.at_equal_cost(answers, found, judge)
    # equal tokens: n = 2 of the first prompt (bad, no), of the second 4, the most (three are there)
    assert result["best-of-n"]["refused"].tolist() == [1, 0] and result["best-of-n"]["n"] == 3
    assert result["best-of-n"]["gold"].tolist() == [1, 0]
    # equal passes: three texts of one part each; of the second prompt two parts, which the first text takes
    assert result["best by clauses"]["full"].tolist() == [1, 0]
    found[1].judged = dict.fromkeys("abcd", 1)
    again = cells.at_equal_cost(answers, found, judge)["best by clauses"]
    assert again["full"].tolist() == [1, 1]  # means 0, 0.9, -1
    odds = {"bad": [3.0, -5.0], "no": [-1.0, -2.0], "good": [2.0, 1.0], "good , bad": [0.0, 2.5]}
    by_odds = cells.at_equal_cost(answers, found, judge, lambda items: np.array([odds[text] for _, text in items]))
    assert set(by_odds) == {"best-of-n", "best by odds"}
    # n = 2: means -1 and -1.5, the first; of the second prompt 1.25, 1.5, -1
    assert by_odds["best by odds"]["gold"].tolist() == [0, 1]
