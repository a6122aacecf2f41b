"""APO's loss: by hand, against DPO with an extrapolated reference, against a table's optimum."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime
from scipy.special import expit, log_softmax

from autodidact.losses import apo, dpo
from autodidact.training import extra_columns

NAMES = ("chosen", "rejected", "ref_chosen", "ref_rejected", "past_chosen", "past_rejected")


@pytest.fixture
def logps():
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.normal(-10, 3, 40)) for _ in NAMES]


def test_value_worked_by_hand():
    """Policy 4 nats ahead, reference 2, past 1: at momentum 1/2 the reference goes on to 2.5, which leaves 1.5."""
    arguments = [torch.tensor([v], dtype=torch.float64) for v in (-6.0, -10.0, -7.0, -9.0, -7.5, -8.5)]
    assert apo(*arguments, beta=0.5, momentum=0.5).item() == pytest.approx(math.log(1 + math.exp(-0.75)), rel=1e-12)
    # at -1/2 it goes back to 1.5, which leaves 2.5
    assert apo(*arguments, beta=0.5, momentum=-0.5).item() == pytest.approx(math.log(1 + math.exp(-1.25)), rel=1e-12)


def test_without_momentum_or_in_round_one_it_is_dpo_bit_for_bit(logps):
    plain = dpo(*logps[:4], beta=0.2)
    assert torch.equal(apo(*logps, beta=0.2, momentum=0.0), plain)
    assert torch.equal(apo(*logps[:4], *logps[2:4], beta=0.2, momentum=0.7), plain)


@pytest.mark.parametrize("momentum", [-0.3, 0.3, 0.9])
def test_it_is_dpo_against_the_extrapolated_reference(logps, momentum):
    reference = [(1 + momentum) * now - momentum * past for now, past in zip(logps[2:4], logps[4:], strict=True)]
    torch.testing.assert_close(apo(*logps, beta=0.3, momentum=momentum), dpo(*logps[:2], *reference, beta=0.3))


def test_gradient_is_beta_times_sigmoid_of_minus_the_margin(logps):
    leaves = [value.requires_grad_() for value in logps[:2]]
    apo(*logps, beta=0.3, momentum=0.4).sum().backward()
    c, r, rc, rr, pc, pr = (value.detach().numpy() for value in logps)
    wanted = -0.3 * expit(-0.3 * ((c - r) - 1.4 * (rc - rr) + 0.4 * (pc - pr)))
    assert leaves[0].grad.numpy() == pytest.approx(wanted, abs=1e-12)
    assert leaves[1].grad.numpy() == pytest.approx(-wanted, abs=1e-12)
    others = [value.detach().numpy()[:1] for value in logps]
    numeric = approx_fprime(
        others[0], lambda x: apo(*map(torch.tensor, (x, *others[1:])), beta=0.3, momentum=0.4).sum().item(), 1e-6
    )
    assert numeric == pytest.approx(wanted[:1], abs=1e-5)


def test_its_minimum_over_a_table_is_the_proximal_step_from_the_extrapolated_policy():
    """All pairs of five responses, labelled by a Bradley-Terry reward: the optimum is known, pi_t exp(r / beta) / Z."""
    rng, n, beta, a = np.random.default_rng(1), 5, 0.7, 0.4
    reward = rng.uniform(size=n)
    now, past = (log_softmax(rng.normal(size=n)) for _ in range(2))
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    wins = torch.tensor(expit(reward[i] - reward[j]))
    theta = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    fixed = [torch.tensor(x[k]) for x in (now, past) for k in (i, j)]
    how = {"max_iter": 500, "tolerance_grad": 1e-12, "tolerance_change": 0, "line_search_fn": "strong_wolfe"}
    optimiser = torch.optim.LBFGS([theta], **how)

    def closure():
        optimiser.zero_grad()
        logp = torch.log_softmax(theta, 0)
        loss = (wins * apo(logp[i], logp[j], *fixed, beta=beta, momentum=a)).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    wanted = log_softmax((1 + a) * now - a * past + reward / beta)
    assert torch.log_softmax(theta, 0).detach().numpy() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", ["beta", "momentum"])
def test_each_hyper_parameter_moves_the_result(logps, name):
    assert (apo(*logps, **{name: 0.15}) != apo(*logps, **{name: 0.25})).all()


def test_never_reduced_and_finite_far_out(logps):
    result = apo(*logps)
    assert result.shape == (40,)
    assert result[7].item() == apo(*(value[7:8] for value in logps)).item()
    far = [(1e4 * value).float().requires_grad_() for value in logps]
    apo(*far).sum().backward()
    assert all(value.grad.isfinite().all() for value in far)


@pytest.mark.parametrize("momentum", [1.0, -1.0, 1.5, math.nan, math.inf])
def test_momentum_out_of_range_is_named(logps, momentum):
    with pytest.raises(ValueError, match=rf"momentum={momentum} must lie between -1 and 1"):
        apo(*logps, momentum=momentum)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_beta_must_be_positive(logps, beta):
    with pytest.raises(ValueError, match="beta="):
        apo(*logps, beta=beta)


@pytest.mark.parametrize("which", range(6))
def test_a_tensor_of_another_shape_is_refused_by_name(logps, which):
    logps[which] = logps[which][:, None]
    with pytest.raises(ValueError, match=rf"{NAMES[which]} \(40, 1\)"):
        apo(*logps)


def test_the_trainers_read_the_past_from_columns():
    assert extra_columns(partial(apo, momentum=0.1)) == {"past_chosen": True, "past_rejected": True}
