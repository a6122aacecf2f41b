"""T-REG's loss against values by hand, DPO on the sums, the gradient identity of its source, finite differences."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit

from autodidact.losses import contrastive_rewards, dpo, t_reg

WIN, LOSE = (4, 5), (4, 7)  # the two responses of a pair need not be padded to one length


def batch(seed=0):
    """chosen, rejected, their references, token rewards and masks of responses with 1 to 7 tokens."""
    rng = np.random.default_rng(seed)
    logps = [torch.tensor(-rng.exponential(2, shape)) for shape in (WIN, LOSE, WIN, LOSE)]
    rewards = [torch.tensor(rng.uniform(-0.5, 0.5, shape)) for shape in (WIN, LOSE)]
    lengths = [torch.tensor([5, 2, 1, 4]), torch.tensor([7, 3, 7, 1])]
    masks = [torch.arange(shape[1]) < n[:, None] for shape, n in zip((WIN, LOSE), lengths, strict=True)]
    return [*logps, *rewards, *masks]


def sums(arguments):
    """The four sums over tokens that count."""
    return [(arguments[i] * arguments[6 + i % 2]).sum(1) for i in range(4)]


def test_values_worked_by_hand():
    one = torch.tensor
    arguments = [
        one([[-1.0, -2.0]], dtype=torch.float64),  # chosen: log-ratio (-1 + 2) + (-2 + 3) = 2
        one([[-4.0, -9.0]], dtype=torch.float64),  # rejected, the second token masked: -4 + 3 = -1
        one([[-2.0, -3.0]], dtype=torch.float64),
        one([[-3.0, -1.0]], dtype=torch.float64),
        one([[0.5, -0.25]], dtype=torch.float64),  # L_reg = -beta (-0.5 + 0.5) = 0
        one([[0.25, 0.5]], dtype=torch.float64),  # L_reg = -beta (-1)
        one([[1, 1]]),
        one([[1, 0]]),
    ]
    h = 0.5 * 3
    w = 1 / (1 + math.exp(h))
    wanted = math.log(1 + math.exp(-h)) + 2.0 * w * 0.5 * 1.0
    assert t_reg(*arguments, beta=0.5, alpha=2.0).item() == pytest.approx(wanted, rel=1e-12)
    constant = math.log(1 + math.exp(-h)) + 2.0 * 0.7 * 0.5 * 1.0
    assert t_reg(*arguments, beta=0.5, alpha=2.0, w=0.7).item() == pytest.approx(constant, rel=1e-12)
    h, w = 0.03, 1 / (1 + math.exp(0.03))  # the defaults: beta 0.01, alpha 0.25
    assert t_reg(*arguments).item() == pytest.approx(math.log(1 + math.exp(-h)) + 0.25 * w * 0.01, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0, 4.0])
def test_gradient_is_dpo_with_reweighted_tokens(alpha):
    """-beta w (1 + alpha rhat) at tokens of the chosen, +beta w (1 - alpha rhat) at those of the rejected."""
    arguments, beta = batch(), 0.3
    chosen, rejected = arguments[0].requires_grad_(), arguments[1].requires_grad_()
    t_reg(*arguments, beta=beta, alpha=alpha).sum().backward()
    w, lo, rw, rl = (total.detach().numpy() for total in sums(arguments))
    weight = beta * expit(-beta * (w - rw - lo + rl))[:, None]
    rhat_w, rhat_l, mask_w, mask_l = (value.numpy() for value in arguments[4:])
    assert chosen.grad.numpy() == pytest.approx(-weight * (1 + alpha * rhat_w) * mask_w, abs=1e-12)
    assert rejected.grad.numpy() == pytest.approx(weight * (1 - alpha * rhat_l) * mask_l, abs=1e-12)


def test_gradient_agrees_with_finite_differences_at_a_constant_weight():
    """The weight of the sequence is held fixed on purpose, so differences are those of a loss with that constant."""
    arguments = batch(1)
    leaves = [value.requires_grad_() for value in arguments[:4]]
    assert torch.autograd.gradcheck(partial(t_reg, beta=0.3, alpha=0.5, w=0.4), (*leaves, *arguments[4:]))


def test_alpha_zero_is_dpo_on_the_sums():
    arguments = batch(2)
    torch.testing.assert_close(t_reg(*arguments, beta=0.2, alpha=0.0), dpo(*sums(arguments), beta=0.2))


def test_a_constant_quarter_is_a_larger_step():
    """Card: rhat +1/4 on chosen and -1/4 on rejected has the gradient of DPO times 1 + alpha / 4."""
    arguments = batch(3)
    arguments[4], arguments[5] = torch.full(WIN, 0.25), torch.full(LOSE, -0.25)
    arguments[0].requires_grad_()
    (mine,) = torch.autograd.grad(t_reg(*arguments, beta=0.2, alpha=0.8).sum(), arguments[0])
    (plain,) = torch.autograd.grad(dpo(*sums(arguments), beta=0.2).sum(), arguments[0])
    torch.testing.assert_close(mine, plain * 1.2)


@pytest.mark.parametrize(("alpha", "turns"), [(1.9, False), (2.1, True)])
def test_only_beyond_two_a_token_turns_round(alpha, turns):
    arguments = batch()
    arguments[4] = torch.full(WIN, -0.5)
    arguments[0].requires_grad_()
    (gradient,) = torch.autograd.grad(t_reg(*arguments, alpha=alpha).sum(), arguments[0])
    assert bool((gradient > 0).any()) is turns


def test_what_stands_outside_the_masks_is_never_looked_at():
    clean, dirty = batch(), batch()
    for i in range(6):
        fill = [math.nan, -math.inf, math.inf, math.nan, 7.0, math.nan][i]
        dirty[i] = dirty[i].masked_fill(~dirty[6 + i % 2], fill)
    assert torch.equal(t_reg(*clean), t_reg(*dirty))
    dirty[0].requires_grad_()
    t_reg(*dirty).sum().backward()
    assert dirty[0].grad.isfinite().all() and (dirty[0].grad[~dirty[6]] == 0).all()


def test_without_masks_every_position_counts():
    arguments = batch()
    full = [torch.ones(WIN), torch.ones(LOSE)]
    assert torch.equal(t_reg(*arguments[:6]), t_reg(*arguments[:6], *full))


def test_rewards_and_weight_carry_no_gradient():
    arguments = batch()
    rhat = arguments[4].requires_grad_()
    arguments[0].requires_grad_()
    t_reg(*arguments).sum().backward()
    assert rhat.grad is None


def test_contrastive_rewards_by_hand():
    better = torch.tensor([[math.log(0.9), -1.0, -1e4]])
    worse = torch.tensor([[math.log(0.3), -1.0, 0.0]])
    assert contrastive_rewards(better, worse).tolist()[0] == pytest.approx([0.25, 0.0, -0.5], abs=1e-6)
    assert contrastive_rewards(better.bfloat16(), worse.bfloat16()).dtype == torch.float32
    with pytest.raises(ValueError, match="one shape"):
        contrastive_rewards(better, worse[:, :2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": -0.1}, "alpha=-0.1 must be finite and not below 0"),
        ({"alpha": math.nan}, "alpha=nan"),
        ({"beta": 0.0}, "beta=0.0"),
        ({"w": -1.0}, "w=-1.0"),
    ],
)
def test_bad_hyper_parameters_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        t_reg(*batch(), **change)


def test_bad_tensors_are_named():
    for bad in (0.6, math.nan):
        arguments = batch()
        arguments[5][0, 0] = bad
        with pytest.raises(ValueError, match=r"rhat_rejected=.* must lie in \[-0.5, 0.5\]"):
            t_reg(*arguments)
    arguments = batch()
    arguments[2] = arguments[2][:, :4]
    with pytest.raises(ValueError, match=r"ref_chosen \(4, 4\)"):
        t_reg(*arguments)
    arguments = batch()
    with pytest.raises(ValueError, match="chosen has 4 rows and rejected 3"):
        t_reg(*[value[:3] if i % 2 else value for i, value in enumerate(arguments)])
    with pytest.raises(ValueError, match=r"\(batch, length\)"):
        t_reg(*[value[0] for value in arguments])
