"""TRL's KTO through our door: its losses are the paper's equation, no response meets its own prompt in z0."""

from collections import Counter

import numpy as np
import pytest
import torch

from autodidact.models.tiny import TinyBase, new_tiny
from autodidact.training import Pair, Run, kto
from autodidact.training.kto import elsewhere, train_kto
from tests.shared.toy_world import WORDS, ToyWorld

OPTIONS = {"beta": 0.7, "learning_rate": 1e-2, "seed": 0}


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=16))


def pairs_of(n, prompts):
    """n pairs on so many prompts, no two responses alike."""
    two = [f"{a} {b}" for a in WORDS for b in WORDS]
    return [Pair(f"say {WORDS[i % prompts]} :", two[i], two[i + n]) for i in range(n)]


def log_prob(policy, prompt, response):
    """By the model's own forward pass, one sequence."""
    head, tail = policy.encode(prompt), policy.encode_response(response)
    with torch.no_grad():
        logps = policy.model(torch.tensor([head + tail])).logits[0].double().log_softmax(-1)
    return sum(float(logps[len(head) + i - 1, token]) for i, token in enumerate(tail))


def test_losses_of_two_pairs_are_the_papers_equation(policy):
    """Of two prompts each response can only meet the other: z0 is no matter of a rule."""
    pairs, (good, bad) = pairs_of(2, 2), (1.5, 0.5)
    how = OPTIONS | {"batch_size": 2, "desirable": good, "undesirable": bad}
    once, _ = train_kto(policy, pairs, steps=1, **how)
    _, logs = train_kto(policy, pairs, steps=2, **how)
    for log, at in zip(logs, (policy, once), strict=True):
        ratio = lambda x, y, at=at: log_prob(at, x, y) - log_prob(policy, x, y)  # noqa: E731
        crossed = [ratio(q.prompt, y) for q, r in (pairs, pairs[::-1]) for y in (r.chosen, r.rejected)]
        z0 = max(0.0, np.mean(crossed))
        value = lambda margin: 1 / (1 + np.exp(-OPTIONS["beta"] * margin))  # noqa: E731
        losses = [good * (1 - value(ratio(q.prompt, q.chosen) - z0)) for q in pairs]
        losses += [bad * (1 - value(z0 - ratio(q.prompt, q.rejected))) for q in pairs]
        assert log["loss"] == pytest.approx(np.mean(losses), abs=2e-5)
        assert log["kl"] == pytest.approx(z0, abs=1e-4)


@pytest.mark.parametrize(("pairs", "prompts", "batch_size", "parts"), [(6, 6, 4, 1), (12, 3, 6, 1), (8, 4, 8, 2)])
def test_no_response_meets_its_own_prompt_and_each_is_heard_once(policy, pairs, prompts, batch_size, parts):
    given = pairs_of(pairs, prompts)
    run = Run(steps=4, batch_size=batch_size, learning_rate=0, seed=1, gradient_accumulation=parts)
    taken = [given[i] for i in run.order(pairs)]
    rows = kto._rows(policy, taken, run)
    whose = {tuple(policy.encode_response(y)): q.prompt for q in given for y in (q.chosen, q.rejected)}
    for start in range(0, len(rows), 2 * batch_size):
        batch = rows[start : start + 2 * batch_size]
        for head, tail in zip(batch["prompt_ids"], batch["KL_completion_ids"], strict=True):
            assert policy.encode(whose[tuple(tail)]) != head
        most = max(Counter(map(tuple, batch["prompt_ids"])).values())
        if 2 * most <= len(batch["prompt_ids"]):
            assert sorted(batch["KL_completion_ids"]) == sorted(batch["completion_ids"])


def test_places_with_other_prompts():
    rng = np.random.default_rng(0)
    for _ in range(200):
        prompts = rng.integers(rng.integers(2, 6), size=rng.integers(2, 12)).tolist()
        found = elsewhere(prompts)
        if len(set(prompts)) == 1:
            assert found is None
            continue
        assert all(prompts[i] != prompts[j] for i, j in enumerate(found))
        if 2 * max(Counter(prompts).values()) <= len(prompts):
            assert sorted(found) == list(range(len(prompts)))


@pytest.mark.parametrize(
    ("pairs", "prompts", "parts", "message"),
    [
        (4, 4, 4, "batch_size=4 with gradient_accumulation=4 makes parts of one pair"),
        (4, 1, 1, "batch_size=4 makes a batch of the one prompt 'say ant :'"),
    ],
)
def test_too_small_a_batch_is_refused(policy, pairs, prompts, parts, message):
    with pytest.raises(ValueError, match=message):
        train_kto(policy, pairs_of(pairs, prompts), steps=1, batch_size=4, gradient_accumulation=parts, **OPTIONS)


def test_chosen_rises_against_rejected_and_the_base_stays(policy):
    pairs = pairs_of(4, 4)
    before = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    trained, _ = train_kto(policy, pairs, steps=10, batch_size=4, **OPTIONS)
    gap = [
        [log_prob(at, q.prompt, q.chosen) - log_prob(at, q.prompt, q.rejected) for q in pairs]
        for at in (policy, trained)
    ]
    assert np.greater(gap[1], gap[0]).all()
    assert all(torch.equal(before[name], weight) for name, weight in policy.model.state_dict().items())


@pytest.mark.parametrize("beta", [0, float("nan"), float("inf")])
def test_beta_must_be_positive(policy, beta):
    with pytest.raises(ValueError, match=f"beta={beta} must be finite and above 0"):
        train_kto(policy, pairs_of(4, 4), steps=1, batch_size=4, **OPTIONS | {"beta": beta})
