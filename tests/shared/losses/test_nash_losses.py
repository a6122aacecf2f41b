"""DNO's two losses against values by hand, closed forms, the optimum of a table and TRL's label smoothing of DPO."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad, minimize
from scipy.special import expit, log_softmax

from autodidact.games import exponential_weights
from autodidact.losses import dno, dno_exact, dpo

CYCLE = np.array([[0.5, 0.9, 0.4], [0.1, 0.5, 0.8], [0.6, 0.2, 0.5]])
NAMES = ("chosen", "rejected", "ref_chosen", "ref_rejected", "r_chosen", "r_rejected")


def at(win, lose, *rates):
    """Arguments with the log-ratios h_w = win and h_l = lose."""
    return [torch.tensor([v], dtype=torch.float64) for v in (win - 7.0, lose - 9.0, -7.0, -9.0, *rates)]


def drawn(batch=5, rates=True, seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.normal(-10, 3, batch) for _ in range(4)] + [rng.uniform(0, 1, batch) for _ in range(2 * rates)]
    return [torch.tensor(v) for v in values]


# log-ratios 2 and -1: Delta is 3 beta
@pytest.mark.parametrize(
    ("loss", "rates", "expected"),
    [
        (partial(dno, beta=0.5), (), math.log(1 + math.exp(-1.5))),
        (dno, (), math.log(1 + math.exp(-0.3))),  # the default is the paper's 0.1
        (partial(dno_exact, beta=0.5), (0.5, 0.5), math.log(1 + math.exp(-1.5)) + 0.5 * 1.5),
        # log(1 + e^-D) + (1 - label) D with label = 1 / (1 + e^-0.75) = 0.6791787
        (partial(dno_exact, beta=0.5), (0.95, 0.2), math.log(1 + math.exp(-1.5)) + 0.3208213 * 1.5),
        (partial(dno_exact, beta=0.5), (0.0, 1.0), math.log(1 + math.exp(-1.5)) + 0.7310586 * 1.5),
    ],
)
def test_values_worked_by_hand(loss, rates, expected):
    assert loss(*at(2.0, -1.0, *rates)).item() == pytest.approx(expected, rel=1e-6)


def test_the_exact_form_is_the_cross_entropy_of_two_sigmoids():
    w, lo, rw, rl, pw, pl = (v.numpy() for v in drawn(9))
    delta, target = 0.3 * ((w - rw) - (lo - rl)), expit(pw - pl)
    expected = -target * np.log(expit(delta)) - (1 - target) * np.log(expit(-delta))
    assert dno_exact(*drawn(9), beta=0.3).numpy() == pytest.approx(expected, rel=1e-9)


def test_the_contrastive_form_is_dpo_with_the_last_policy_for_reference():
    assert torch.equal(dno(*drawn(rates=False), beta=0.3), dpo(*drawn(rates=False), beta=0.3))


def test_the_exact_form_is_dpo_with_a_smoothing_for_every_pair_of_its_own():
    """dpo takes smoothings up to 1/2: the chosen side here is the one with the higher win rate."""
    logps, gaps = drawn(rates=False), (0.0, 0.3, 1.0)
    for gap in gaps:
        rates = [torch.full((5,), 0.5 + sign * gap / 2, dtype=torch.float64) for sign in (1, -1)]
        smoothed = dpo(*logps, beta=0.2, label_smoothing=1 / (1 + math.exp(gap)))
        torch.testing.assert_close(dno_exact(*logps, *rates, beta=0.2), smoothed)


def test_sides_may_change_places():
    c, r, rc, rr, pc, pr = drawn()
    torch.testing.assert_close(dno_exact(c, r, rc, rr, pc, pr), dno_exact(r, c, rr, rc, pr, pc))


@pytest.mark.parametrize("loss", [dno, dno_exact])
def test_gradient_agrees_with_finite_differences(loss):
    arguments, rates = drawn(3)[:4], drawn(3)[4:] if loss is dno_exact else []

    def value(flat):
        return loss(*torch.tensor(flat).view(4, 3), *rates).sum().item()

    def gradient(flat):
        leaf = torch.tensor(flat, requires_grad=True)
        loss(*leaf.view(4, 3), *rates).sum().backward()
        return leaf.grad.numpy()

    start = torch.stack(arguments).flatten().numpy()
    assert np.abs(gradient(start)).max() > 1e-3
    assert check_grad(value, gradient, start, epsilon=1e-6) < 1e-6


def test_the_contrastive_form_is_log_two_at_the_reference_and_pushes_the_chosen_side_up():
    arguments = [v.requires_grad_() for v in at(0.0, 0.0)]
    loss = dno(*arguments, beta=0.1)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert arguments[0].grad.item() == pytest.approx(-0.05) and arguments[1].grad.item() == pytest.approx(0.05)


def test_no_gradient_goes_through_the_win_rates():
    arguments = [v.requires_grad_() for v in at(0.3, -0.2, 0.9, 0.1)]
    dno_exact(*arguments).backward()
    assert [v.grad is None for v in arguments] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("rates", [(0.9, 0.2), (0.3, 0.3), (0.0, 1.0)])
def test_the_exact_form_stands_still_where_the_margin_is_the_difference_of_win_rates(rates):
    beta = 0.05
    win, lose = (v.requires_grad_() for v in at((rates[0] - rates[1]) / beta, 0.0, *rates)[:2])
    loss = dno_exact(win, lose, *at(0.0, 0.0, *rates)[2:], beta=beta)
    loss.backward()
    label = 1 / (1 + math.exp(rates[1] - rates[0]))
    assert loss.item() == pytest.approx(-label * math.log(label) - (1 - label) * math.log(1 - label))
    assert abs(win.grad.item()) < 1e-12 and abs(lose.grad.item()) < 1e-12


def table_loss(loss, logits, start, rates, labels=None):
    """Mean over all pairs of answers, each drawn from the start; labels: (chosen, rejected) of each pair."""
    logp, ref = torch.log_softmax(logits, 0), torch.log(torch.tensor(start))
    i, j = torch.cartesian_prod(torch.arange(len(start)), torch.arange(len(start))).T
    weight = (ref[i] + ref[j]).exp()
    if loss is dno_exact:
        r = torch.tensor(rates)
        return (weight * dno_exact(logp[i], logp[j], ref[i], ref[j], r[i], r[j], beta=0.25)).sum()
    swap = torch.tensor(rates)[i] < torch.tensor(rates)[j]
    i, j = torch.where(swap, j, i), torch.where(swap, i, j)
    return (weight * dno(logp[i], logp[j], ref[i], ref[j], beta=0.25)).sum()


def test_the_exact_form_over_a_table_has_its_minimum_at_exponential_weights():
    start = np.array([0.6, 0.3, 0.1])
    expected = exponential_weights(start, 1, 1 / 0.25, lambda pi: CYCLE @ pi)[1]

    def both(flat):
        leaf = torch.tensor(flat, requires_grad=True)
        loss = table_loss(dno_exact, leaf, start, CYCLE @ start)
        loss.backward()
        return loss.item(), leaf.grad.numpy()

    fit = minimize(both, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-12})
    assert np.exp(log_softmax(fit.x)) == pytest.approx(expected, abs=1e-6)


def test_hard_labels_over_a_table_pull_by_how_many_answers_are_worse_not_by_how_much():
    """At the reference -dL/dlogits = beta pi (P(r > r') - P(r < r')) for y' ~ pi, whose mean is zero."""
    start = np.array([0.6, 0.3, 0.1])
    logits = torch.tensor(np.log(start), requires_grad=True)
    table_loss(dno, logits, start, CYCLE @ start).backward()
    # win rates 0.61, 0.29, 0.47: the first beats 0.4 of the policy, the third 0.3 and loses to 0.6, the second to 0.7
    assert (-logits.grad).tolist() == pytest.approx([0.25 * 0.6 * 0.4, 0.25 * 0.3 * -0.7, 0.25 * 0.1 * (0.3 - 0.6)])


