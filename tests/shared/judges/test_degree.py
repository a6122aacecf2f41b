"""The degree head: what it removes and pools, and that it touches the policy through the gradient alone."""

from functools import partial

import numpy as np
import pytest
import torch

from autodidact.judges import DegreeHead, degree_accuracy, degree_draws, train_with_degree
from autodidact.judges.degree import removed, shown
from autodidact.losses import dpo
from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from autodidact.training import Pair, train_preferences
from tests.shared.toy_world import WORDS, ToyWorld

RUN = {"steps": 12, "batch_size": 8, "learning_rate": 1e-3, "seed": 5}
LOSS = partial(dpo, beta=0.1)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=32))


@pytest.fixture(scope="module")
def pairs():
    """Four words each; the important ones are those that differ from "ant", and stand at chance places."""
    rng = np.random.default_rng(0)

    def text():
        return " ".join(rng.permutation(["ant", "ant", *rng.choice(WORDS[1:], 2)]))

    return [Pair(prompt.text, text(), text()) for prompt in ToyWorld().prompts(48, rng)]


@pytest.fixture(scope="module")
def ranked(pairs):
    def important(text):
        return [i for i, word in enumerate(text.split()) if word != "ant"]

    return [(important(pair.chosen), important(pair.rejected)) for pair in pairs]


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


def test_degrees_by_hand():
    assert [removed([4, 1, 7, 2], k, 3) for k in range(3)] == [[], [4, 1], [4, 1, 7, 2]]
    assert [removed([4, 1, 7], k, 3) for k in range(3)] == [[], [4], [4, 1, 7]]
    assert shown(4, 3) == shown(2, 3) == [0, 1, 2]
    assert shown(1, 3) == [0, 2] and shown(0, 3) == [0] and shown(2, 5) == [0, 2, 4]
    with pytest.raises(ValueError, match="k=3 is no degree: with K=3"):
        removed([1], 3, 3)


@pytest.mark.parametrize("options", [{}, {"neutral": 3}, {"form": "states"}])
def test_logits_are_the_mean_state_of_what_is_kept(policy, options):
    """Row by row, without padding, by a plain forward pass of the body."""
    head = DegreeHead(32, 3, seed=1, **options)
    prompt, tail = policy.encode("say ant :"), policy.encode_response("ant bee cat dog")
    rows = [(prompt, tail, [1, 3]), (prompt + prompt, tail[:2], []), (prompt, tail, [0])]
    for mine, (x, y, gone) in zip(head(policy.model, rows), rows, strict=True):
        kept = [i for i in range(len(y)) if i not in gone]
        if options.get("form") == "states":
            text, places = y, kept
        elif "neutral" in options:
            text, places = [3 if i in gone else token for i, token in enumerate(y)], kept
        else:
            text, places = [y[i] for i in kept], range(len(kept))
        with torch.no_grad():
            states = policy.model.model(torch.tensor([x + text])).last_hidden_state[0, len(x) :]
            wanted = head.linear(states[list(places)].mean(0))
        torch.testing.assert_close(mine.detach(), wanted, rtol=1e-4, atol=1e-5)


def test_draws_are_uniform_over_what_is_shown_and_the_same_for_all_arms(policy, pairs, ranked):
    arguments = ([p.prompt for p in pairs], [p.chosen for p in pairs], [both[0] for both in ranked])
    one, other = (degree_draws(policy, *arguments, K=3, seed=1, shuffled=shuffled) for shuffled in (False, True))
    degrees, told = [], []
    for _ in range(40):
        texts, k = one.draw(range(len(pairs)))
        same, wrong = other.draw(range(len(pairs)))
        assert texts == same
        assert [len(gone) for _, _, gone in texts] == k.tolist()  # two important words: one a degree
        assert sorted(wrong.tolist()) == sorted(k.tolist())
        degrees += k.tolist()
        told += wrong.tolist()
    assert np.bincount(degrees) / len(degrees) == pytest.approx([1 / 3] * 3, abs=0.05)
    assert np.corrcoef(degrees, told)[0, 1] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_frozen_it_leaves_the_policy_bit_for_bit_and_learns(policy, pairs, ranked, loop):
    plain, _ = train_preferences(policy, pairs, loss=LOSS, loop=loop, **RUN)
    how = {"loss": LOSS, "gamma": 1.0, "head_rate": 1e-2, "loop": loop, **RUN}
    frozen, head, log = train_with_degree(policy, pairs, ranked, frozen=True, **how)
    assert torch.equal(weights(frozen), weights(plain))
    fresh = DegreeHead(32, 3, seed=RUN["seed"])
    assert not torch.equal(head.linear.weight, fresh.linear.weight)
    assert log[0]["degree/chosen"] == pytest.approx(np.log(3), abs=0.3)
    free, _, _ = train_with_degree(policy, pairs, ranked, **how)
    assert (weights(free) - weights(plain)).abs().max() > 1e-4


