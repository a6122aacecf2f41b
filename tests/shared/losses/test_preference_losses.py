import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from autodidact.losses import dpo, hinge, ipo, spin, sppo, sppo_linearised

KINDS = ("logistic", "hinge", "exponential", "correlation")
PAIRWISE = {"dpo": dpo, "ipo": ipo, "hinge": hinge, **{f"spin-{kind}": partial(spin, kind=kind) for kind in KINDS}}
PROBABILISTIC = {"sppo": sppo, "sppo_linearised": sppo_linearised}
ALL = {**PAIRWISE, **PROBABILISTIC}
NAMES = ("chosen", "rejected", "ref_chosen", "ref_rejected", "p_win", "p_lose")


def tensors(name: str, batch: int = 5, seed: int = 0, scale: float = 3.0, dtype: torch.dtype = torch.float64) -> list:
    """Random arguments of a loss: log-probabilities around -10 nats, then probabilities."""
    rng = np.random.default_rng(seed)
    logps = [torch.tensor(rng.normal(-10, scale, batch), dtype=dtype) for _ in range(4)]
    columns = [torch.tensor(rng.uniform(0, 1, batch), dtype=dtype) for _ in range(2)]
    return logps + (columns if name in PROBABILISTIC else [])


def at(win: float, lose: float, *columns: float, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    """Arguments with the log-ratios h_w = win and h_l = lose."""
    values = (win - 7.0, lose - 9.0, -7.0, -9.0, *columns)
    return [torch.tensor([value], dtype=dtype) for value in values]


# log-ratios h_w = 2 and h_l = -1 throughout: a difference of 3 nats
@pytest.mark.parametrize(
    ("loss", "columns", "expected"),
    [
        (partial(dpo, beta=0.5), (), math.log(1 + math.exp(-1.5))),
        (partial(dpo, beta=0.5, label_smoothing=0.25), (), math.log(1 + math.exp(-1.5)) + 0.25 * 1.5),
        (partial(ipo, beta=0.25), (), 1.0),  # (3 - 2)^2
        (partial(hinge, beta=0.1), (), 0.7),
        (partial(hinge, beta=0.5), (), 0.0),
        (partial(sppo, beta=0.1), (0.8, 0.3), 1.0),  # targets 3 and -2: (1 + 1) / 2
        (partial(sppo, beta=0.1, terms="sum"), (0.8, 0.3), 2.0),
        (partial(sppo, beta=0.1, log_z=0.4), (0.8, 0.3), 2.0),  # targets 4 and -1: (4 + 0) / 2
        (partial(sppo, beta=0.5), (1.0, 0.0), 0.5),  # the hard form, targets 1 and -1: (1 + 0) / 2
        (sppo, (0.501, 0.498), 1.0),  # the default beta 0.001: targets 1 and -2: (1 + 1) / 2
        (partial(sppo_linearised, beta=0.1), (0.8, 0.3), -8.0),  # -(0.3 * 2 + 0.2 * 1) / 0.1
        (partial(spin, beta=0.5), (), math.log(1 + math.exp(-1.5))),
        (partial(spin, beta=0.1, kind="hinge"), (), 0.7),
        (partial(spin, beta=0.5, kind="exponential"), (), math.exp(-1.5)),
        (partial(spin, beta=0.5, kind="correlation"), (), -0.5),
    ],
)
def test_values_worked_by_hand(loss, columns, expected):
    assert loss(*at(2.0, -1.0, *columns)).item() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_gradient_raises_chosen_lowers_rejected_and_leaves_reference_its_mirror(name):
    arguments = [value.requires_grad_() for value in at(0.1, -0.1, *((0.9, 0.2) if name in PROBABILISTIC else ()))]
    ALL[name](*arguments).sum().backward()
    chosen, rejected, ref_chosen, ref_rejected = (value.grad.item() for value in arguments[:4])
    assert chosen < 0 < rejected
    assert ref_chosen == pytest.approx(-chosen) and ref_rejected == pytest.approx(-rejected)


@pytest.mark.parametrize("name", ALL)
def test_gradient_agrees_with_finite_differences(name):
    arguments = tensors(name, batch=3, scale=0.5)
    shape = (len(arguments), 3)

    def value(flat):
        return ALL[name](*torch.tensor(flat).view(shape)).sum().item()

    def gradient(flat):
        leaf = torch.tensor(flat, requires_grad=True)
        ALL[name](*leaf.view(shape)).sum().backward()
        return leaf.grad.numpy()

    start = torch.stack(arguments).flatten().numpy()
    size = np.abs(gradient(start)).max()
    assert check_grad(value, gradient, start, epsilon=1e-6) < 1e-4 * max(size, 1)


@pytest.mark.parametrize("name", ALL)
def test_gradcheck(name):
    beta = 0.1  # sppo's default of 0.001 has losses of 1e5, whose differences lose digits
    arguments = [value.requires_grad_() for value in tensors(name, batch=3, scale=0.5)]
    assert torch.autograd.gradcheck(partial(ALL[name], beta=beta), arguments)


@pytest.mark.parametrize("p_win, p_lose", [(0.9, 0.2), (0.5, 0.5), (1.0, 0.0)])
def test_sppo_is_stationary_and_zero_at_the_exponential_weights(p_win, p_lose):
    beta = 0.1
    arguments = at((p_win - 0.5) / beta, (p_lose - 0.5) / beta, p_win, p_lose)
    leaves = [value.requires_grad_() for value in arguments[:2]]
    loss = sppo(*leaves, *arguments[2:], beta=beta)
    loss.sum().backward()
    assert loss.item() == pytest.approx(0, abs=1e-20)
    assert all(leaf.grad.item() == pytest.approx(0, abs=1e-12) for leaf in leaves)


@pytest.mark.parametrize("loss", [dpo, partial(dpo, label_smoothing=0.3), spin])
def test_logistic_losses_are_log_two_at_the_reference(loss):
    assert loss(*at(0.0, 0.0)).item() == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_spin_pushes_nowhere_once_the_policy_is_the_data(kind):
    """Table of five responses: real and generated are both drawn from p_data = p_t, the expectation taken exactly."""
    logits = torch.tensor([0.3, -1.2, 2.0, 0.0, 0.7], dtype=torch.float64, requires_grad=True)
    data = torch.softmax(logits, 0).detach()
    logps = torch.log_softmax(logits, 0)
    real, generated = (index.flatten() for index in torch.meshgrid(torch.arange(5), torch.arange(5), indexing="ij"))
    losses = spin(logps[real], logps[generated], data.log()[real], data.log()[generated], beta=1.0, kind=kind)
    (data[real] * data[generated] * losses).sum().backward()
    assert logits.grad.abs().max().item() < 1e-12


def test_spin_pushes_towards_the_data_elsewhere():
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    data, logps = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64), torch.log_softmax(logits, 0)
    real, generated = (index.flatten() for index in torch.meshgrid(torch.arange(3), torch.arange(3), indexing="ij"))
    reference = logps.detach()
    losses = spin(logps[real], logps[generated], reference[real], reference[generated])
    (data[real] / 3 * losses).sum().backward()
    # d/dt log(1 + e^-t) = -1/2 at t = 0, so the descent direction is lambda / 2 (p_data - p_t), by hand
    assert (-logits.grad).tolist() == pytest.approx((0.05 * (data - 1 / 3)).tolist())


