"""iREPO's loss through the lean loop and through TRL's trainer: one trajectory, and an end where the votes say."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import logit

from autodidact.lab import pair_logprobs
from autodidact.losses import irepo
from autodidact.training import Pair, train_preferences

LOSS = partial(irepo, beta=0.5)


@pytest.fixture
def voted(pairs):
    """The pairs with a share of nine votes each."""
    return [Pair(q.prompt, q.chosen, q.rejected, {"h": (i % 10 + 0.5) / 10}) for i, q in enumerate(pairs)]


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


def test_both_loops_go_one_way(policy, voted):
    how = {"loss": LOSS, "steps": 20, "batch_size": 6, "learning_rate": 1e-4, "seed": 11}
    lean, trl = (train_preferences(policy, voted, loop=loop, **how)[0] for loop in ("lean", "trl"))
    apart, way = weights(lean) - weights(trl), weights(trl) - weights(policy)
    assert apart.norm() < 1e-3 * way.norm() and apart.abs().max() < 1e-5


def test_margins_come_to_rest_at_the_logits_of_the_votes(policy, voted):
    some = voted[:6]
    before = pair_logprobs(policy, some)
    end, _ = train_preferences(policy, some, loss=LOSS, steps=150, batch_size=6, learning_rate=1e-3, seed=3)
    gap = np.subtract(*(pair_logprobs(end, some) - before))
    np.testing.assert_allclose(0.5 * gap, [logit(q.columns["h"]) for q in some], atol=0.1)


def test_a_pair_without_a_vote_is_named(policy, pairs):
    bare = [Pair(q.prompt, q.chosen, q.rejected) for q in pairs[:2]]
    with pytest.raises(ValueError, match=r"pairs\[0\] needs a finite column h for the loss"):
        train_preferences(policy, bare, loss=LOSS, steps=1, batch_size=2, learning_rate=1e-3, seed=0)
