import math

import numpy as np
import pytest
import torch
from scipy.special import softmax

from autodidact.losses import degree


@pytest.fixture
def logits():
    return torch.tensor(np.random.default_rng(0).normal(0, 2, (8, 4)))


def test_values_worked_by_hand():
    logits = torch.tensor([[0.0, 0.0, 0.0], [math.log(2), math.log(3), math.log(5)], [0.0, 1000.0, 0.0]])
    losses = degree(logits, torch.tensor([2, 1, 1]))
    assert losses.tolist() == pytest.approx([math.log(3), -math.log(0.3), 0.0], abs=1e-6)


def test_loss_and_gradient_are_those_of_a_softmax(logits):
    k = torch.tensor([0, 1, 2, 3, 3, 2, 1, 0])
    leaf = logits.clone().requires_grad_()
    losses = degree(leaf, k)
    losses.sum().backward()
    p = softmax(logits.numpy(), axis=1)
    assert losses.detach().numpy() == pytest.approx(-np.log(p[np.arange(8), k]), rel=1e-12)
    assert leaf.grad.numpy() == pytest.approx(p - np.eye(4)[k], abs=1e-12)
    assert torch.autograd.gradcheck(lambda z: degree(z, k), leaf)


def test_degrees_may_come_as_a_column_of_floats(logits):
    k = torch.tensor([0, 1, 2, 3, 3, 2, 1, 0])
    assert torch.equal(degree(logits, k.float()), degree(logits, k))


@pytest.mark.parametrize("bad", [4, -1, 1.5, math.nan])
def test_a_degree_outside_its_classes_is_named(logits, bad):
    with pytest.raises(ValueError, match=r"k=.* is no degree: with K=4 classes it is one of 0 to 3"):
        degree(logits, torch.tensor([0, 1, 2, 3, 0, 1, 2, bad]))


def test_wrong_shapes_are_named(logits):
    with pytest.raises(ValueError, match=r"k of shape \(8, 1\) must be of shape \(8,\)"):
        degree(logits, torch.zeros(8, 1))
    with pytest.raises(ValueError, match=r"logits of shape \(8, 1\) must be of shape \(batch, K\)"):
        degree(logits[:, :1], torch.zeros(8))
    with pytest.raises(ValueError, match=r"logits of shape \(4,\)"):
        degree(logits[0], torch.zeros(4))
    with pytest.raises(ValueError, match="k must be a tensor, but is a list"):
        degree(logits, [0] * 8)