def test_the_linearised_loss_has_the_gradient_of_sppo_at_the_reference():
    p_win, p_lose = torch.tensor([0.9, 0.4]), torch.tensor([0.2, 0.1])
    gradients = []
    for loss in (sppo, sppo_linearised):
        leaves = [torch.full((2,), -8.0, requires_grad=True) for _ in range(2)]
        loss(*leaves, *(leaf.detach() for leaf in leaves), p_win, p_lose, beta=0.01).sum().backward()
        gradients.append(torch.cat([leaf.grad for leaf in leaves]))
    torch.testing.assert_close(*gradients)


def test_spin_logistic_is_dpo_and_spin_hinge_is_hinge():
    arguments = tensors("dpo")
    assert torch.equal(spin(*arguments, beta=0.3), dpo(*arguments, beta=0.3))
    assert torch.equal(spin(*arguments, beta=0.3, kind="hinge"), hinge(*arguments, beta=0.3))


@pytest.mark.parametrize("size", [1e3, -1e3, 1e4, -1e4])
@pytest.mark.parametrize("name", [name for name in ALL if name != "spin-exponential"])
def test_finite_at_extreme_log_ratios(name, size):
    columns = (0.9, 0.2) if name in PROBABILISTIC else ()
    for win, lose in [(size, -size), (size, size), (0.0, size)]:
        arguments = [value.requires_grad_() for value in at(win, lose, *columns, dtype=torch.float32)]
        loss = ALL[name](*arguments)
        loss.sum().backward()
        assert loss.isfinite().all()
        assert all(value.grad.isfinite().all() for value in arguments)


