"""SRPO's loss by hand, by finite differences, and against the game that it is said to solve."""

import inspect
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch

from autodidact.losses import srpo

SCORES = [*inspect.signature(srpo).parameters][:12]
REFERENCE = torch.tensor([-7.0, -9.0, -6.0, -8.0, -5.0, -10.0], dtype=torch.float64)


def at(*ratios, dtype=torch.float64):
    """Scores of one pair with the log-ratios R(w), R(l), A(w|l), A(l|l), A(w|w), A(l|w)."""
    ref = REFERENCE.to(dtype)
    now = ref + torch.tensor(ratios, dtype=dtype)
    return [x.reshape(1) for x in (*now[:2], *ref[:2], *now[2:], *ref[2:])]


# R(w) 1, R(l) -1, A(w|l) 3, A(l|l) 1, A(w|w) 2, A(l|w) -2
RATIOS = (1.0, -1.0, 3.0, 1.0, 2.0, -2.0)


@pytest.mark.parametrize(
    ("p", "alpha", "beta", "expected"),
    [
        (None, 0.0, 0.5, 6.25),  # 1 - 0.5 (3 + 1 + 2 + 1) = -2.5
        (None, 1.0, 0.5, 2.5),  # 0.5 - 0.5 * 2 = -0.5 and 0.5 - 0.5 * 4 = -1.5
        (None, 0.8, 0.5, 3.25),  # 0.2 * 6.25 + 0.8 * 2.5
        (1.0, 0.8, 0.5, 3.25),
        (0.75, 0.0, 0.5, 9.0),  # 0.5 - 3.5
        (0.75, 1.0, 0.5, 0.75**2 + 1.75**2),
        (0.0, 1.0, 0.25, 2.25 + 1.0),  # -0.5 - 0.5 * 2 ... (-1)^2 + (-1.5)^2
        (None, 0.5, 0.1, 0.5 * 0.09 + 0.5 * (0.09 + 0.01)),
    ],
)
def test_values_worked_by_hand(p, alpha, beta, expected):
    soft = () if p is None else (torch.tensor([p], dtype=torch.float64),)
    assert srpo(*at(*RATIOS), *soft, alpha=alpha, beta=beta).item() == pytest.approx(expected, rel=1e-12)


def test_each_score_counts_by_its_own_reference_and_place():
    """One log-ratio after the other moved by 1 nat from zero: at beta 1 every square is worked out by hand."""
    moved = [srpo(*at(*row), alpha=alpha, beta=1.0).item() for alpha in (0.0, 1.0) for row in np.eye(6)]
    generator = [0.0, 4.0, 0.0, 1.0, 1.0, 4.0]  # (1 - x)^2 with x = R(w) - R(l) + A(w|l) - A(l|w)
    improver = [0.5, 0.5, 0.25 + 0.25, 2.25 + 0.25, 0.25 + 0.25, 0.25 + 2.25]
    assert moved == pytest.approx(generator + improver)


def test_it_is_known_where_policy_and_reference_agree():
    for alpha in (0.0, 0.3, 0.8, 1.0):
        assert srpo(*at(*[0.0] * 6), alpha=alpha, beta=0.1).item() == pytest.approx(1 - alpha / 2)


def test_defaults_are_those_of_the_other_implementation():
    assert srpo(*at(*RATIOS)).item() == pytest.approx(srpo(*at(*RATIOS), alpha=0.8, beta=0.01).item())


def test_a_tie_pulls_everything_to_the_reference():
    even = torch.tensor([0.5], dtype=torch.float64)
    assert srpo(*at(*[0.0] * 6), even, beta=0.1).item() == 0
    assert srpo(*at(*RATIOS), even, beta=0.1).item() > 0


def test_gradient_agrees_with_finite_differences_and_reaches_all_six_terms():
    rng = np.random.default_rng(0)
    values = [torch.tensor(rng.normal(-10, 1, 3), requires_grad=True) for _ in SCORES]
    assert torch.autograd.gradcheck(partial(srpo, alpha=0.6, beta=0.3), values)
    soft = torch.tensor(rng.uniform(0, 1, 3), requires_grad=True)
    srpo(*values, soft, alpha=0.6, beta=0.3).sum().backward()
    assert soft.grad is None  # a target is data
    pairs = {"chosen": "ref_chosen", "rejected": "ref_rejected"} | {n: f"ref_{n}" for n in SCORES[4:8]}
    gradients = dict(zip(SCORES, (v.grad for v in values), strict=True))
    for name, ref in pairs.items():
        assert (gradients[name] != 0).all()
        torch.testing.assert_close(gradients[name], -gradients[ref])


def game(p, ref, ref_after, beta):
    """The game's solution in closed form: the generator (n,), and the improver (draft, revision)."""
    weights = ref_after * np.exp(p.T / beta)  # p[b, a]: b beats a
    z = weights.sum(axis=1)
    pi = ref / z
    return pi / pi.sum(), weights / z[:, None]


