"""Implicit rewards and pairs from them, on a policy whose token log-probabilities are written down."""

import numpy as np
import pytest
import torch

from autodidact.judges import implicit_rewards, mean_loglikelihoods
from autodidact.samplers import extreme_pairs

Y = [["a", "a b"], ["a b c", "a"]]


class Written:
    """Every token has the same log-probability; a response has a token a word and an end."""

    def __init__(self, each, end):
        self.each, self.end = each, end

    def logprobs(self, prompts, responses):
        return [torch.tensor([self.each] * len(y.split()) + [self.end]) for y in responses]

    def sequence_logprobs(self, prompts, responses):
        return np.array([float(row.double().sum()) for row in self.logprobs(prompts, responses)])


def test_rewards_are_sums_over_tokens_against_the_reference():
    rewards = implicit_rewards(Written(-1.0, -0.5), Written(-3.0, -1.0), ["x", "z"], Y)
    assert rewards == pytest.approx(np.array([[2.5, 4.5], [6.5, 2.5]]))  # 2 a word, 1/2 for the end


def test_without_a_reference_it_is_the_mean_over_tokens():
    means = mean_loglikelihoods(Written(-1.0, -4.0), ["x", "z"], Y)
    assert means == pytest.approx(np.array([[-2.5, -2.0], [-1.75, -2.5]]))


def test_lists_that_do_not_fit_are_refused():
    policy = Written(-1.0, -1.0)
    with pytest.raises(ValueError, match="2 and 1"):
        implicit_rewards(policy, policy, ["x", "z"], Y[:1])
    with pytest.raises(ValueError, match="equally many"):
        mean_loglikelihoods(policy, ["x", "z"], [["a"], ["a", "b"]])


def test_pairs_are_best_against_worst_and_go_where_these_coincide():
    texts = [["a", "b", "c"], ["a", "b", "c"], ["a", "b", "a"]]
    scores = np.array([[0.1, 0.9, -1.0], [1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])  # one index; one text
    pairs, rows = extreme_pairs(["x", "y", "z"], texts, scores, {"consistency": np.array([0.4, 0.5, 0.6])})
    assert [(q.prompt, q.chosen, q.rejected, dict(q.columns)) for q in pairs] == [("x", "b", "c", {"consistency": 0.4})]
    assert rows.tolist() == [[0, 1, 2]]
    assert extreme_pairs([], [], np.zeros((0, 3)))[1].shape == (0, 3)


def test_pairs_refuse_numbers_that_do_not_fit():
    with pytest.raises(ValueError, match="scores must be one a prompt"):
        extreme_pairs(["x"], [["a", "b"]], np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"scores\[0\]"):
        extreme_pairs(["x"], [["a", "b"]], np.zeros((1, 3)))
    with pytest.raises(ValueError, match="consistency must be one a prompt"):
        extreme_pairs(["x"], [["a", "b"]], np.zeros((1, 2)), {"consistency": np.ones(3)})
