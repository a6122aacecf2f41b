"""Training on pairs under three prompts: what the loss gets, in which order, and by both loops alike."""

from functools import partial

import pytest
import torch

from autodidact.losses import dpo, srpo
from autodidact.training import Pair, Run, extra_columns, train_preferences, train_revisions, with_drafts
from autodidact.training.pairs import loss_beta
from autodidact.training.revisions import _Together
from tests.shared.training.test_lean import assert_one_way

SETTINGS = {"batch_size": 6, "learning_rate": 1e-4, "seed": 11}
LOSS = partial(srpo, alpha=0.6, beta=0.2)


def revise(prompt, draft):
    return f"{prompt} w1 {draft} w2"


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


@pytest.fixture
def soft(pairs):
    return [Pair(q.prompt, q.chosen, q.rejected, {"p": q.columns["p_win"]}) for q in pairs]


def test_a_pair_stands_under_its_prompt_and_under_both_drafts():
    pair = Pair("x", "good", "bad", {"p": 0.8})
    assert with_drafts([pair], revise) == [
        pair, Pair("x w1 bad w2", "good", "bad", {"p": 0.8}), Pair("x w1 good w2", "good", "bad", {"p": 0.8}),
    ]  # fmt: skip


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_the_loss_gets_every_score_under_its_own_prompt(loop, policy, soft):
    """Against the policy's own scores of each text; pairs in the order in which plain pairs would come."""
    seen = []

    def loss(*scores, p):
        seen.append(([x.detach().clone() for x in scores], p))
        return srpo(*scores, p, beta=0.2)

    def twelve(a, b, c, d, e, f, g, h, i, j, k, m, p):  # noqa: PLR0917
        return loss(a, b, c, d, e, f, g, h, i, j, k, m, p=p)

    train_revisions(policy, soft, loss=twelve, revise=revise, steps=1, loop=loop, **SETTINGS)
    (scores, p), *_ = seen
    drawn = [soft[i] for i in Run(steps=1, **SETTINGS).order(len(soft))]
    w, x = [q.chosen for q in drawn], [q.rejected for q in drawn]
    after = {id(y): [revise(q.prompt, d) for q, d in zip(drawn, y, strict=True)] for y in (w, x)}
    plain = [q.prompt for q in drawn]
    asked = [(head, tail) for head in (plain, after[id(x)], after[id(w)]) for tail in (w, x)]
    wanted = [policy.sequence_logprobs(head, tail) for head, tail in asked]
    for mine, place in zip(scores, (0, 1, 0, 1, 2, 3, 4, 5, 2, 3, 4, 5), strict=True):  # the first step: pi is ref
        assert mine.tolist() == pytest.approx(wanted[place].tolist(), abs=2e-4)
    assert p.tolist() == pytest.approx([q.columns["p"] for q in drawn])


@pytest.mark.parametrize("columns", ["labels", "soft"])
def test_srpo_is_trained_as_trl_would(columns, policy, pairs, soft):
    some = pairs if columns == "labels" else soft
    assert_one_way(policy, partial(train_revisions, policy, some, loss=LOSS, revise=revise, steps=60, **SETTINGS), 3e-5)


def test_parts_of_a_batch_keep_pairs_together(policy, pairs):
    train = partial(train_revisions, policy, pairs, loss=LOSS, revise=revise, steps=5, **SETTINGS)
    (whole, _), (parts, _) = train(), train(gradient_accumulation=3)
    assert (weights(whole) - weights(parts)).abs().max() < 1e-5
    with pytest.raises(ValueError, match="gradient_accumulation=9 must divide"):
        train(gradient_accumulation=9)  # it would divide the three prompts of a pair


def test_a_loss_that_looks_at_plain_scores_only_is_plain_preference_training(policy, pairs):
    def plain(a, b, c, d, e, f, g, h, i, j, k, m):  # noqa: PLR0917
        return dpo(a, b, c, d, beta=0.3)

    mine, _ = train_revisions(policy, pairs, loss=plain, revise=revise, steps=8, **SETTINGS)
    theirs, _ = train_preferences(policy, pairs, loss=partial(dpo, beta=0.3), steps=8, **SETTINGS)
    way = (weights(theirs) - weights(policy)).norm()
    assert (weights(mine) - weights(theirs)).norm() < 1e-3 * way


def test_it_lowers_its_own_loss_and_leaves_the_policy_given_alone(policy, pairs):
    before = weights(policy)
    trained, log = train_revisions(
        policy, pairs, loss=LOSS, revise=revise, steps=60, **{**SETTINGS, "learning_rate": 1e-3}
    )
    assert log[0]["loss"] == pytest.approx(1 - 0.6 / 2, abs=1e-5)
    assert sum(row["loss"] for row in log[-4:]) < 0.2 * sum(row["loss"] for row in log[:4])
    assert torch.equal(weights(policy), before) and not torch.equal(weights(trained), before)


def test_a_loss_says_what_columns_it_wants():
    together = _Together(LOSS)
    assert extra_columns(together) == {"p": False} and loss_beta(together) == 0.2
    with pytest.raises(ValueError, match="loss dpo must take the 12 scores of a pair, as losses.srpo does"):
        _Together(dpo)
    reduced = _Together(lambda a, b, c, d, e, f, g, h, i, j, k, m: a.mean())
    with pytest.raises(ValueError, match=r"loss must return shape \(2,\), unreduced, not \(\)"):
        reduced(*[torch.zeros(6)] * 4)


def test_bad_input_is_named_before_anything_is_trained(policy, pairs, soft):
    train = partial(train_revisions, policy, revise=revise, **SETTINGS)
    with pytest.raises(ValueError, match=r"at=\[3\] must be steps of the run, 1 to 2"):
        train(pairs, loss=LOSS, steps=2, at=(3,))
    with pytest.raises(ValueError, match="there is nothing to train on"):
        train([], loss=LOSS, steps=2)
    with pytest.raises(ValueError, match=r"pairs\[3\] needs a finite column p"):
        train([soft[0], Pair("w3", "w4", "w5", {"p": float("nan")})], loss=LOSS, steps=2)
    with pytest.raises(ValueError, match="leaves no room"):
        train(pairs, loss=LOSS, steps=2, max_length=6)
