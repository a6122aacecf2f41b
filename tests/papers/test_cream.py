"""CREAM's notebook: its labels, controls and measures against values worked out by hand."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import logit

from autodidact.claims import papers_folder
from autodidact.judges import rank_correlation, ranking_consistency
from autodidact.lab import Answers
from autodidact.losses import cream
from autodidact.samplers import Sample, extreme_pairs
from autodidact.streams import stream


class Worded:
    """A policy whose log pi of a response is a number a word, of which policies have different ones."""

    def __init__(self, per_word):
        self.per_word = per_word

    def sequence_logprobs(self, prompts, responses):
        return np.array([sum(self.per_word[word] for word in y.split()) for y in responses])


def answered(inputs, texts, gold):
    """Answers of no model in particular, with the gold scores that are given by text."""
    rows = [[Sample(y, 0.0, 1, True) for y in row] for row in texts]
    return Answers(inputs, inputs, rows, SimpleNamespace(score=lambda x, y: gold[y]))


def mean_loglikelihoods(policy, texts, answers):
    return np.array([[-policy.per_word[y] for y in row] for row in answers])


@pytest.fixture
def cells():
    """The functions of the cells that label, weigh and measure."""
    notebook = json.loads((papers_folder() / "cream/cream.ipynb").read_text())["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in notebook}
    names = {
        "np": np, "torch": torch, "stream": stream, "logit": logit, "LOSS": partial(cream, beta=0.5),
        "extreme_pairs": extreme_pairs, "ranking_consistency": ranking_consistency,
        "rank_correlation": rank_correlation, "mean_loglikelihoods": mean_loglikelihoods,
        "p": SimpleNamespace(beta=0.5, measure="kendall", learning_rate=1e-3, rounds=3, responses=2),
    }  # fmt: skip
    for name in ("method", "controls", "measures", "margin"):
        exec(sources[name], names)
    return names


SHEET = {
    "answers": answered(["x", "y", "z"], [["a", "b", "c"]] * 3, {"a": 0.0, "b": 0.0, "c": 0.0}),
    "now": np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]]),
    "c": np.array([0.2, 1.0, 0.6]),
    "gold": np.array([[1.0, 0.0, 0.5], [0.5, 0.0, 0.5], [0.9, 0.1, 0.2]]),
}


def test_round_one_asks_the_first_model_for_mean_likelihoods_and_later_rounds_the_previous_one(cells):
    m0, m1, m2 = (Worded({"a": a, "b": b}) for a, b in ((-1.0, -2.0), (-3.0, -1.5), (-0.5, -4.0)))
    answers = answered(["x"], [["a", "b"]], {"a": 0.2, "b": 0.9})
    sheet = cells["judge"]([m0, m1], answers)
    assert sheet["now"].tolist() == [[-2.0, 0.5]] and sheet["before"].tolist() == [[1.0, 2.0]]
    assert sheet["c"].tolist() == [1.0] and sheet["gold"].tolist() == [[0.2, 0.9]]
    sheet = cells["judge"]([m0, m1, m2], answers)
    assert sheet["now"].tolist() == [[0.5, -2.0]] and sheet["before"].tolist() == [[-2.0, 0.5]]
    assert sheet["c"].tolist() == [0.0]


def arms_of(cells):
    """What every arm asks of the loop, and CREAM's rounds as they would be."""
    asked = []

    def run(**arm):
        asked.append(arm)
        return {"C": [0.5, 0.9], "kl": [0.1, 0.3]}

    return dict(zip(cells["all_arms"](run, 7), asked, strict=True))


def test_pairs_are_the_current_models_and_only_c_is_the_arms(cells):
    arms = arms_of(cells)
    expected = {"cream": [0.6] * 3, "cream, dynamic": [0.2, 1.0, 0.6], "smoothing, fixed": [0.7] * 3}
    for arm, consistency in expected.items():
        pairs, rows = cells["label"](SHEET, **arms[arm])
        assert [(q.chosen, q.rejected) for q in pairs] == [("a", "c"), ("c", "a"), ("b", "c")]
        assert [q.columns["consistency"] for q in pairs] == pytest.approx(consistency)
        assert rows.tolist() == [[0, 0, 2], [1, 2, 0], [2, 1, 2]]
    pairs, _ = cells["label"](SHEET, lambda c: 1.0, **arms["oracle"])
    assert [(q.chosen, q.rejected) for q in pairs] == [("a", "b"), ("a", "b"), ("a", "b")]
    assert arms["self-rewarding"] == {} and arms["self-rewarding, equal KL"] == {"kl": [0.1, 0.3]}


