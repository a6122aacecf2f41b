"""CREAM's notebook: its labels, controls and measures against values worked out by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import logit
from scipy.stats import rankdata, spearmanr

from autodidact.claims import papers_folder
from autodidact.judges import ranking_consistency
from autodidact.losses import cream
from autodidact.samplers import extreme_pairs
from autodidact.streams import stream


class Worded:
    """A policy by name: log pi of a response is a number a word, of which policies have different ones."""

    def __init__(self, per_word):
        self.per_word = per_word

    def sequence_logprobs(self, prompts, responses):
        return np.array([sum(self.per_word[word] for word in y.split()) for y in responses])


def implicit_rewards(policy, reference, texts, answers):
    return np.array([[f"{policy.name} {reference.name} {y}" for y in row] for row in answers])


def mean_loglikelihoods(policy, texts, answers):
    return np.array([[f"mean {policy.name} {y}" for y in row] for row in answers])


@pytest.fixture
def cells():
    """The functions of the cells that label, weigh and measure."""
    notebook = json.loads((papers_folder() / "cream/cream.ipynb").read_text())["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in notebook}
    names = {
        "np": np, "torch": torch, "stream": stream, "rankdata": rankdata, "cream": cream,
        "extreme_pairs": extreme_pairs, "ranking_consistency": ranking_consistency,
        "implicit_rewards": implicit_rewards, "mean_loglikelihoods": mean_loglikelihoods,
        "p": SimpleNamespace(beta=0.5, measure="kendall", learning_rate=1e-3),
    }  # fmt: skip
    for name in ("method", "controls", "measures", "margin"):
        exec(sources[name], names)
    return names


SHEET = {
    "texts": ["x", "y", "z"],
    "answers": [["a", "b", "c"]] * 3,
    "now": np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]]),
    "c": np.array([0.2, 1.0, 0.6]),
    "gold": np.array([[1.0, 0.0, 0.5], [0.5, 0.0, 0.5], [0.9, 0.1, 0.2]]),
}


def test_round_one_asks_the_first_model_for_mean_likelihoods_and_later_rounds_the_previous_one(cells):
    m0, m1, m2 = (SimpleNamespace(name=name) for name in ("m0", "m1", "m2"))
    now, before = cells["rewards"]([m0, m1], ["x"], [["a"]])
    assert (now[0, 0], before[0, 0]) == ("m1 m0 a", "mean m0 a")
    now, before = cells["rewards"]([m0, m1, m2], ["x"], [["a"]])
    assert (now[0, 0], before[0, 0]) == ("m2 m0 a", "m1 m0 a")


def test_pairs_are_the_current_models_and_only_c_is_the_arms(cells):
    arms = cells["arms"](7)
    expected = {"cream": [0.6] * 3, "self-rewarding": [1.0] * 3, "cream, dynamic": [0.2, 1.0, 0.6]}
    expected["self-rewarding, equal KL"] = [1.0] * 3
    for arm, consistency in expected.items():
        pairs, rows = cells["label"](SHEET, *arms[arm])
        assert [(q.chosen, q.rejected) for q in pairs] == [("a", "c"), ("c", "a"), ("b", "c")]
        assert [q.columns["consistency"] for q in pairs] == pytest.approx(consistency)
        assert rows.tolist() == [[0, 0, 2], [1, 2, 0], [2, 1, 2]]
    pairs, _ = cells["label"](SHEET, *arms["oracle"])
    assert [(q.chosen, q.rejected) for q in pairs] == [("a", "b"), ("a", "b"), ("a", "b")]
    pairs, _ = cells["label"](SHEET, "now", cells["always"](0.7))
    assert [q.columns["consistency"] for q in pairs] == [0.7] * 3


def test_shuffled_consistencies_are_the_same_numbers_on_other_prompts(cells):
    c = np.linspace(0, 1, 40)
    dealt = cells["arms"](7)["shuffled"][1](c)
    assert sorted(dealt) == sorted(c)
    assert (dealt != c).mean() > 0.8
    assert (cells["arms"](7)["shuffled"][1](c) == dealt).all()


def test_labels_are_right_level_or_wrong(cells):
    _, rows = cells["label"](SHEET, "now", cells["always"](1.0))
    assert cells["right_labels"](SHEET, rows).tolist() == [1.0, 0.5, 0.0]


def test_halves_by_consistency(cells):
    right = np.array([1.0, 0.0, 1.0, 0.0, 0.5])
    upper, lower = cells["halves"](np.array([0.9, 0.1, 0.8, 0.2, 0.5]), right)
    assert (upper, lower) == (1.0, 0.0)  # the middle one of five is in neither
    assert cells["halves"](np.full(4, 0.5), right[:4]).tolist() == [0.5, 0.5]
    assert cells["halves"](np.array([]), np.array([])).tolist() == [0.5, 0.5]


def test_rank_correlation_is_spearmans_mean_without_constant_rows(cells):
    rng = np.random.default_rng(0)
    a, b = rng.integers(4, size=(2, 20, 5)).astype(float)
    b[3] = 1.0
    each = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True) if np.ptp(x) > 0 and np.ptp(y) > 0]
    assert len(each) < 20
    assert cells["rank_correlation"](a, b) == pytest.approx(np.mean(each))
    assert cells["rank_correlation"](np.ones((2, 3)), np.ones((2, 3))) == 0.0


def test_divergence_is_the_exact_kl_where_every_answer_is_listed_as_often_as_it_is_probable(cells):
    before, after = {"a": 0.5, "b": 0.25, "c": 0.25}, {"a": 0.2, "b": 0.2, "c": 0.6}
    sheet = {"texts": ["x"], "answers": [["a", "a", "b", "c"]]}
    policies = [Worded({k: np.log(v) for k, v in p.items()}) for p in (before, after)]
    kl = sum(p * np.log(p / after[k]) for k, p in before.items())
    assert cells["divergence"](*policies, sheet) == pytest.approx(kl)
    assert cells["divergence"](policies[0], policies[0], sheet) == 0.0


def test_the_rate_of_equal_kl_goes_with_the_root(cells):
    """Policies that move by the rate: KL is then nearly its square, and one trial hits the target."""
    rates = []

    def train(policy, pairs, s, t, rate=None):
        rates.append(rate or 0.4)
        return Worded({"a": policy.per_word["a"] + rates[-1], "b": policy.per_word["b"] - rates[-1]}), 0.0

    cells["train"] = train
    cells["p"].learning_rate = 0.4
    start, sheet = Worded({"a": -0.7, "b": -0.7}), {"texts": ["x"], "answers": [["a", "b"]]}
    after, _ = cells["train_as_far"](start, [], 0, 0, sheet, 0.005)
    assert rates[1] == pytest.approx(
        0.4 * np.sqrt(0.005 / cells["divergence"](start, Worded({"a": -0.3, "b": -1.1}), sheet))
    )
    assert cells["divergence"](start, after, sheet) == pytest.approx(0.005, rel=0.1)


def test_margins_settle_at_the_logit(cells):
    c = np.array([0.1, 0.39, 0.5, 0.8, 0.95])
    assert cells["settled_margins"](c) == pytest.approx(logit(c), abs=1e-4)
