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
        "np": np, "torch": torch, "partial": partial, "stream": stream, "logit": logit,
        "LOSS": partial(cream, beta=0.5),
        "extreme_pairs": extreme_pairs, "ranking_consistency": ranking_consistency,
        "rank_correlation": rank_correlation, "mean_loglikelihoods": mean_loglikelihoods,
        "p": SimpleNamespace(beta=0.5, measure="kendall", rounds=3, responses=2, best=BEST), "RATES": [1, 2, 4, 8],
    }  # fmt: skip
    for name in ("method", "controls", "measures", "margin"):
        exec(sources[name], names)
    exec(sources["figure-2"].partition("if TRAINED")[0], names)
    return names


BEST = {"self-rewarding": 2, "cream": 4, "dynamic": 5, "shuffled": 6, "smoothing": 7, "oracle": 9}


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
    """What every arm of the loop asks for, by arm; CREAM's rounds are as its rate says, so that arms can be told."""
    asked = []

    def run(rate, **how):
        asked.append({"rate": rate} | how)
        return {"C": [0.4 + rate / 100, 0.9], "kl": [rate / 10, 0.3], "asked": asked[-1]}

    arms = cells["all_arms"](run, 7)
    axis = arms.pop("axis")
    return {arm: rounds["asked"] for arm, rounds in arms.items()}, axis, asked


def test_every_arm_has_its_own_best_rate_and_the_axis_has_both_at_all(cells):
    arms, axis, asked = arms_of(cells)
    assert {arm: how["rate"] for arm, how in arms.items()} == {
        "self-rewarding": 2, "cream": 4, "self-rewarding, high rate": 8, "cream, high rate": 8, "cream, dynamic": 5,
        "smoothing, fixed": 7, "shuffled": 6, "self-rewarding, equal KL": 4, "oracle": 9,
    }  # fmt: skip
    assert {arm: list(rounds) for arm, rounds in axis.items()} == dict.fromkeys(
        ("self-rewarding", "cream"), [1, 2, 4, 8]
    )
    assert len(asked) == 2 * 4 + 5
    assert arms["self-rewarding, equal KL"]["kl"] == [0.4, 0.3]  # that of CREAM at its own rate, 4


def test_pairs_are_the_current_models_and_only_c_is_the_arms(cells):
    arms, _, _ = arms_of(cells)
    how = {arm: {k: v for k, v in asked.items() if k in ("weigh", "by")} for arm, asked in arms.items()}
    expected = {"cream": [0.6] * 3, "cream, dynamic": [0.2, 1.0, 0.6], "smoothing, fixed": [0.67] * 3}
    for arm, consistency in expected.items():
        pairs, rows = cells["label"](SHEET, **how[arm])
        assert [(q.chosen, q.rejected) for q in pairs] == [("a", "c"), ("c", "a"), ("b", "c")]
        assert [q.columns["consistency"] for q in pairs] == pytest.approx(consistency)
        assert rows.tolist() == [[0, 0, 2], [1, 2, 0], [2, 1, 2]]
    pairs, _ = cells["label"](SHEET, lambda c: 1.0, **how["oracle"])
    assert [(q.chosen, q.rejected) for q in pairs] == [("a", "b"), ("a", "b"), ("a", "b")]
    assert how["self-rewarding"] == {} and how["self-rewarding, equal KL"] == {}


def test_shuffled_consistencies_are_the_same_numbers_on_other_prompts(cells):
    c = np.linspace(0, 1, 40)
    weigh = arms_of(cells)[0]["shuffled"]["weigh"]
    dealt = weigh(c)
    assert sorted(dealt) == sorted(c)
    assert (dealt != c).mean() > 0.8
    assert (arms_of(cells)[0]["shuffled"]["weigh"](c) == dealt).all()


def test_labels_are_right_level_or_wrong(cells):
    _, rows = cells["label"](SHEET, lambda c: 1.0)
    worth = cells["report"](SHEET, rows)
    assert worth["right"] == (1.0 + 0.5 + 0.0) / 3
    assert [side.tolist() for side in worth["by c"]] == [[0.5], [1.0]]  # c = 1 has the level one, c = 0.2 the right one
    assert [side.tolist() for side in worth["by margin"]] == [[0.0], [1.0]]  # 2, 2, 2: the last and the first of equals
    assert [side.mean() for side in worth["c or margin"]] == pytest.approx([0.5, 0.0])
    assert worth["C"] == pytest.approx(0.6) and worth["length rank"] == 0.0


def test_halves_by_consistency(cells):
    right = np.array([1.0, 0.0, 1.0, 0.0, 0.5])
    upper, lower = cells["halves"](np.array([0.9, 0.1, 0.8, 0.2, 0.5]), right)
    assert (upper.tolist(), lower.tolist()) == ([1.0, 1.0], [0.0, 0.0])  # the middle one of five is in neither
    upper, lower = cells["halves"](np.full(4, 0.5), right[:4])
    assert (upper.tolist(), lower.tolist()) == ([1.0, 0.0], [1.0, 0.0])
    assert [side.tolist() for side in cells["halves"](np.array([]), np.array([]))] == [[0.5], [0.5]]


