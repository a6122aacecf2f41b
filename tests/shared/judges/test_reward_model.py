"""The learned judge agrees with what it was taught, and leaves the policy as it was."""

import numpy as np
import pytest
import torch

from autodidact.judges import ScalarJudge, train_reward_model
from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from tests.shared.toy_world import ToyWorld, comparisons


def test_it_learns_the_comparisons_it_is_shown(capfd):
    policy = new_tiny(ToyWorld(), 0, TinyBase(hidden=32))
    before = {name: value.clone() for name, value in policy.model.state_dict().items()}
    judge = train_reward_model(policy, comparisons(200, 0), steps=60, batch_size=32, learning_rate=5e-3, seed=1)
    held_out = comparisons(60, 1)
    better = judge.rewards([p.prompt for p in held_out], [p.chosen for p in held_out])
    worse = judge.rewards([p.prompt for p in held_out], [p.rejected for p in held_out])
    assert np.mean(np.array(better) > np.array(worse)) > 0.9
    assert capfd.readouterr().out == ""
    assert all(torch.equal(value, before[name]) for name, value in policy.model.state_dict().items())
    prompt = ToyWorld().prompts(1, np.random.default_rng(2))[0]
    p, q = judge.probability(prompt, "ant ant", "bee"), judge.probability(prompt, "bee", "ant ant")
    assert p + q == pytest.approx(1, abs=1e-6)
    gap = judge.utility(prompt, "ant ant") - judge.utility(prompt, "bee")
    assert p == pytest.approx(1 / (1 + np.exp(-gap)), abs=1e-5)


def test_no_comparisons_is_an_error():
    with pytest.raises(ValueError, match="pairs is empty"):
        train_reward_model(new_tiny(ToyWorld(), 0, TinyBase(hidden=32)), [], steps=1)


def test_scalar_judge_by_hand():
    judge = ScalarJudge(lambda x, y: float(len(y)), scale=np.log(3))
    assert judge.probability(None, "ab", "a") == pytest.approx(0.75)
    assert judge.probability(None, "a", "a" * 2000) == 0.0
