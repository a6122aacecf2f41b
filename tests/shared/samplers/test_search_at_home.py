"""RAIN by one call: the example of the reference, and what it is made of."""

from functools import partial

import numpy as np
import pytest

from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from autodidact.samplers import PrefixCache, SearchSettings, Task, rain, surroundings, tree_search
from autodidact.samplers.rain import ends_clause
from tests.shared.toy_world import WORDS, ToyWorld

QUICK = SearchSettings(rounds=8, rounds_after_commit=2, children=4, max_tokens=6)
PROMPTS = [f"say {word} :" for word in WORDS[:4]]


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=32))


def test_example_of_the_reference(policy):
    def judge(prompt, answer):  # -1 is bad, 1 is good; here: say nothing of foxes
        return -1.0 if "fox" in answer else 1.0

    settings = SearchSettings(rounds=8, rounds_after_commit=2, children=4, max_tokens=6)
    answers = rain(policy, ["say fox :", "say please bee :"], judge, settings, rng=np.random.default_rng(0))
    assert [len(answer.tokens) <= 6 for answer in answers] == [True, True]
    assert not any("fox" in answer.text for answer in answers)
    assert all(answer.generated > len(answer.tokens) and answer.judged for answer in answers)


def likes_cats(sign, prompt, answer):
    return sign if "cat" in answer else -sign


def test_the_judge_is_followed(policy):
    """The same seeds with opposite judges: as often as not a plain policy says the word."""
    says = {}
    for sign in (1, -1):
        judge = partial(likes_cats, sign)
        found = rain(policy, PROMPTS * 4, judge, QUICK, rng=np.random.default_rng(1))
        says[sign] = np.mean(["cat" in f.text for f in found])
    assert says[1] > says[-1] + 0.5


def test_it_is_the_search_with_the_defaults_filled_in(policy):
    def judge(prompt, text):
        return 1.0 if prompt.split()[1] in text else -0.5

    found = rain(policy, PROMPTS, judge, QUICK, rng=np.random.default_rng(2))
    seeds = np.random.default_rng(2).integers(2**63, size=len(PROMPTS))
    tasks = [
        Task(tuple(policy.encode(x)), QUICK, np.random.default_rng(s)) for x, s in zip(PROMPTS, seeds, strict=True)
    ]
    weights = policy.model.get_input_embeddings().weight.detach().numpy()

    def embed(texts):
        means = np.stack([weights[list(text)].mean(axis=0) for text in texts])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    colon = policy.tokenizer.get_vocab()[":"]
    by_hand = tree_search(
        PrefixCache(policy),
        tasks,
        lambda items: [judge(PROMPTS[i], text) for i, text in items],
        decode=policy.decode,
        embed=embed,
        ends=policy.ends,
        stops=frozenset({colon}),
    )
    assert found == by_hand
    batched = rain(
        policy, PROMPTS, lambda pairs: [judge(*p) for p in pairs], QUICK, rng=np.random.default_rng(2), batched=True
    )
    assert batched == found


def test_stops_and_embedding_can_be_given(policy):
    mine = surroundings(policy, stops=lambda text: text == "fox", embed=len)
    assert mine["stops"] == {policy.tokenizer.get_vocab()["fox"]}
    assert mine["embed"] is len
    assert surroundings(policy)["embed"]([(), (5,)])[0].tolist() == [0.0] * 32
    assert [ends_clause(text) for text in (" so, ", "end.", "a\n", "word", "", "3.5")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("score", [float("nan"), 2.0, -1.5])
def test_scores_out_of_range_are_refused(policy, score):
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\]"):
        rain(policy, PROMPTS[:1], lambda x, y: score, QUICK, rng=np.random.default_rng(0))
