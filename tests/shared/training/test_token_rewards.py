"""T-REG in training: without its term it is DPO, a constant quarter is a larger step, and both loops agree."""

from functools import partial

import numpy as np
import pytest
import torch

from autodidact.losses import dpo, t_reg
from autodidact.training import TokenRewards, per_token, train_beside, train_preferences

RUN = {"steps": 8, "batch_size": 6, "learning_rate": 1e-4, "seed": 11}


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


@pytest.fixture
def lengths(policy, pairs):
    return [[len(policy.encode_response(text)) for text in (pair.chosen, pair.rejected)] for pair in pairs]


def test_without_its_term_it_is_dpo(policy, pairs, lengths):
    rng = np.random.default_rng(0)
    rewards = [tuple(rng.uniform(-0.5, 0.5, n) for n in both) for both in lengths]
    loss = per_token(partial(t_reg, beta=0.1, alpha=0.0))
    mine, _ = train_beside(policy, pairs, TokenRewards(policy, pairs, rewards), loss=loss, **RUN)
    plain, _ = train_preferences(policy, pairs, loss=partial(dpo, beta=0.1), **RUN)
    torch.testing.assert_close(weights(mine), weights(plain), rtol=0, atol=1e-5)


def test_a_constant_quarter_is_a_larger_gradient(policy, pairs, lengths):
    """Gradient of DPO times 1 + alpha / 4: seen in the norm of the first step, before clipping."""
    rewards = [(np.full(w, 0.25), np.full(n, -0.25)) for w, n in lengths]
    loss = per_token(partial(t_reg, beta=0.1, alpha=2.0))
    _, mine = train_beside(policy, pairs, TokenRewards(policy, pairs, rewards), loss=loss, **RUN)
    _, plain = train_preferences(policy, pairs, loss=partial(dpo, beta=0.1), **RUN)
    assert mine[0]["grad_norm"] == pytest.approx(1.5 * plain[0]["grad_norm"], rel=1e-4)


def test_both_loops_take_the_same_way(policy, pairs, lengths):
    rng = np.random.default_rng(1)
    beside = TokenRewards(policy, pairs, [tuple(rng.uniform(-0.5, 0.5, n) for n in both) for both in lengths])
    loss = per_token(partial(t_reg, beta=0.1, alpha=1.0))
    ends = [train_beside(policy, pairs, beside, loss=loss, loop=loop, **RUN)[0] for loop in ("lean", "trl")]
    torch.testing.assert_close(weights(ends[0]), weights(ends[1]), rtol=0, atol=1e-5)


def test_rewards_of_another_length_are_named(policy, pairs, lengths):
    rewards = [(np.zeros(w), np.zeros(n)) for w, n in lengths]
    rewards[3] = (np.zeros(1), rewards[3][1])
    with pytest.raises(ValueError, match=r"rewards\[3\] of chosen are 1, for a response of"):
        TokenRewards(policy, pairs, rewards)
