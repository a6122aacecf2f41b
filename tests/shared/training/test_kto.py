"""TRL's KTO through our door: the first loss is the closed form, and the weights move as its gradient says."""

import numpy as np
import pytest
import torch

from autodidact.models.tiny import TinyBase, new_tiny
from autodidact.training import Pair
from autodidact.training.kto import train_kto
from tests.shared.toy_world import ToyWorld


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=16))


def pairs_of(policy):
    words = [word for word in policy.tokenizer.get_vocab() if not word.startswith("<")]
    return [Pair(words[i], words[i + 1], f"{words[i + 2]} {words[i]}") for i in range(4)]


def closed_form(policy, base, pairs, beta, desirable, undesirable):
    prompts = [pair.prompt for pair in pairs for _ in range(2)]
    texts = [text for pair in pairs for text in (pair.chosen, pair.rejected)]
    neighbours = texts[-1:] + texts[:-1]
    ratio = policy.sequence_logprobs(prompts, texts) - base.sequence_logprobs(prompts, texts)
    z0 = max(
        0.0, float(np.mean(policy.sequence_logprobs(prompts, neighbours) - base.sequence_logprobs(prompts, neighbours)))
    )
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    losses = np.where(
        np.arange(len(texts)) % 2 == 0,
        desirable * (1 - sigmoid(beta * (ratio - z0))),
        undesirable * (1 - sigmoid(beta * (z0 - ratio))),
    )
    return losses.mean()


def test_losses_are_the_closed_form_before_and_after_a_step(policy):
    pairs = pairs_of(policy)
    options = {"beta": 0.7, "batch_size": 4, "learning_rate": 1e-2, "seed": 0, "desirable": 1.5, "undesirable": 0.5}
    once, _ = train_kto(policy, pairs, steps=1, **options)
    _, logs = train_kto(policy, pairs, steps=2, **options)
    from autodidact.training import Run

    order = Run(steps=2, batch_size=4, learning_rate=1e-2, seed=0).order(4)
    for log, at, batch in zip(logs, (policy, once), (order[:4], order[4:]), strict=True):
        expected = closed_form(at, policy, [pairs[i] for i in batch], 0.7, 1.5, 0.5)
        assert log["loss"] == pytest.approx(expected, abs=2e-5)


def test_chosen_rises_against_rejected_and_the_base_stays(policy):
    pairs = pairs_of(policy)
    before = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    trained, _ = train_kto(policy, pairs, beta=0.5, steps=10, batch_size=4, learning_rate=1e-2, seed=0)
    gap = [
        p.sequence_logprobs([q.prompt for q in pairs], [q.chosen for q in pairs])
        - p.sequence_logprobs([q.prompt for q in pairs], [q.rejected for q in pairs])
        for p in (policy, trained)
    ]
    assert (gap[1] > gap[0]).all()
    assert all(torch.equal(before[name], weight) for name, weight in policy.model.state_dict().items())


def test_beta_must_be_positive(policy):
    with pytest.raises(ValueError, match="beta=0"):
        train_kto(policy, pairs_of(policy), beta=0, steps=1, batch_size=4, learning_rate=1e-2, seed=0)
