"""APO's loss in training: the lean loop, TRL's trainer, and TRL's own DPO on precomputed extrapolated references."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from autodidact.lab import with_logprobs
from autodidact.losses import apo, dpo
from autodidact.models import Policy
from autodidact.training import Pair, train_preferences

RUN = {"steps": 20, "batch_size": 6, "learning_rate": 1e-4, "seed": 11}
BETA, MOMENTUM = 0.2, 0.4


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


def extrapolated(policy, past, pairs):
    """The pairs with the reference that the momentum makes, as columns that both loops take in place of their own."""
    scored = with_logprobs(pairs, now=policy, past=past)
    sides = ("chosen", "rejected")
    mix = lambda c, side: (1 + MOMENTUM) * c[f"now_{side}"] - MOMENTUM * c[f"past_{side}"]  # noqa: E731
    return [replace(q, columns={f"ref_{side}": mix(q.columns, side) for side in sides}) for q in scored]


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_it_trains_as_dpo_on_the_extrapolated_reference(loop, policy, make_model, tokenizer, pairs):
    past = Policy(make_model(1), tokenizer)
    plain = [Pair(q.prompt, q.chosen, q.rejected) for q in pairs]
    ours, _ = train_preferences(
        policy, with_logprobs(plain, past=past), loss=partial(apo, beta=BETA, momentum=MOMENTUM), loop=loop, **RUN
    )
    theirs, _ = train_preferences(
        policy, extrapolated(policy, past, plain), loss=partial(dpo, beta=BETA), loop="trl", **RUN
    )
    way = weights(theirs) - weights(policy)
    assert way.norm() > 0.01
    assert (weights(ours) - weights(theirs)).norm() < 1e-3 * way.norm()
    without, _ = train_preferences(policy, plain, loss=partial(dpo, beta=BETA), loop="lean", **RUN)
    assert (weights(without) - weights(theirs)).norm() > 0.05 * way.norm()  # momentum is felt