@pytest.mark.parametrize("size", [1e3, -1e3, 1e4])
def test_finite_at_extreme_log_ratios(size):
    for arguments, loss in ((at(size, 0.0), dno), (at(size, 0.0, 0.7, 0.2), dno_exact)):
        arguments[0].requires_grad_()
        value = loss(*arguments, beta=1.0)
        value.backward()
        assert torch.isfinite(value).all() and torch.isfinite(arguments[0].grad).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r_chosen": 1.2}, r"r_chosen has the entry 1.2, must be win rates in \[0, 1\]"),
        ({"r_rejected": -3.0}, r"r_rejected has the entry -3, must be win rates in \[0, 1\]"),
        ({"r_rejected": float("nan")}, "r_rejected has the entry nan"),
    ],
)
def test_what_is_no_win_rate_is_refused(change, message):
    arguments = dict(zip(NAMES, drawn(2), strict=True))
    for name, value in change.items():
        arguments[name][1] = value
    with pytest.raises(ValueError, match=message) as error:
        dno_exact(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("loss", [dno, dno_exact])
def test_betas_and_shapes_are_checked(loss):
    arguments = drawn(3, rates=loss is dno_exact)
    for beta in (0.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="beta=.* must be greater than 0"):
            loss(*arguments, beta=beta)
    for place in range(len(arguments)):
        wrong = [v[:, None] if i == place else v for i, v in enumerate(arguments)]
        with pytest.raises(ValueError, match=rf"must have one shape.*{NAMES[place]} \(3, 1\)"):
            loss(*wrong)