def test_numbers_of_the_labels_kept_have_the_accuracy_of_the_half_as_their_mean(cells):
    key, right = np.array([0.9, 0.1, 0.8, 0.2]), np.array([1.0, 0.0, 0.0, 1.0])
    assert cells["kept"](key, right).tolist() == [1.5, 0.5, -0.5, 0.5]  # mean 1/2, and twice the way from it if kept
    rng = np.random.default_rng(3)
    for n in (2, 5, 40):
        right, one, other = rng.choice([0.0, 0.5, 1.0], n), rng.random(n), rng.random(n)
        best = np.sort(one)[-(n // 2)]
        assert cells["kept"](one, right).mean() == pytest.approx(right[one >= best].mean())
        same = (one >= best) == (other >= np.sort(other)[-(n // 2)])  # a label that both keep or neither tells nothing
        assert (cells["kept"](one, right) - cells["kept"](other, right))[same] == pytest.approx(0.0)
    assert cells["kept"](np.array([]), np.array([])).tolist() == [0.5]


def test_later_rounds_of_every_self_labelling_arm_count_once(cells):
    arms, axis, _ = arms_of(cells)
    place = iter(range(100))
    rounds = lambda: {"C": [0.5, (k := next(place)) / 100, k / 50], "right": [0.1, k / 200, k / 400]}  # noqa: E731
    r = {"axis": {arm: {rate: rounds() for rate in by} for arm, by in axis.items()}}
    r |= {arm: rounds() for arm in arms if arm not in ("self-rewarding", "cream") and "high" not in arm}
    r |= {arm: r["axis"][arm][BEST[arm]] for arm in ("self-rewarding", "cream")}
    c, right = cells["labelling"](r)
    assert c.shape == right.shape == (2, 12)  # two later rounds; eight of the axis and four more, without the oracle
    assert sorted(c[0] * 100) == pytest.approx([*range(8), 8, 9, 10, 11]) and (c[1] == 2 * c[0]).all()
    assert right == pytest.approx(np.array([c[0] / 2, c[0] / 4]))


class Moving:
    """A lab whose trainings move a policy by the rate, and which notes them."""

    def __init__(self):
        self.rates, self.rounds = [], []

    def sample(self, policy, prompts, n, rng):
        return answered(prompts, [["a", "b"]] * len(prompts), {"a": 1.0, "b": 0.0})

    def train(self, policy, pairs, s, t, *, loss, learning_rate):
        if not pairs:
            return policy
        self.rates.append(learning_rate)
        self.rounds.append(t)
        return Worded({"a": policy.per_word["a"] + learning_rate, "b": policy.per_word["b"] - learning_rate})

    def held_out(self, policy, s):
        return answered(["x"], [["a"]], {"a": policy.per_word["a"]})


def test_two_trials_find_the_rate_of_equal_kl(cells):
    """A KL that is no square of the rate, which one trial would miss by a fifth."""
    asked = []

    def train(learning_rate):
        asked.append(learning_rate)
        return learning_rate

    rate = cells["matched_rate"](train, 0.4, lambda new: new**2 + new**3, 0.02)
    assert asked == pytest.approx([0.4, 0.4 * np.sqrt(0.02 / 0.224)])
    assert rate**2 + rate**3 == pytest.approx(0.02, rel=0.02)
    stuck = cells["matched_rate"](train, 1.0, lambda new: 0.0, 0.02)
    assert stuck == 16.0  # a policy that does not move: four times the rate, twice


def test_an_arm_of_equal_kl_moves_as_far_in_each_round(cells):
    lab, path = Moving(), [Worded({"a": -0.7, "b": -0.7}), Worded({"a": -0.5, "b": -0.9})]
    cells["lab"] = lab
    questions = [["x", "y"]] * 3
    opening = cells["judge"](path, answered(["x", "y"], [["a", "b"]] * 2, {"a": 1.0, "b": 0.0}))
    own = cells["self_rewarding"](path, 0, questions, opening, 0.1)
    matched = cells["self_rewarding"](path, 0, questions, opening, 0.35, kl=own["kl"])
    assert matched["kl"] == pytest.approx(own["kl"], rel=0.02)
    assert matched["gold"] == pytest.approx(own["gold"], abs=0.003)


def test_rounds_go_on_from_the_last_policy_and_one_without_pairs_leaves_it(cells):
    lab, path = Moving(), [Worded({"a": -0.7, "b": -0.7}), Worded({"a": -0.5, "b": -0.9})]
    cells["lab"] = lab
    questions = [["x", "y"]] * 3
    opening = cells["judge"](path, answered(["x", "y"], [["a", "a"]] * 2, {"a": 1.0, "b": 0.0}))  # no pairs
    rounds = cells["self_rewarding"](path, 0, questions, opening, 0.1)
    assert lab.rounds == [2, 3] and rounds["gold"] == pytest.approx([-0.5, -0.4, -0.3])
    assert rounds["kl"][0] == 0.0 and rounds["kl"][1] > 0 and rounds["right"] == [0.5, 1.0, 1.0]
    assert len(path) == 2


def test_margins_settle_at_the_logit(cells):
    c = np.array([0.1, 0.39, 0.5, 0.8, 0.95])
    assert cells["settled_margins"](c) == pytest.approx(logit(c), abs=1e-4)
