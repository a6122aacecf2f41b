import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit

from autodidact.losses import pit_gap
from autodidact.losses.gap import PIT_RELATIONS

ORDER = ("wl", "ww", "ll", "lw")


def gaps(seed=0, n=5):
    return [torch.tensor(column) for column in np.random.default_rng(seed).normal(0, 2, (4, n))]


def test_values_worked_by_hand():
    loss = pit_gap(*(torch.tensor([value], dtype=torch.float64) for value in (3.0, 1.0, 0.0, -1.0)))
    differences = (2, 3, 4, 2, 1)  # wl-ww, wl-ll, wl-lw, ww-lw, ll-lw
    assert loss.shape == (1,)
    assert loss.item() == pytest.approx(sum(math.log(1 + math.exp(-d)) for d in differences), rel=1e-12)
    equal = [torch.zeros(2)] * 4
    assert pit_gap(*equal).tolist() == pytest.approx([5 * math.log(2)] * 2)
    assert pit_gap(*equal, terms="mean").tolist() == pytest.approx([math.log(2)] * 2)


def test_gradient_is_written_out_and_agrees_with_finite_differences():
    leaves = [gap.requires_grad_() for gap in gaps()]
    pit_gap(*leaves).sum().backward()
    wl, ww, ll, lw = (leaf.detach().numpy() for leaf in leaves)
    names = (("wl", "ww"), ("wl", "ll"), ("wl", "lw"), ("ww", "lw"), ("ll", "lw"))
    value = dict(zip(ORDER, (wl, ww, ll, lw), strict=True))
    pull = {f"{a},{b}": expit(-(value[a] - value[b])) for a, b in names}
    wanted = [
        -pull["wl,ww"] - pull["wl,ll"] - pull["wl,lw"],
        pull["wl,ww"] - pull["ww,lw"],
        pull["wl,ll"] - pull["ll,lw"],
        pull["wl,lw"] + pull["ww,lw"] + pull["ll,lw"],
    ]
    for leaf, gradient in zip(leaves, wanted, strict=True):
        assert leaf.grad.numpy() == pytest.approx(gradient, abs=1e-12)
    assert torch.autograd.gradcheck(pit_gap, leaves)


@pytest.mark.parametrize("relation", PIT_RELATIONS)
def test_a_single_term_is_bradley_terry_of_its_two_gaps(relation):
    given = gaps(1)
    more, less = (given[ORDER.index(name)].numpy() for name in relation.split(">"))
    assert pit_gap(*given, relations=relation).numpy() == pytest.approx(-np.log(expit(more - less)), rel=1e-12)
    assert torch.equal(pit_gap(*given, relations=[relation]), pit_gap(*given, relations=relation, terms="mean"))


def test_the_five_terms_add_up_to_the_loss():
    given = gaps(2)
    single = sum(pit_gap(*given, relations=[relation]) for relation in PIT_RELATIONS)
    torch.testing.assert_close(pit_gap(*given), single)
    torch.testing.assert_close(pit_gap(*given, terms="mean"), single / 5)


def test_an_ordinary_reward_of_the_candidate_fulfils_the_plain_loss_alone():
    """g = r(candidate): plain goes to 0 with the scale of r, of the five terms wl>ww and ll>lw stay at log 2."""
    w, lo = torch.full((1,), 50.0), torch.full((1,), -50.0)
    assert pit_gap(w, w, lo, lo, relations=["wl>lw"]).item() == pytest.approx(0, abs=1e-12)
    assert pit_gap(w, w, lo, lo).item() == pytest.approx(2 * math.log(2))


def test_a_difference_of_rewards_fulfils_all_five():
    w, lo = torch.full((1,), 25.0), torch.full((1,), -25.0)
    assert pit_gap(w - lo, w - w, lo - lo, lo - w).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("relations", [[], ["ww>wl"], ["wl>lw", "wl>lw"], "plain"])
def test_unknown_relations_are_named(relations):
    with pytest.raises(ValueError, match="must be some of wl>ww, wl>ll, wl>lw, ww>lw, ll>lw, each once"):
        pit_gap(*gaps(), relations=relations)


def test_other_bad_arguments_are_named():
    one = gaps()
    with pytest.raises(ValueError, match="terms='max'"):
        pit_gap(*one, terms="max")
    with pytest.raises(ValueError, match=r"g_ll \(5, 1\)"):
        pit_gap(one[0], one[1], one[2][:, None], one[3])
    assert partial(pit_gap, relations=["wl>lw"])(*one).shape == (5,)
