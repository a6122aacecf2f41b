"""The released code's rejected log-probability against a loop over positions, and its training."""

from functools import partial

import pytest
import torch

from autodidact.losses import stic
from autodidact.models.tiny import TinyBase, new_tiny
from autodidact.training import Pair, train_second_choice
from autodidact.training.objectives import second_choices
from tests.shared.toy_world import ToyWorld


def test_second_choices_by_hand():
    logits = torch.tensor([[0.1, 3.0, 2.0], [5.0, 1.0, 4.0], [0.0, -1.0, -2.0]])
    assert second_choices(logits, torch.tensor([1, 2, 2])).tolist() == [2, 0, 0]


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase())


def by_loop(policy, prompt, response):
    """Sum over the response's tokens of the log-probability of the likeliest token that is another."""
    head, tail = policy.encode(prompt), policy.encode_response(response)
    with torch.no_grad():
        logps = policy.model(torch.tensor([head + tail])).logits[0].log_softmax(-1)
    total = 0.0
    for k, token in enumerate(tail):
        row = logps[len(head) + k - 1].clone()
        row[token] = -torch.inf
        total += float(row.max())
    return total


def test_the_loss_gets_second_choices_of_policy_and_reference(policy):
    pairs = pairs_of(policy)
    seen = {}

    def loss(chosen, rejected, ref_chosen, ref_rejected):
        for name, value in (("chosen", chosen), ("rejected", rejected), ("ref_rejected", ref_rejected)):
            seen.setdefault(name, value.detach().clone())
        return stic(chosen, rejected, ref_chosen, ref_rejected)

    train_second_choice(policy, pairs, loss=loss, steps=1, batch_size=len(pairs), learning_rate=1e-9, seed=0)
    wanted = sorted(by_loop(policy, pair.prompt, pair.rejected) for pair in pairs)
    assert sorted(seen["rejected"].tolist()) == pytest.approx(wanted, abs=1e-4)
    assert sorted(seen["ref_rejected"].tolist()) == pytest.approx(wanted, abs=1e-4)
    chosen = policy.sequence_logprobs([pair.prompt for pair in pairs], [pair.chosen for pair in pairs])
    assert sorted(seen["chosen"].tolist()) == pytest.approx(sorted(chosen), abs=1e-4)


def test_training_moves_the_copy_alone(policy):
    before = policy.sequence_logprobs([p.prompt for p in pairs_of(policy)], [p.chosen for p in pairs_of(policy)])
    loss = partial(stic, beta=0.1, alpha=0.1)
    trained, log = train_second_choice(
        policy, pairs_of(policy), loss=loss, steps=4, batch_size=2, learning_rate=1e-3, seed=0
    )
    after = policy.sequence_logprobs([p.prompt for p in pairs_of(policy)], [p.chosen for p in pairs_of(policy)])
    assert len(log) == 4 and (before == after).all()
    new = trained.sequence_logprobs([p.prompt for p in pairs_of(policy)], [p.chosen for p in pairs_of(policy)])
    assert (new > before).all()


def pairs_of(policy):
    words = [word for word in ToyWorld().vocabulary if not word.startswith("<")]
    return [Pair(words[i], f"{words[i + 1]} {words[i + 2]}", f"{words[i + 3]}") for i in range(3)]
