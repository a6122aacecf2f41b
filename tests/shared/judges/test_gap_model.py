"""The gap reward model learns gaps, by both loops alike; its measures against values by hand."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from autodidact.judges import GapModel, antisymmetry_error, reference_sensitivity, self_gap_spread, train_gap_model
from autodidact.judges.gap_model import gap_rows
from autodidact.losses import pit_gap
from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from tests.shared.toy_world import ToyWorld, comparisons


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=32))


@pytest.fixture(scope="module")
def judge(policy):
    before = {name: value.clone() for name, value in policy.model.state_dict().items()}
    judge = train_gap_model(policy, comparisons(200, 0), steps=120, batch_size=16, learning_rate=1e-2, seed=1)
    assert all(torch.equal(value, before[name]) for name, value in policy.model.state_dict().items())
    return judge


def test_it_learns_all_five_relations(judge):
    pairs = comparisons(60, 1)
    prompts, texts = [p.prompt for p in pairs], {"w": [p.chosen for p in pairs], "l": [p.rejected for p in pairs]}
    gaps = {a + b: judge.gaps(prompts, texts[a], texts[b]) for a in "wl" for b in "wl"}
    for more, less in (("wl", "ww"), ("wl", "ll"), ("wl", "lw"), ("ww", "lw"), ("ll", "lw")):
        assert (gaps[more] > gaps[less]).mean() > 0.9
    prompt = ToyWorld().prompts(1, np.random.default_rng(2))[0]
    p, q = judge.probability(prompt, "ant ant", "bee"), judge.probability(prompt, "bee", "ant ant")
    assert p + q == pytest.approx(1, abs=1e-6)
    difference = judge.gap(prompt, "ant ant", "bee") - judge.gap(prompt, "bee", "ant ant")
    assert p == pytest.approx(1 / (1 + np.exp(-difference)), abs=1e-5)


def test_order_of_a_batch_and_padding_change_nothing(judge):
    prompts = ["say please please please ant :", "say bee :"]
    both = judge.gaps(prompts, ["ant ant", "bee"], ["bee", "cat cat cat cat"], batch_size=2)
    alone = [judge.gaps(prompts[i : i + 1], [["ant ant", "bee"][i]], [["bee", "cat cat cat cat"][i]]) for i in (0, 1)]
    assert both == pytest.approx(np.concatenate(alone), abs=1e-5)


def test_rows_are_prompt_candidate_reference_cut_alike(policy):
    one, two = policy.encode_responses(["ant ant ant", "bee"])
    head = policy.encode("say ant :")
    assert gap_rows(policy, ["say ant :"], ["ant ant ant"], ["bee"]) == [head + one + two]
    assert gap_rows(policy, ["say ant :"], ["ant ant ant"], ["bee"], max_response=2) == [head + one[:2] + two]


@pytest.mark.parametrize("loss", [pit_gap, partial(pit_gap, relations=["wl>lw"], terms="mean")])
def test_both_loops_take_the_same_way(policy, loss):
    how = {"loss": loss, "steps": 20, "batch_size": 8, "learning_rate": 1e-3, "seed": 3}
    models = [train_gap_model(policy, comparisons(40, 0), loop=loop, **how).model for loop in ("lean", "trl")]
    lean, trl = (torch.cat([w.flatten() for w in model.state_dict().values()]) for model in models)
    torch.testing.assert_close(lean, trl, rtol=0, atol=1e-5)


def test_bad_arguments_are_named(policy):
    with pytest.raises(ValueError, match="pairs is empty"):
        train_gap_model(policy, [], steps=1)
    with pytest.raises(ValueError, match="steps"):
        train_gap_model(policy, comparisons(2, 0), steps=0)


def test_measures_by_hand():
    rng = np.random.default_rng(0)
    r, s = rng.normal(0, 1, (2, 2000))
    assert self_gap_spread(r - r, r - s) == 0
    assert self_gap_spread(r, r) == pytest.approx(1)
    assert antisymmetry_error(r - s, s - r) == pytest.approx(0, abs=1e-12)
    assert antisymmetry_error([1.0, -1.0], [1.0, -1.0]) == pytest.approx(2)  # symmetric: the opposite
    assert antisymmetry_error(r, s) == pytest.approx(np.sqrt(np.mean((r + s) ** 2)) / r.std())
    gaps, gold = rng.normal(0, 1, (2, 3, 7))
    assert reference_sensitivity(-gold, gold) == pytest.approx(1)
    wanted = np.mean([spearmanr(gaps[i], -gold[i]).statistic for i in range(3)])
    assert reference_sensitivity(gaps, gold) == pytest.approx(wanted)
    assert reference_sensitivity(np.repeat(r[:3, None], 7, 1), gold) == 0  # a reward of the candidate alone
    for wrong, message in (((r, s[:5]), "one shape"), (([2.0, 2.0], [1.0, 1.0]), "no spread")):
        with pytest.raises(ValueError, match=message):
            antisymmetry_error(*wrong)
    with pytest.raises(ValueError, match="self_gaps"):
        self_gap_spread([np.nan], [1.0])


def test_a_gap_that_is_no_number_is_named(policy, judge):
    broken = GapModel(judge.model, policy)
    with torch.no_grad():
        weight = broken.model.score.weight.clone()
        broken.model.score.weight.fill_(torch.nan)
        with pytest.raises(ValueError, match="NaN"):
            broken.gaps(["say ant :"], ["ant"], ["bee"])
        broken.model.score.weight.copy_(weight)