def test_both_loops_take_the_same_way(policy, pairs, ranked):
    how = {"loss": LOSS, "gamma": 0.3, **{**RUN, "learning_rate": 1e-4}}
    ends = [train_with_degree(policy, pairs, ranked, loop=loop, **how) for loop in ("lean", "trl")]
    torch.testing.assert_close(weights(ends[0][0]), weights(ends[1][0]), rtol=0, atol=1e-5)
    torch.testing.assert_close(ends[0][1].linear.weight, ends[1][1].linear.weight, rtol=0, atol=1e-5)
    for name in ("loss", "degree/chosen", "degree/rejected"):
        assert [row[name] for row in ends[0][2]] == pytest.approx([row[name] for row in ends[1][2]], abs=1e-4)


def test_the_head_learns_degrees_and_not_shuffled_ones(policy, pairs, ranked):
    how = {"loss": LOSS, "gamma": 1.0, "head_rate": 1e-2, **{**RUN, "steps": 60}}
    arguments = ([p.prompt for p in pairs], [p.chosen for p in pairs], [both[0] for both in ranked])
    held_out = partial(degree_draws, policy, *arguments, K=3, seed=999)
    accuracy = {}
    for shuffled in (False, True):
        trained, head, _ = train_with_degree(policy, pairs, ranked, shuffled=shuffled, **how)
        accuracy[shuffled] = np.mean([degree_accuracy(trained, head, held_out()) for _ in range(1)])
    assert accuracy[False] > 0.8
    assert accuracy[True] < 0.6


def test_sides_and_gamma_weigh_what_is_added(policy, pairs, ranked):
    how = {"loss": LOSS, **{**RUN, "steps": 1}}
    logs = [train_with_degree(policy, pairs, ranked, gamma=gamma, **how)[2][0] for gamma in (1.0, 0.25, 0.0)]
    assert logs[1]["degree/rejected"] == pytest.approx(logs[0]["degree/rejected"] / 4, rel=1e-5)
    assert logs[2]["loss"] == pytest.approx(np.log(2), abs=1e-5)
    assert logs[0]["loss"] == pytest.approx(np.log(2) + logs[0]["degree/chosen"] + logs[0]["degree/rejected"], abs=1e-5)
    one = train_with_degree(policy, pairs, ranked, gamma=1.0, sides=["rejected"], **how)[2][0]
    assert "degree/chosen" not in one and one["degree/rejected"] == pytest.approx(logs[0]["degree/rejected"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": -1.0}, "gamma=-1.0"),
        ({"K": 1}, "K=1 must be at least 2"),
        ({"sides": ["both"]}, "sides"),
        ({"form": "words"}, "form='words'"),
        ({"form": "states", "neutral": 3}, "neutral=3"),
    ],
)
def test_bad_arguments_are_named(policy, pairs, ranked, options, message):
    with pytest.raises(ValueError, match=message):
        train_with_degree(policy, pairs, ranked, loss=LOSS, **RUN, **options)


def test_bad_positions_are_named(policy, pairs, ranked):
    with pytest.raises(ValueError, match="ranked has 1 entries for 48 pairs"):
        train_with_degree(policy, pairs, ranked[:1], loss=LOSS, **RUN)
    with pytest.raises(ValueError, match=r"ranked\[0\]=\[9\] must be different positions of its 5 tokens"):
        train_with_degree(policy, pairs, [([9], [])] + ranked[1:], loss=LOSS, **RUN)
    with pytest.raises(ValueError, match="cannot be removed"):
        DegreeHead(32, 3)(policy.model, [([4], [5, 6], [0, 1])])
