"""The sampler draws from the policy, whatever the batch, and says with which probability."""

import numpy as np
import pytest
import torch

from autodidact.models import TinyBase, sampling
from autodidact.models.sampling import _draw
from autodidact.models.tiny import new_tiny
from autodidact.samplers import best_and_worst, best_of_n, sample, win_rate_matrix
from tests.shared.toy_world import ToyWorld


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=32))


@pytest.fixture(scope="module")
def prompts():
    return [p.text for p in ToyWorld().prompts(12, np.random.default_rng(3))]


@torch.no_grad()
def plain_logps(policy, ids):
    """log-probabilities of every next token, one sequence, no padding, no cache."""
    return policy.model(torch.tensor([ids])).logits[0].log_softmax(-1)


def test_a_response_does_not_depend_on_the_batch(policy, prompts):
    runs = [sample(policy, prompts, 3, rng=np.random.default_rng(1), batch_size=size) for size in (1, 5, 36)]
    texts = [[[s.text for s in row] for row in run] for run in runs]
    assert texts[0] == texts[1] == texts[2]
    logps = [[s.logprob for row in run for s in row] for run in runs]
    np.testing.assert_allclose(logps[0], logps[2], atol=1e-4)


@pytest.mark.parametrize("worth", [0.0, 0.5, 1.0])
def test_ended_responses_may_stay_in_the_batch(policy, prompts, monkeypatch, worth):
    plain = sample(policy, prompts, 4, rng=np.random.default_rng(1))
    assert {s.ended for row in plain for s in row} == {True, False}
    monkeypatch.setattr(sampling, "WORTH", worth)
    other = sample(policy, prompts, 4, rng=np.random.default_rng(1))
    for one, two in zip((s for row in plain for s in row), (s for row in other for s in row), strict=True):
        assert (one.text, one.tokens, one.ended) == (two.text, two.tokens, two.ended)
        assert one.logprob == pytest.approx(two.logprob, abs=1e-4)


def test_many_are_decoded_as_one_by_one(policy):
    rows = [[], [5, 6], [2, 5], [3, 0, 7, 7]]
    assert policy.decode_all(rows) == [policy.decode(ids) for ids in rows]


def test_a_prompt_keeps_its_responses_when_others_follow(policy, prompts):
    few = sample(policy, prompts[:4], 2, rng=np.random.default_rng(1))
    more = sample(policy, prompts, 2, rng=np.random.default_rng(1))
    assert [[s.text for s in row] for row in few] == [[s.text for s in row] for row in more[:4]]


def test_samples_of_one_prompt_differ_and_seeds_matter(policy, prompts):
    one = sample(policy, prompts, 4, rng=np.random.default_rng(1))
    two = sample(policy, prompts, 4, rng=np.random.default_rng(2))
    assert len({s.text for s in one[0]}) > 1
    assert [s.text for r in one for s in r] != [s.text for r in two for s in r]


def test_logprob_is_the_policys_own(policy, prompts):
    for row, prompt in zip(sample(policy, prompts, 2, rng=np.random.default_rng(1)), prompts, strict=True):
        for drawn in (s for s in row if s.ended):
            ids = policy.encode(prompt) + policy.encode_response(drawn.text)
            logits = plain_logps(policy, ids)
            start = len(policy.encode(prompt))
            direct = sum(float(logits[t - 1, ids[t]]) for t in range(start, len(ids)))
            assert drawn.logprob == pytest.approx(direct, abs=1e-4)
            assert drawn.tokens == len(ids) - start


def test_logprobs_match_a_plain_loop_and_include_the_end(policy, prompts):
    responses = ["ant bee", "cat", "", "fox fox fox elk"] * 3
    for prompt, response, logps in zip(prompts, responses, policy.logprobs(prompts, responses, 64), strict=True):
        ids = policy.encode(prompt) + policy.encode_response(response)
        logits = plain_logps(policy, ids)
        direct = [float(logits[t - 1, ids[t]]) for t in range(len(policy.encode(prompt)), len(ids))]
        assert len(logps) == len(response.split()) + 1
        np.testing.assert_allclose(logps.numpy(), direct, atol=1e-5)


def test_greedy_is_the_likeliest_token(policy, prompts):
    first = sample(policy, prompts, 1, rng=np.random.default_rng(0), temperature=0)
    again = sample(policy, prompts, 1, rng=np.random.default_rng(9), temperature=0)
    assert [r[0].text for r in first] == [r[0].text for r in again]
    logits = policy.model(torch.tensor([policy.encode(prompts[0])])).logits[0, -1]
    likeliest = int(logits.argmax())
    words = [*first[0][0].text.split(), policy.tokenizer.eos_token]
    assert words[0] == policy.decode([likeliest])


def test_frequencies_are_the_distribution():
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(20000, 1)
    uniform = torch.from_numpy(np.random.default_rng(0).random(20000))
    counts = torch.bincount(_draw(scores, uniform, 1.0, 1.0), minlength=4) / 20000
    np.testing.assert_allclose(counts, [0.5, 0.3, 0.15, 0.05], atol=0.012)
    cold = torch.bincount(_draw(scores, uniform, 0.5, 1.0), minlength=4) / 20000
    squares = np.array([0.25, 0.09, 0.0225, 0.0025])
    np.testing.assert_allclose(cold, squares / squares.sum(), atol=0.012)


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    scores = torch.tensor([[0.15, 0.5, 0.05, 0.3]]).log().repeat(5000, 1)
    uniform = torch.from_numpy(np.random.default_rng(0).random(5000))
    counts = torch.bincount(_draw(scores, uniform, 1.0, 0.7), minlength=4) / 5000
    np.testing.assert_allclose(counts, [0, 0.625, 0, 0.375], atol=0.02)
    assert set(_draw(scores, uniform, 1.0, 0.4).tolist()) == {1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 0), ("temperature", -1.0), ("top_p", 0.0), ("top_p", 1.5), ("max_new_tokens", 0), ("batch_size", 0)],
)
def test_bad_values_are_named(policy, name, value):
    options = {"n": 1, name: value}
    with pytest.raises(ValueError, match=name):
        sample(policy, ["say ant :"], options.pop("n"), rng=np.random.default_rng(0), **options)


def test_logprobs_refuses_lists_of_different_length(policy):
    with pytest.raises(ValueError, match="2 and 1"):
        policy.logprobs(["say ant :", "say bee :"], ["ant"])


def test_a_copy_is_independent(policy):
    other = policy.copy()
    with torch.no_grad():
        next(other.model.parameters()).add_(1.0)
    assert not torch.equal(next(other.model.parameters()), next(policy.model.parameters()))


class Longer:
    """Prefers the longer answer, with a bonus for the first slot."""

    def probability(self, prompt, a, b):
        return 0.9 if len(a) > len(b) else 0.2 if len(a) < len(b) else 0.6


def test_win_rates_and_selection():
    matrix = win_rate_matrix(Longer(), None, ["aa", "b", "cc"])
    np.testing.assert_allclose(matrix, [[0.5, 0.9, 0.6], [0.2, 0.5, 0.2], [0.6, 0.9, 0.5]])
    assert best_and_worst([0.2, 0.9, 0.9, 0.2]) == (1, 0)
    assert best_and_worst([1.0, 1.0]) == (0, 0)
    assert best_of_n(lambda x, y: len(y), ["p", "q"], [["a", "bbb"], ["cc", "dd"]]) == ["bbb", "cc"]
    with pytest.raises(ValueError, match="1 and 2"):
        best_of_n(lambda x, y: 0.0, ["p"], [["a"], ["b"]])
