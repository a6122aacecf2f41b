"""STIC's loss against its closed form, finite differences, and TRL's pieces."""

import math

import pytest
import torch

from autodidact.losses import dpo, stic


def batch(seed=0, n=6):
    generator = torch.Generator().manual_seed(seed)
    return [-20 * torch.rand(n, generator=generator, dtype=torch.float64) for _ in range(4)]


@pytest.mark.parametrize(("beta", "alpha"), [(0.1, 1 / 1024), (0.5, 0.067), (2.0, 1.0)])
def test_closed_form(beta, alpha):
    chosen, rejected, ref_chosen, ref_rejected = batch()
    losses = stic(chosen, rejected, ref_chosen, ref_rejected, beta=beta, alpha=alpha)
    for i, loss in enumerate(losses.tolist()):
        t = beta * (float(chosen[i] - ref_chosen[i]) - float(rejected[i] - ref_rejected[i]))
        assert loss == pytest.approx(math.log(1 + math.exp(-t)) - alpha * float(chosen[i]), rel=1e-12)


def test_defaults_are_the_released_constants_and_agreement_gives_log_two():
    chosen = torch.tensor([-1024.0, -512.0])
    assert torch.allclose(stic(chosen, chosen - 1, chosen, chosen - 1), math.log(2) + torch.tensor([1.0, 0.5]))
    one = batch(3)
    assert torch.equal(stic(*one), stic(*one, beta=0.1, alpha=1 / 1024))


def test_alpha_zero_is_dpo():
    one = batch(1)
    assert torch.equal(stic(*one, beta=0.3, alpha=0.0), dpo(*one, beta=0.3))


def test_gradient_is_that_of_the_docstring_and_of_finite_differences():
    chosen, rejected, ref_chosen, ref_rejected = batch(2)
    chosen.requires_grad_(), rejected.requires_grad_()
    beta, alpha, step = 0.4, 0.07, 1e-6
    stic(chosen, rejected, ref_chosen, ref_rejected, beta=beta, alpha=alpha).sum().backward()
    with torch.no_grad():
        t = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
        assert torch.allclose(chosen.grad, -(beta * torch.sigmoid(-t) + alpha))
        up, down = (stic(chosen + d, rejected, ref_chosen, ref_rejected, beta=beta, alpha=alpha) for d in (step, -step))
        assert torch.allclose(chosen.grad, (up - down) / (2 * step), atol=1e-6)
        assert torch.allclose(rejected.grad, beta * torch.sigmoid(-t))


def test_wrong_arguments_are_named():
    one = batch()
    for options, name in (({"alpha": -0.1}, "alpha=-0.1"), ({"alpha": math.nan}, "alpha=nan"), ({"beta": 0.0}, "beta")):
        with pytest.raises(ValueError, match=name):
            stic(*one, **options)
    with pytest.raises(ValueError, match="shape"):
        stic(one[0][:2], *one[1:])