def minimum(p, ref, ref_after, behaviour, beta, alpha, soft):
    """The minimiser of the loss over all generators and improvers, pairs (w, l) drawn from the behaviour."""
    n = len(p)
    w, x = (torch.tensor(i) for i in zip(*product(range(n), repeat=2), strict=True))
    weight = torch.tensor(np.outer(behaviour, behaviour).flatten())
    prefer = torch.tensor(p.flatten())
    plain, after = torch.tensor(np.log(ref)), torch.tensor(np.log(ref_after))
    generator, improver = torch.zeros(n).double().requires_grad_(), torch.zeros(n, n).double().requires_grad_()
    search = torch.optim.LBFGS([generator, improver], max_iter=3000, tolerance_grad=1e-13, tolerance_change=1e-18,
                               history_size=30, line_search_fn="strong_wolfe")  # fmt: skip

    def closure():
        search.zero_grad()
        g, d = generator.log_softmax(0), improver.log_softmax(1)
        scores = (g[w], g[x], plain[w], plain[x], d[x, w], d[x, x], d[w, w], d[w, x],
                  after[x, w], after[x, x], after[w, w], after[w, x])  # fmt: skip
        if soft:
            total = (weight * srpo(*scores, prefer, alpha=alpha, beta=beta)).sum()
        else:  # a label of 1 as often as w beats l
            total = (weight * prefer * srpo(*scores, alpha=alpha, beta=beta)).sum()
        total.backward()
        return total

    search.step(closure)
    return generator.detach().softmax(0).numpy(), improver.detach().softmax(1).numpy()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_its_minimum_is_the_solution_of_the_game_whoever_wrote_the_pairs(seed, soft):
    """Five responses and an intransitive rater; the references of both prompts differ."""
    rng = np.random.default_rng(seed)
    p = np.triu(rng.uniform(0, 1, (5, 5)), 1)
    p = p + np.tril(1 - p.T, -1) + np.eye(5) / 2
    ref, ref_after = rng.dirichlet(np.ones(5) * 3), rng.dirichlet(np.ones(5) * 3, 5)
    wanted = game(p, ref, ref_after, 0.5)
    for behaviour in rng.dirichlet(np.ones(5) * 3, 2):
        found = minimum(p, ref, ref_after, behaviour, 0.5, 0.8, soft)
        for mine, theirs in zip(found, wanted, strict=True):
            assert np.abs(mine - theirs).max() < 1e-6


def test_no_generator_and_no_improver_does_better_in_the_game():
    """The closed form above is a saddle: a check of it by other policies, not by its own formula."""
    rng = np.random.default_rng(3)
    p = np.triu(rng.uniform(0, 1, (4, 4)), 1)
    p = p + np.tril(1 - p.T, -1) + np.eye(4) / 2
    ref, ref_after = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4), 4)

    def value(pi, improver):
        inner = (improver * (p.T - 0.5 * np.log(improver / ref_after))).sum(axis=1)
        return pi @ inner + 0.5 * pi @ np.log(pi / ref)

    pi, improver = game(p, ref, ref_after, 0.5)
    saddle = value(pi, improver)
    for _ in range(300):
        other = 0.9 * pi + 0.1 * rng.dirichlet(np.ones(4))
        better = 0.9 * improver + 0.1 * rng.dirichlet(np.ones(4), 4)
        assert value(pi, better) < saddle < value(other, improver)


@pytest.mark.parametrize("size", [1e3, 1e4])
def test_finite_at_extreme_log_ratios(size):
    scores = [x.requires_grad_() for x in at(size, -size, -size, size, size, size, dtype=torch.float32)]
    loss = srpo(*scores, beta=0.1)
    loss.sum().backward()
    assert loss.isfinite().all() and all(x.grad.isfinite().all() for x in scores)


def test_never_reduced_and_every_example_stands_alone():
    rng = np.random.default_rng(5)
    scores = [torch.tensor(rng.normal(-10, 2, 4)) for _ in SCORES]
    together = srpo(*scores, beta=0.2)
    assert together.shape == (4,)
    for i in range(4):
        torch.testing.assert_close(srpo(*(x[i : i + 1] for x in scores), beta=0.2), together[i : i + 1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"alpha": 1.2}, r"alpha=1.2 must lie in \[0, 1\]"),
        ({"alpha": float("nan")}, r"alpha=nan must lie in \[0, 1\]"),
        ({"beta": 0.0}, "beta=0.0 must be greater than 0"),
        ({"p": torch.tensor([0.5, 1.5])}, r"p=1.5 must lie in \[0, 1\]"),
        ({"p": torch.tensor([0.5, torch.nan])}, r"p=nan must lie in \[0, 1\]"),
        ({"p": torch.tensor([0.5])}, r"all arguments must have one shape, \(batch,\), but .* p \(1,\)"),
        ({"l_given_w": torch.zeros(2, 1)}, r"l_given_w \(2, 1\)"),
        ({"ref_w_given_l": 0.0}, "ref_w_given_l must be a tensor, but is a float"),
    ],
)
def test_bad_input_is_named(changed, message):
    good = {name: torch.zeros(2) for name in SCORES}
    with pytest.raises(ValueError, match=message):
        srpo(**(good | changed))