def test_the_exponential_kind_overflows_where_its_docstring_says():
    loss = partial(spin, beta=1.0, kind="exponential")
    assert loss(*at(-44.0, 44.0, dtype=torch.float32)).isfinite().all()
    assert loss(*at(-45.0, 45.0, dtype=torch.float32)).isinf().all()
    assert loss(*at(-354.0, 354.0)).isfinite().all() and loss(*at(-355.0, 355.0)).isinf().all()
    assert loss(*at(1e4, -1e4, dtype=torch.float32)).item() == 0


MOVES = [
    *[(name, {"beta": 0.1}, {"beta": 0.2}) for name in ALL],
    ("dpo", {"label_smoothing": 0.0}, {"label_smoothing": 0.2}),
    ("sppo", {"log_z": 0.5}, {"log_z": 0.3}),
    ("sppo", {"terms": "mean"}, {"terms": "sum"}),
    *[("spin-logistic", {"kind": "logistic"}, {"kind": kind}) for kind in KINDS[1:]],
]


@pytest.mark.parametrize(("name", "before", "after"), MOVES)
def test_each_hyper_parameter_moves_the_result(name, before, after):
    arguments = tensors(name, scale=1.0)
    assert (ALL[name](*arguments, **before) != ALL[name](*arguments, **after)).all()


def test_no_hyper_parameter_is_left_out_of_the_test_above():
    import inspect

    keywords = {
        (loss.__name__, p.name)
        for loss in (dpo, ipo, hinge, sppo, sppo_linearised, spin)
        for p in inspect.signature(loss).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }
    assert keywords == {(name.partition("-")[0], key) for name, before, _ in MOVES for key in before}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.integers(0, 9), st.integers(0, 2**31))
def test_never_reduced_and_every_example_stands_alone(name, batch, seed):
    arguments = tensors(name, batch, seed)
    result = ALL[name](*arguments)
    assert result.shape == (batch,)
    for row in range(batch):
        alone = ALL[name](*(value[row : row + 1] for value in arguments))
        assert alone.item() == pytest.approx(result[row].item(), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.integers(2, 9), st.data())
def test_a_column_vector_is_refused_by_name(name, batch, data):
    arguments = tensors(name, batch)
    which = data.draw(st.integers(0, len(arguments) - 1))
    arguments[which] = arguments[which][:, None]
    with pytest.raises(ValueError, match=rf"{NAMES[which]} \({batch}, 1\)"):
        ALL[name](*arguments)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("beta", [0.0, -0.1, math.nan])
def test_beta_must_be_positive(name, beta):
    with pytest.raises(ValueError, match="beta="):
        ALL[name](*tensors(name), beta=beta)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dpo(*tensors("dpo"), label_smoothing=0.7), r"label_smoothing=0\.7"),
        (lambda: sppo(*tensors("sppo"), terms="max"), "terms='max'"),
        (lambda: spin(*tensors("dpo"), kind="cubic"), "kind='cubic' is unknown; known are logistic"),
        (lambda: sppo(*tensors("sppo")[:5], 0.2), "p_lose must be a tensor, but is a float"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
