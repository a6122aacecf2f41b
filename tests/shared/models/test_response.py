"""A sampled answer keeps its tokens: what was written is what is scored and trained."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest

from autodidact.bases import load_policy
from autodidact.lab.kept import key_of
from autodidact.losses import dpo
from autodidact.models import BegunPolicy, Response, TinyBase
from autodidact.models.response import is_whole, tokens_key
from autodidact.models.tiny import new_tiny
from autodidact.samplers import extreme_pairs
from autodidact.training import Pair, Run, train_preferences, train_supervised, whole_pairs
from autodidact.training.pairs import pair_rows
from tests.hub import QUESTION
from tests.shared.toy_world import ToyWorld

PROMPTS = [QUESTION.format(a, b) for a, b in ((2, 3), (4, 5), (6, 7))]


@pytest.fixture(scope="module")
def policy(checkpoint):
    """Untrained, over bytes: hardly an answer of it reads back into the tokens it was sampled in."""
    return load_policy(str(checkpoint), device="cpu")


def draw(policy, **options):
    given = {"rng": np.random.default_rng(0), "max_new_tokens": 40, **options}
    return [y for row in policy.generate(PROMPTS, 12, **given) for y in row]


@pytest.fixture(scope="module")
def answers(policy):
    found = draw(policy)
    assert {y.ended for y in found} == {True, False}
    again = [policy.encode_response(str(y.text)) for y in found]
    assert any(tuple(ids) != y.ids for ids, y in zip(again, found, strict=True) if y.ended)
    return found


def asked(answers):
    return [x for x in PROMPTS for _ in range(len(answers) // len(PROMPTS))]


def test_scores_are_those_of_the_sampler(policy, answers):
    texts = [y.text for y in answers]
    assert [len(row) for row in policy.logprobs(asked(answers), texts)] == [y.tokens for y in answers]
    np.testing.assert_allclose(
        policy.sequence_logprobs(asked(answers), texts), [y.logprob for y in answers], rtol=1e-5, atol=1e-3
    )


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_training_sees_the_tokens_that_were_sampled(loop, policy, answers):
    one, two = answers[:6], answers[6:12]
    assert {y.ended for y in one + two} == {True, False}
    pairs = [Pair(PROMPTS[0], a.text, b.text) for a, b in zip(one, two, strict=True)]
    run = {"steps": 1, "batch_size": 6, "learning_rate": 0.0, "seed": 0}
    rows = pair_rows(policy, pairs, partial(dpo, beta=0.1), Run(**run))
    assert [tuple(ids) for ids in rows["chosen_ids"] + rows["rejected_ids"]] == [y.ids for y in one + two]
    _, (log,) = train_preferences(policy, pairs, loss=partial(dpo, beta=0.1), loop=loop, **run)
    for side, some in (("chosen", one), ("rejected", two)):
        assert log[f"logps/{side}"] == pytest.approx(np.mean([y.logprob for y in some]), rel=1e-4)
    _, (log,) = train_supervised(policy, [(q.prompt, q.chosen) for q in pairs], loop=loop, **run)
    assert log["loss"] == pytest.approx(-sum(y.logprob for y in one) / sum(y.tokens for y in one), rel=1e-4)


def test_a_cut_answer_is_closed_if_one_asks_for_it(policy, answers):
    closed = draw(policy, unended="closed")
    for one, two in zip(answers, closed, strict=True):
        assert (one.text, one.logprob, one.tokens, one.ended) == (two.text, two.logprob, two.tokens, two.ended)
        assert two.ids == (one.ids if one.ended else (*one.ids, policy.end))
    with pytest.raises(ValueError, match="unended='shut' is unknown; known are open, closed"):
        draw(policy, unended="shut")


def test_pairs_of_cut_answers_are_left_out_and_counted(answers):
    pairs = [Pair("x", a.text, b.text) for a, b in zip(answers[:18], answers[18:], strict=True)]
    pairs.append(Pair("x", "a text", "another"))
    kept, cut = whole_pairs(pairs)
    assert kept == [q for q in pairs if is_whole(q.chosen) and is_whole(q.rejected)]
    assert 0 < cut == len(pairs) - len(kept) < len(pairs)


def test_selection_hands_the_tokens_on(answers):
    rows = [[y.text for y in answers[:12]]]
    (pair,), _ = extreme_pairs(PROMPTS[:1], rows, np.arange(12)[None])
    assert (pair.chosen.ids, pair.rejected.ids) == (answers[11].ids, answers[0].ids)


def test_another_vocabulary_reads_the_text_and_closes_only_what_ended():
    words = ToyWorld().vocabulary
    shifted = ToyWorld(vocabulary=(*words[:4], "gnu", *words[4:]))
    mine, other = (new_tiny(world, 0, TinyBase(hidden=16)) for world in (ToyWorld(), shifted))
    found = [y for (y,) in mine.generate(["say fox :"] * 20, rng=np.random.default_rng(0), max_new_tokens=4)]
    assert {y.ended for y in found} == {True, False}
    for y in found:
        ids = other.tokenizer(str(y.text), add_special_tokens=False)["input_ids"]
        assert other.encode_response(y.text) == [*ids, other.end][: len(ids) + y.ended]
        assert mine.copy().encode_response(y.text) == list(y.ids)


def test_a_step_keeps_its_tokens_and_loses_its_end():
    tiny = new_tiny(ToyWorld(), 0, TinyBase(hidden=16))
    start = BegunPolicy(tiny, end=False)
    for (y,) in tiny.generate(["say fox :"] * 20, rng=np.random.default_rng(0), max_new_tokens=4):
        assert start.encode_response(y.text) == list(y.ids[: y.tokens - y.ended])


def test_a_response_is_a_text_that_can_be_copied_sent_and_told_apart(policy, answers):
    text = answers[0].text
    for other in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert other == text == str(text) and hash(other) == hash(str(text))
        assert (other.ids, other.ended, other.vocabulary) == (text.ids, text.ended, text.vocabulary)
    assert type(text + ".") is type(text.strip()) is str
    same = Response(text, (*text.ids, 2), True, text.vocabulary)
    assert same == text and len({tokens_key(y) for y in (same, text, str(text))}) == 3
    assert key_of([text]) != key_of([same]) != key_of([str(text)])
    one, two, plain = (policy.logprobs(PROMPTS[:1], [y])[0] for y in (text, same, str(text)))
    assert len(two) == len(one) + 1 and len(plain) != len(one)
