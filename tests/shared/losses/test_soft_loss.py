import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad, minimize_scalar
from scipy.special import expit, logit
from torch.nn.functional import binary_cross_entropy_with_logits

from autodidact.losses import cream, dpo, osp
from autodidact.training import extra_columns


def at(gap, *p):
    """Arguments with the difference of log-ratios `gap` (nats) and these strengths."""
    p = torch.tensor(p, dtype=torch.float64)
    full = torch.full_like(p, 1.0)
    return [full * (gap - 5.0), full * -8.0, full * -6.0, full * -9.0, p]  # (gap - 5 + 6) - (-8 + 9) = gap


@pytest.fixture
def logps():
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.normal(-10, 3, 50)) for _ in range(4)]


@pytest.fixture
def strengths():
    return torch.tensor(np.random.default_rng(1).uniform(0, 1, 50))


def test_values_worked_by_hand():
    right, wrong = math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(1.5))
    losses = osp(*at(3.0, 1.0, 0.0, 0.75, 0.5), beta=0.5)  # h = 1.5
    wanted = [right, wrong, 0.75 * right + 0.25 * wrong, (right + wrong) / 2]
    assert losses.tolist() == pytest.approx(wanted, rel=1e-12)
    assert osp(*at(0.0, 0.3)).item() == pytest.approx(math.log(2))
    assert osp(*at(20.0, 1.0)).item() == pytest.approx(math.log(1 + math.exp(-2.0)))  # the default beta, 0.1


def test_equal_to_a_plain_binary_cross_entropy(logps, strengths):
    gap = 0.3 * ((logps[0] - logps[2]) - (logps[1] - logps[3]))
    wanted = binary_cross_entropy_with_logits(gap, strengths, reduction="none")
    torch.testing.assert_close(osp(*logps, strengths, beta=0.3), wanted)


def test_gradient_is_beta_times_sigmoid_of_h_minus_p(logps, strengths):
    chosen, rejected = logps[0].requires_grad_(), logps[1].requires_grad_()
    osp(chosen, rejected, *logps[2:], strengths, beta=0.3).sum().backward()
    h = 0.3 * ((chosen - logps[2]) - (rejected - logps[3])).detach().numpy()
    wanted = 0.3 * (expit(h) - strengths.numpy())
    assert chosen.grad.numpy() == pytest.approx(wanted, abs=1e-12)
    assert rejected.grad.numpy() == pytest.approx(-wanted, abs=1e-12)


def test_gradient_agrees_with_finite_differences():
    others = at(0.0, 0.2, 0.7, 1.0)[1:]

    def value(flat):
        return osp(torch.tensor(flat), *others).sum().item()

    def gradient(flat):
        leaf = torch.tensor(flat, requires_grad=True)
        osp(leaf, *others).sum().backward()
        return leaf.grad.numpy()

    assert check_grad(value, gradient, np.array([-3.0, -7.0, -5.5]), epsilon=1e-6) < 1e-7


@pytest.mark.parametrize("p", [0.1, 0.4, 0.5, 0.78, 0.92])
def test_h_comes_to_rest_at_logit_p(p):
    best = minimize_scalar(lambda h: osp(*at(h, p), beta=1.0).item(), bounds=(-8, 8), method="bounded")
    assert best.x == pytest.approx(logit(p), abs=1e-4)
    assert best.fun == pytest.approx(-p * math.log(p) - (1 - p) * math.log(1 - p))  # the entropy of p remains


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_the_optimum_over_all_policies_of_a_prompt_is_the_reference_tilted_by_the_reward(beta):
    """Four responses, every pair with Bradley-Terry strengths: pi is proportional to ref exp(r / beta), free of ref."""
    reward, ref = torch.tensor([0.3, -0.8, 1.1, 0.0]).double(), torch.tensor([0.1, 0.2, 0.3, 0.4]).double().log()
    i, j = torch.triu_indices(4, 4, 1)
    logits = ref.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=0)

    def closure():
        optimiser.zero_grad()
        logps = torch.log_softmax(logits, 0)
        loss = osp(logps[i], logps[j], ref[i], ref[j], torch.sigmoid(reward[i] - reward[j]), beta=beta).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    wanted = torch.softmax(ref + reward / beta, 0)
    assert torch.softmax(logits.detach(), 0).tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


def test_a_pair_turned_round_has_the_other_strength(logps, strengths):
    chosen, rejected, ref_chosen, ref_rejected = logps
    turned = osp(rejected, chosen, ref_rejected, ref_chosen, 1 - strengths)
    torch.testing.assert_close(osp(*logps, strengths), turned)


def test_strength_is_data_without_a_gradient(logps):
    p = torch.full((50,), 0.7, dtype=torch.float64, requires_grad=True)
    logps[0].requires_grad_()
    osp(*logps, p).sum().backward()
    assert p.grad is None


def test_equal_to_dpo_at_one_and_to_its_label_smoothing(logps, strengths):
    one = torch.ones(50, dtype=torch.float64)
    torch.testing.assert_close(osp(*logps, one, beta=0.2), dpo(*logps, beta=0.2))
    torch.testing.assert_close(osp(*logps, 0.7 * one, beta=0.2), dpo(*logps, beta=0.2, label_smoothing=0.3))
    torch.testing.assert_close(osp(*logps, strengths, beta=0.2), cream(*logps, strengths, beta=0.2))


@pytest.mark.parametrize("size", [1e3, -1e3, 1e4])
def test_finite_at_extreme_log_ratios(size):
    arguments = [value.float() for value in at(size, 0.9, 0.0, 1.0)]
    arguments[0].requires_grad_()
    loss = osp(*arguments, beta=1.0)
    loss.sum().backward()
    assert loss.isfinite().all() and arguments[0].grad.isfinite().all()


def test_never_reduced_and_every_pair_stands_alone(logps, strengths):
    together = osp(*logps, strengths)
    assert together.shape == (50,)
    alone = [osp(*(value[k : k + 1] for value in (*logps, strengths))).item() for k in range(50)]
    assert together.tolist() == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("p", [-0.01, 1.01, math.nan])
def test_a_strength_outside_its_range_is_named(p):
    with pytest.raises(ValueError, match=r"p=.* is no preference strength; it must lie in \[0, 1\]"):
        osp(*at(1.0, 0.5, p))


def test_other_bad_arguments_are_named(logps):
    with pytest.raises(ValueError, match=r"p \(50, 1\)"):
        osp(*logps, torch.ones(50, 1))
    with pytest.raises(ValueError, match="p must be a tensor, but is a float"):
        osp(*logps, 0.7)
    with pytest.raises(ValueError, match=r"beta=0\.0"):
        osp(*logps, torch.ones(50), beta=0.0)


def test_trainer_reads_the_strength_as_a_column():
    assert extra_columns(partial(osp, beta=0.1)) == {"p": True}
