"""Weights of two policies, added and subtracted."""

import copy
import math

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from autodidact.models import Policy, TinyBase, extrapolate
from autodidact.models.tiny import new_tiny
from tests.shared.toy_world import ToyWorld


@pytest.fixture(scope="module")
def two():
    return [new_tiny(ToyWorld(), seed, TinyBase()) for seed in (0, 1)]


def weights(policy):
    return torch.cat([w.detach().flatten() for w in policy.model.parameters()])


@pytest.mark.parametrize("by", [-1.0, 0.0, 0.5])
def test_weights_go_on_in_a_straight_line(two, by):
    after, past = map(weights, two)
    torch.testing.assert_close(weights(extrapolate(*two, by)), after + by * (after - past))
    torch.testing.assert_close(weights(two[0]), after, rtol=0, atol=0)


def test_a_random_direction_is_as_long_and_another_one(two):
    after, past = map(weights, two)
    moved = weights(extrapolate(*two, 0.5, direction=np.random.default_rng(0))) - after
    assert moved.norm() == pytest.approx(0.5 * (after - past).norm().item(), rel=1e-4)
    assert abs(torch.cosine_similarity(moved, after - past, dim=0)) < 0.05


def with_adapters(policy, seed):
    """The policy under adapters that do something, and the same policy with them merged into its weights."""
    torch.manual_seed(seed)
    adapted = policy.copy()
    adapted.model = get_peft_model(adapted.model, LoraConfig(r=2, lora_alpha=4, target_modules="all-linear")).eval()
    for name, weight in adapted.model.named_parameters():
        if ".lora_" in name:
            weight.data = 0.2 * torch.randn_like(weight)
    return adapted, Policy(copy.deepcopy(adapted.model).merge_and_unload(), policy.tokenizer)


def test_adapters_on_a_policy_that_had_none_move_as_the_weights_that_they_stand_for(two):
    adapted, merged = with_adapters(two[0], 3)
    ids = torch.tensor([[1, 3, 4, 5, 6]])
    with torch.no_grad():
        wanted, moved, start = (
            policy.model(ids).logits
            for policy in (extrapolate(merged, two[0], 0.5), extrapolate(adapted, two[0], 0.5), adapted)
        )
    torch.testing.assert_close(moved, wanted, rtol=1e-4, atol=1e-5)
    assert (moved - start).abs().max() > 1e-3


def test_of_two_policies_with_adapters_each_factor_moves_and_the_base_stays(two):
    past, _ = with_adapters(two[0], 3)
    later = past.copy()
    for name, weight in later.model.named_parameters():
        if ".lora_" in name:
            weight.data += 0.1
    old, new, on = (dict(q.model.named_parameters()) for q in (past, later, extrapolate(later, past, 0.5)))
    for name in on:
        torch.testing.assert_close(on[name], new[name] + 0.5 * (new[name] - old[name]))
        assert ".lora_" in name or torch.equal(on[name], old[name])


def test_other_shapes_and_no_numbers_are_refused(two):
    with pytest.raises(ValueError, match="by=nan must be finite"):
        extrapolate(*two, math.nan)
    with pytest.raises(ValueError, match="same names and shapes"):
        extrapolate(two[0], new_tiny(ToyWorld(), 0, TinyBase(hidden=32)), 0.5)
