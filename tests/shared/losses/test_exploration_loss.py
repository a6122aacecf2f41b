"""SELM's loss against its closed form, finite differences, autograd on a table of responses, and XPO's form."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax

from autodidact.losses import dpo, selm
from autodidact.training import extra_columns


def batch(n=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [-20 * torch.rand(n, generator=generator, dtype=torch.float64) for _ in range(6)]


def test_values_worked_by_hand():
    # h_w = 2, h_l = -1, own log-ratio 3: margin 0.5 * 3 = 1.5, term 0.2 * 0.5 * 3 = 0.3
    arguments = [torch.tensor([value], dtype=torch.float64) for value in (-5, -10, -7, -9, -1, -4)]
    loss = selm(*arguments, beta=0.5, alpha=0.2)
    assert loss.shape == (1,)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1.5)) + 0.3, rel=1e-12)
    # the defaults of the paper's Zephyr runs: margin 0.03, term 0.001 * 0.01 * 3
    assert selm(*arguments).item() == pytest.approx(math.log(1 + math.exp(-0.03)) + 3e-5, rel=1e-12)


@pytest.mark.parametrize(("beta", "alpha"), [(0.01, 0.001), (0.1, 0.3), (0.5, -0.05)])
def test_closed_form_and_gradients(beta, alpha):
    leaves = [tensor.requires_grad_() for tensor in batch()]
    losses = selm(*leaves, beta=beta, alpha=alpha)
    losses.sum().backward()
    w, lo, rw, rl, own, ref_own = (leaf.detach().numpy() for leaf in leaves)
    margin = beta * (w - rw - lo + rl)
    assert losses.detach().numpy() == pytest.approx(np.log1p(np.exp(-margin)) + alpha * beta * (own - ref_own))
    assert leaves[0].grad.numpy() == pytest.approx(-beta * expit(-margin), rel=1e-12)
    assert leaves[1].grad.numpy() == pytest.approx(beta * expit(-margin), rel=1e-12)
    assert leaves[4].grad.numpy() == pytest.approx(np.full(6, alpha * beta), rel=1e-12)
    assert torch.autograd.gradcheck(partial(selm, beta=beta, alpha=alpha), leaves)


def test_alpha_zero_is_dpo_and_the_reference_of_own_leaves_gradients_alone():
    arguments = batch()
    assert torch.equal(selm(*arguments, beta=0.3, alpha=0.0), dpo(*arguments[:4], beta=0.3))
    shifted = [*arguments[:5], arguments[5] - 4.0]
    moved = selm(*shifted, beta=0.3, alpha=0.1) - selm(*arguments, beta=0.3, alpha=0.1)
    assert moved.numpy() == pytest.approx(np.full(6, 0.3 * 0.1 * 4.0))


def test_xpo_is_alpha_without_beta():
    arguments = batch(seed=1)
    beta, xpo_alpha = 0.05, 1e-2
    xpo = dpo(*arguments[:4], beta=beta) + xpo_alpha * (arguments[4] - arguments[5])
    torch.testing.assert_close(selm(*arguments, beta=beta, alpha=xpo_alpha / beta), xpo)


def test_own_may_be_a_response_of_the_pair():
    """Card: own best, gradient of log pi(own) at the start of a round -beta/2 + alpha beta; own worst, +."""
    start = torch.zeros(1, dtype=torch.float64)
    for side, sign in ((0, -1), (1, 1)):
        leaves = [start.clone().requires_grad_(), start.clone().requires_grad_()]
        selm(*leaves, start, start, leaves[side], start, beta=0.2, alpha=0.3).sum().backward()
        assert leaves[side].grad.item() == pytest.approx(sign * 0.1 + 0.06, rel=1e-12)


def test_the_exact_term_has_no_gradient_at_the_reference_and_one_greedy_response_has():
    """A table of seven responses: the expectation over the reference is taken exactly, by autograd on the logits."""
    logits = torch.tensor(np.random.default_rng(0).normal(0, 1, 7), requires_grad=True)
    reference = torch.tensor(log_softmax(logits.detach().numpy()))
    logps = torch.log_softmax(logits, 0)
    nothing = torch.zeros(7, dtype=torch.float64)
    term = selm(*[nothing] * 4, logps, reference, beta=0.1, alpha=1.0) - math.log(2)
    (exact,) = torch.autograd.grad((reference.exp() * term).sum(), logits, retain_graph=True)
    (greedy,) = torch.autograd.grad(term[reference.argmax()], logits)
    assert exact.abs().max() < 1e-10
    assert greedy[reference.argmax()].item() == pytest.approx(0.1 * (1 - reference.max().exp().item()), rel=1e-10)


def test_bad_arguments_are_named():
    one = batch()
    for options, name in (
        ({"alpha": math.nan}, "alpha=nan"),
        ({"alpha": math.inf}, "alpha=inf"),
        ({"beta": 0}, "beta"),
    ):
        with pytest.raises(ValueError, match=name):
            selm(*one, **options)
    with pytest.raises(ValueError, match=r"own \(6, 1\)"):
        selm(*one[:4], one[4][:, None], one[5])


def test_trainer_reads_own_as_columns():
    assert extra_columns(selm) == {"own": True, "ref_own": True}
