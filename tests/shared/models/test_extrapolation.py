"""Weights of two policies, added and subtracted."""

import numpy as np
import pytest
import torch

from autodidact.models import TinyBase, extrapolate
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


def test_other_shapes_are_refused(two):
    with pytest.raises(ValueError, match="same names and shapes"):
        extrapolate(two[0], new_tiny(ToyWorld(), 0, TinyBase(hidden=32)), 0.5)
