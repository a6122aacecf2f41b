"""iREPO's loss: by hand, by its gradients, by its neighbours, and by the policy at its minimum."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from autodidact.losses import dpo, ipo, irepo, osp


def at(win, lose, h, dtype=torch.float64):
    """Arguments with the log-ratios h_w = win and h_l = lose."""
    return [torch.tensor([value], dtype=dtype) for value in (win - 7.0, lose - 9.0, -7.0, -9.0, h)]


def arguments(batch=7, seed=0, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    logps = [torch.tensor(rng.normal(-10, 3, batch), dtype=dtype) for _ in range(4)]
    return logps, torch.tensor(rng.uniform(0.02, 0.98, batch), dtype=dtype)


@pytest.mark.parametrize(
    ("beta", "h", "expected"),
    [
        (0.5, 0.5, 1.5**2),  # a tie draws the gap of 3 nats to zero
        (0.5, 0.75, (1.5 - math.log(3)) ** 2),
        (0.5, 0.25, (1.5 + math.log(3)) ** 2),
        (0.1, 0.95, (0.3 - math.log(19)) ** 2),  # nine of nine votes, smoothed
        (math.log(4) / 3, 0.8, 0.0),  # on target
    ],
)
def test_values_worked_by_hand(beta, h, expected):
    assert irepo(*at(2.0, -1.0, h), beta=beta).item() == pytest.approx(expected, abs=1e-12)


def test_one_value_a_pair_in_the_type_of_the_log_probabilities():
    logps, h = arguments()
    losses = irepo(*logps, h, beta=0.3)
    assert losses.shape == (7,)
    margin = 0.3 * ((logps[0] - logps[2]) - (logps[1] - logps[3])).numpy()
    np.testing.assert_allclose(losses.numpy(), (margin - logit(h.numpy())) ** 2, rtol=1e-12)
    single = irepo(*(x.float() for x in logps), h.float(), beta=0.3)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), losses, rtol=1e-4, atol=1e-4)


def test_gradients_agree_with_finite_differences_and_none_goes_through_h():
    logps, h = arguments(batch=3)
    leaves = [x.requires_grad_() for x in logps]
    assert torch.autograd.gradcheck(lambda *x: irepo(*x, h, beta=0.3), leaves)
    h.requires_grad_()
    irepo(*leaves, h, beta=0.3).sum().backward()
    assert h.grad is None and all(x.grad.abs().sum() > 0 for x in leaves)


def test_turned_round_a_pair_has_the_loss_of_the_other_share():
    (chosen, rejected, ref_chosen, ref_rejected), h = arguments()
    turned = irepo(rejected, chosen, ref_rejected, ref_chosen, 1 - h, beta=0.3)
    torch.testing.assert_close(turned, irepo(chosen, rejected, ref_chosen, ref_rejected, h, beta=0.3))


def test_one_share_for_all_is_ipo_in_another_scale():
    logps, _ = arguments()
    h, beta = torch.full((7,), 0.95, dtype=torch.float64), 0.3
    scaled = beta**2 * ipo(*logps, beta=beta / (2 * logit(0.95)))
    torch.testing.assert_close(irepo(*logps, h, beta=beta), scaled)


def test_twice_the_target_is_half_the_beta():
    logps, h = arguments()
    doubled = torch.sigmoid(2 * torch.logit(h))
    torch.testing.assert_close(irepo(*logps, doubled, beta=0.3), 4 * irepo(*logps, h, beta=0.15))


@pytest.mark.parametrize("h", [0.5, 0.9, 0.999999])
def test_pull_grows_with_the_vote_where_that_of_the_soft_label_is_bounded(h):
    gap = torch.tensor([0.0], dtype=torch.float64, requires_grad=True)
    rest = [torch.zeros(1, dtype=torch.float64) for _ in range(3)]
    beta, share = 0.3, torch.tensor([h], dtype=torch.float64)
    (pull,) = torch.autograd.grad(irepo(gap, *rest, share, beta=beta).sum(), gap)
    (soft,) = torch.autograd.grad(osp(gap, *rest, share, beta=beta).sum(), gap)
    assert pull.item() == pytest.approx(-2 * beta * logit(h), abs=1e-9)
    assert soft.item() == pytest.approx(-beta * (h - 0.5), abs=1e-9)


def test_a_soft_label_is_all_votes_one_by_one():
    """DPO on every vote as an example of its own, and the cross-entropy with their share, are one loss."""
    logps, _ = arguments(batch=4)
    won, votes = torch.tensor([0, 3, 7, 9], dtype=torch.float64), 9
    swapped = [logps[i] for i in (1, 0, 3, 2)]
    each = won * dpo(*logps, beta=0.3) + (votes - won) * dpo(*swapped, beta=0.3)
    torch.testing.assert_close(each / votes, osp(*logps, won / votes, beta=0.3))


def tilted(reference, reward, beta):
    """The policy that maximises reward less beta KL to the reference, in closed form."""
    weights = reference * np.exp(reward / beta)
    return weights / weights.sum()


@pytest.mark.parametrize("loss", [irepo, osp])
def test_with_true_preferences_the_minimum_is_the_tilted_reference_however_pairs_are_drawn(loss):
    """Gradient descent with Newton's help on a table of five answers: both losses with the true h have one minimum."""
    rng, beta = np.random.default_rng(3), 0.5
    reference, reward = rng.dirichlet(np.ones(5)), rng.normal(size=5)
    i, j = np.triu_indices(5, 1)
    old, h = torch.tensor(np.log(reference)), torch.tensor(expit(reward[i] - reward[j]))
    found = []
    for weight in (torch.ones(10, dtype=torch.float64), torch.tensor(rng.uniform(0.05, 1, 10))):
        free = old.clone().requires_grad_()
        optimiser = torch.optim.LBFGS([free], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

        def closure(free=free, optimiser=optimiser, weight=weight):
            optimiser.zero_grad()
            now = free.log_softmax(0)
            value = (weight * loss(now[i], now[j], old[i], old[j], h, beta=beta)).sum()
            value.backward()
            return value

        optimiser.step(closure)
        found.append(free.detach().softmax(0).numpy())
    np.testing.assert_allclose(found[0], tilted(reference, reward, beta), atol=1e-6)
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    assert np.abs(found[0] - reference).max() > 0.05  # it had a way to go


@pytest.mark.parametrize("h", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_a_share_without_a_finite_logit_is_refused_by_name_and_place(h):
    logps, shares = arguments(batch=3)
    shares[1] = h
    with pytest.raises(ValueError, match=r"^h\[1\]=.* must lie strictly between 0 and 1: clip or smooth it$"):
        irepo(*logps, shares)


def test_other_bad_input_is_refused_in_one_line():
    logps, h = arguments(batch=3)
    for beta in (0, -1, math.nan):
        with pytest.raises(ValueError, match="^beta=.* must be greater than 0$"):
            irepo(*logps, h, beta=beta)
    with pytest.raises(ValueError, match=r"one shape, \(batch,\).* h \(3, 1\)$"):
        irepo(*logps, h[:, None])
    with pytest.raises(ValueError, match="^h must be a tensor, but is a float$"):
        irepo(*logps, 0.7)
    with pytest.raises(TypeError):
        irepo(*logps, h, 0.1)  # beta is named


def test_a_share_next_to_one_keeps_its_logit():
    (loss,) = irepo(*at(0.0, 0.0, 1 - 1e-12), beta=1.0)
    assert math.sqrt(loss.item()) == pytest.approx(math.log(1e12), rel=1e-4)


def test_it_can_be_bound_for_a_trainer():
    from autodidact.training.pairs import extra_columns, loss_beta

    assert extra_columns(partial(irepo, beta=0.3)) == {"h": True}
    assert loss_beta(partial(irepo, beta=0.3)) == 0.3