def test_shuffled_consistencies_are_the_same_numbers_on_other_prompts(cells):
    c = np.linspace(0, 1, 40)
    dealt = arms_of(cells)["shuffled"]["weigh"](c)
    assert sorted(dealt) == sorted(c)
    assert (dealt != c).mean() > 0.8
    assert (arms_of(cells)["shuffled"]["weigh"](c) == dealt).all()


def test_labels_are_right_level_or_wrong(cells):
    _, rows = cells["label"](SHEET, lambda c: 1.0)
    worth = cells["report"](SHEET, rows)
    assert worth["right"] == (1.0 + 0.5 + 0.0) / 3
    assert (worth["upper"], worth["lower"]) == (0.5, 1.0)  # c = 1 has the level one, c = 0.2 the right one
    assert worth["C"] == pytest.approx(0.6) and worth["length rank"] == 0.0


def test_halves_by_consistency(cells):
    right = np.array([1.0, 0.0, 1.0, 0.0, 0.5])
    halves = cells["halves"](np.array([0.9, 0.1, 0.8, 0.2, 0.5]), right)
    assert halves == {"upper": 1.0, "lower": 0.0}  # the middle one of five is in neither
    assert cells["halves"](np.full(4, 0.5), right[:4]) == {"upper": 0.5, "lower": 0.5}
    assert cells["halves"](np.array([]), np.array([])) == {"upper": 0.5, "lower": 0.5}


class Moving:
    """A lab whose trainings move a policy by the rate, and which notes them."""

    def __init__(self):
        self.rates, self.rounds = [], []

    def sample(self, policy, prompts, n, rng):
        return answered(prompts, [["a", "b"]] * len(prompts), {"a": 1.0, "b": 0.0})

    def train(self, policy, pairs, s, t, *, loss, learning_rate):
        self.rates.append(learning_rate)
        self.rounds.append(t)
        return Worded({"a": policy.per_word["a"] + learning_rate, "b": policy.per_word["b"] - learning_rate})

    def held_out(self, policy, s):
        return answered(["x"], [["a"]], {"a": policy.per_word["a"]})


def test_the_rate_of_equal_kl_goes_with_the_root(cells):
    """Policies that move by the rate: KL is then nearly its square, and one trial hits the target."""
    lab, start, answers = Moving(), Worded({"a": -0.7, "b": -0.7}), answered(["x"], [["a", "b"]], {})
    cells["lab"], cells["p"].learning_rate = lab, 0.4
    rate = cells["matched_rate"](start, [], 0, 0, answers, 0.005)
    assert rate == pytest.approx(0.4 * np.sqrt(0.005 / answers.kl(Worded({"a": -0.3, "b": -1.1}), start)))
    assert answers.kl(lab.train(start, [], 0, 1, loss=None, learning_rate=rate), start) == pytest.approx(0.005, rel=0.1)


def test_rounds_go_on_from_the_last_policy_and_one_without_pairs_leaves_it(cells):
    lab, path = Moving(), [Worded({"a": -0.7, "b": -0.7}), Worded({"a": -0.5, "b": -0.9})]
    cells["lab"], cells["p"].learning_rate = lab, 0.1
    questions = [["x", "y"]] * 3
    opening = cells["judge"](path, answered(["x", "y"], [["a", "a"]] * 2, {"a": 1.0, "b": 0.0}))  # no pairs
    rounds = cells["self_rewarding"](path, 0, questions, opening)
    assert lab.rounds == [2, 3] and rounds["gold"] == pytest.approx([-0.5, -0.4, -0.3])
    assert rounds["kl"][0] == 0.0 and rounds["kl"][1] > 0 and rounds["right"] == [0.5, 1.0, 1.0]
    assert len(path) == 2


def test_margins_settle_at_the_logit(cells):
    c = np.array([0.1, 0.39, 0.5, 0.8, 0.95])
    assert cells["settled_margins"](c) == pytest.approx(logit(c), abs=1e-4)
