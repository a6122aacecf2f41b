import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from autodidact.losses import cream, dpo
from autodidact.training import extra_columns


def at(gap, *consistency):
    """Arguments with the difference of log-ratios `gap` (nats) and these consistencies."""
    c = torch.tensor(consistency, dtype=torch.float64)
    full = torch.full_like(c, 1.0)
    return [full * (gap - 5.0), full * -8.0, full * -6.0, full * -9.0, c]  # (gap - 5 + 6) - (-8 + 9) = gap


@pytest.fixture
def logps():
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.normal(-10, 3, 50)) for _ in range(4)]


def test_values_worked_by_hand():
    right, wrong = math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(1.5))
    losses = cream(*at(3.0, 1.0, 0.0, 0.75, 0.5), beta=0.5)
    wanted = [right, wrong, 0.75 * right + 0.25 * wrong, (right + wrong) / 2]
    assert losses.tolist() == pytest.approx(wanted, rel=1e-12)
    assert cream(*at(0.0, 0.3)).item() == pytest.approx(math.log(2))


def test_gradient_is_beta_times_sigmoid_of_the_margin_minus_c(logps):
    c = torch.tensor(np.random.default_rng(1).uniform(0, 1, 50))
    chosen, rejected = logps[0].requires_grad_(), logps[1].requires_grad_()
    cream(chosen, rejected, *logps[2:], c, beta=0.3).sum().backward()
    margin = 0.3 * ((chosen - logps[2]) - (rejected - logps[3])).detach().numpy()
    wanted = 0.3 * (expit(margin) - c.numpy())
    assert chosen.grad.numpy() == pytest.approx(wanted, abs=1e-12)
    assert rejected.grad.numpy() == pytest.approx(-wanted, abs=1e-12)


@pytest.mark.parametrize("c", [0.1, 0.4, 0.5, 0.78, 0.92])
def test_the_best_margin_is_logit_c(c):
    best = minimize_scalar(lambda m: cream(*at(m, c), beta=1.0).item(), bounds=(-8, 8), method="bounded")
    assert best.x == pytest.approx(logit(c), abs=1e-4)


def test_consistency_is_data_without_a_gradient(logps):
    c = torch.full((50,), 0.7, dtype=torch.float64, requires_grad=True)
    logps[0].requires_grad_()
    cream(*logps, c).sum().backward()
    assert c.grad is None


def test_equal_to_dpo_at_one_and_to_its_label_smoothing(logps):
    one = torch.ones(50, dtype=torch.float64)
    torch.testing.assert_close(cream(*logps, one, beta=0.2), dpo(*logps, beta=0.2))
    torch.testing.assert_close(cream(*logps, 0.7 * one, beta=0.2), dpo(*logps, beta=0.2, label_smoothing=0.3))


@pytest.mark.parametrize("c", [-0.01, 1.01, math.nan])
def test_consistency_outside_its_range_is_named(c):
    with pytest.raises(ValueError, match=r"consistency=.* must lie in \[0, 1\]"):
        cream(*at(1.0, 0.5, c))


def test_other_bad_arguments_are_named(logps):
    with pytest.raises(ValueError, match="consistency \\(50, 1\\)"):
        cream(*logps, torch.ones(50, 1))
    with pytest.raises(ValueError, match="beta"):
        cream(*logps, torch.ones(50), beta=0.0)


def test_trainer_reads_consistency_as_a_column():
    assert extra_columns(partial(cream, beta=0.1)) == {"consistency": True}
