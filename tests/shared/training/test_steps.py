"""Pairs of steps and training on them: exactly the tokens of the step are scored, and nothing ends it."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from datasets import Dataset
from trl import DPOConfig

from autodidact.environments.arithmetic import Arithmetic
from autodidact.losses import dpo
from autodidact.models import BegunPolicy, Policy, begun
from autodidact.models.tiny import TinyBase, new_tiny
from autodidact.samplers import Continuation, continue_answers, first_step, glue
from autodidact.training import Pair, PreferenceTrainer, pairs_after, train_after, train_preferences

WORLD = Arithmetic()
QUESTION = "Start with 6 7 . Add 1 tens . Remove 6 ones ."
PREFIX = "Step1: 6 7 + 1 tens = 7 7 . Step2:"
WIN, LOSE = " 7 7 - 6 ones = 7 1 .", " 7 7 - 6 ones = 7 2 ."


@pytest.fixture(scope="module")
def policy():
    return new_tiny(WORLD, 3, TinyBase(hidden=16, heads=2))


def pair():
    (found,) = pairs_after(QUESTION, PREFIX, [WIN], [LOSE])
    return found


def by_hand(model, tokens, scored):
    """Sum of log-probabilities of the last `scored` tokens, from one plain forward pass."""
    with torch.no_grad():
        logps = torch.log_softmax(model(torch.tensor([tokens])).logits[0].double(), dim=-1)
    return float(sum(logps[i - 1, tokens[i]] for i in range(len(tokens) - scored, len(tokens))))


def test_the_prompt_ends_with_the_header_and_the_step_has_no_end(policy):
    words = policy.tokenizer.convert_ids_to_tokens
    start = BegunPolicy(policy, end=False)
    assert words(start.encode(pair().prompt)) == ["<bos>", *QUESTION.split(), *PREFIX.split()]
    assert words(start.encode_response(WIN)) == WIN.split()
    assert start.encode_prompts([pair().prompt])[pair().prompt] == start.encode(pair().prompt)
    assert start.encode_responses([WIN])[0] == start.encode_response(WIN)
    assert words(BegunPolicy(policy, end=True).encode_responses([WIN])[0]) == [*WIN.split(), "<eos>"]
    assert start.encode(QUESTION) == policy.encode(QUESTION)


def test_exactly_the_tokens_of_the_step_are_scored(policy):
    """What the trainer's own collator marks as completion, and the log-probability that the loss is given."""
    start, seen = BegunPolicy(policy, end=False), []

    def spy(chosen, rejected, ref_chosen, ref_rejected):
        seen.append([x.detach().clone() for x in (chosen, rejected, ref_chosen, ref_rejected)])
        return dpo(chosen, rejected, ref_chosen, ref_rejected, beta=0.4)

    ids = {"prompt_ids": start.encode(pair().prompt), "chosen_ids": start.encode_response(WIN)}
    ids["rejected_ids"] = start.encode_response(LOSE)
    trainer = PreferenceTrainer(
        model=policy.copy().model,
        loss=spy,
        args=DPOConfig(output_dir="unused", use_cpu=True, bf16=False, report_to="none", precompute_ref_log_probs=True),
        train_dataset=Dataset.from_list([ids]),
        processing_class=policy.tokenizer,
    )
    batch = trainer.data_collator([{**ids, "ref_chosen_logps": 0.0, "ref_rejected_logps": 0.0}])
    scored = [row[mask.bool()].tolist() for row, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)]
    assert scored == [ids["chosen_ids"], ids["rejected_ids"]]
    assert policy.end not in batch["input_ids"][batch["attention_mask"].bool()].tolist()

    train_preferences(start, [pair()], loss=spy, steps=1, batch_size=1, learning_rate=0.0, seed=0)
    expected = [by_hand(policy.model, ids["prompt_ids"] + ids[f"{side}_ids"], len(ids[f"{side}_ids"]))
                for side in ("chosen", "rejected")]  # fmt: skip
    np.testing.assert_allclose([float(x) for x in seen[-1]], expected * 2, atol=1e-4)


def test_the_loss_is_the_closed_form_of_one_step(policy):
    """-log sigmoid(beta (lr(s_win) - lr(s_lose))) after one step of training, from log-probabilities taken by hand."""
    run = {"loss": partial(dpo, beta=0.4), "batch_size": 1, "learning_rate": 1e-2, "seed": 0}
    after, _ = train_after(policy, [pair()], end=False, steps=1, **run)
    _, log = train_after(policy, [pair()], end=False, steps=2, **run)
    start = BegunPolicy(policy, end=False)
    prompt = start.encode(pair().prompt)
    ratio = []
    for step in (WIN, LOSE):
        ids = prompt + start.encode_response(step)
        ratio.append(by_hand(after.model, ids, len(step.split())) - by_hand(policy.model, ids, len(step.split())))
    assert log[0]["loss"] == pytest.approx(np.log(2), abs=1e-5)
    assert log[1]["loss"] == pytest.approx(np.log1p(np.exp(-0.4 * (ratio[0] - ratio[1]))), abs=1e-4)
    assert type(after) is Policy and ratio[0] > ratio[1]


def test_a_shared_prefix_cancels_from_the_margin(policy):
    """Prefix + tail against prefix + tail is the same loss whether the prefix is scored or not."""
    scored = Pair(QUESTION, f"{PREFIX}{WIN}", f"{PREFIX}{LOSE}")
    run = {"loss": partial(dpo, beta=0.4), "steps": 3, "batch_size": 1, "learning_rate": 1e-2, "seed": 0}
    logs = [train_after(policy, [q], end=False, **run)[1] for q in (scored, pair())]
    np.testing.assert_allclose(*([row["loss"] for row in log] for log in logs), rtol=1e-3)


def test_a_long_prompt_is_cut_from_the_left(policy):
    short = BegunPolicy(policy, end=False, max_prompt_length=7)
    whole = BegunPolicy(policy, end=False).encode(pair().prompt)
    assert short.encode(pair().prompt) == whole[-7:]
    assert short.encode_response(WIN) == policy.encode_response(WIN)[:-1]
    cut = Policy(policy.model, policy.tokenizer).model
    expected = by_hand(cut, whole[-7:] + short.encode_response(WIN), len(WIN.split()))
    assert short.sequence_logprobs([pair().prompt], [WIN])[0] == pytest.approx(expected, abs=1e-4)
    assert short.copy().max_prompt_length == 7 and not short.copy().ends_answers
    with pytest.raises(ValueError, match="max_prompt_length=0"):
        BegunPolicy(policy, end=False, max_prompt_length=0)
    with pytest.raises(ValueError, match="separates the two"):
        begun("a\x1eb", "c")


def test_pairs_are_distinct_capped_and_never_a_step_against_itself():
    pairs = pairs_after("q", "Step1:", ["a b", "ab", "c", " x", "d", "c "], ["x", "y"])
    assert [(q.chosen, q.rejected) for q in pairs] == [("a b", "x"), ("c", "y"), ("d", "x")]
    assert {q.prompt for q in pairs} == {begun("q", "Step1:")}
    assert [q.chosen for q in pairs_after("q", "p", ["a", "b", "c"], ["x"], most=2)] == ["a", "b"]
    assert pairs_after("q", "p", [" x ", "x"], ["x"]) == [] and pairs_after("q", "p", [], ["x"]) == []
    with pytest.raises(ValueError, match="rejected is empty"):
        pairs_after("q", "p", ["a"], [])
    with pytest.raises(ValueError, match="most=0"):
        pairs_after("q", "p", ["a"], ["x"], most=0)


@pytest.mark.parametrize(
    ("text", "step"),
    [(" 7 7 + 1 = 7 8 . Step3: x", " 7 7 + 1 = 7 8 ."), (" 12 + 5 = 17.\nStep 3: y", " 12 + 5 = 17."),
     (" last . answer 7 1", " last . answer 7 1"), ("", ""), ("Step2: b", ""), (" a step later", " a step later")],
)  # fmt: skip
def test_the_first_step_ends_before_the_next_header(text, step):
    assert first_step(text) == step
    assert Continuation("p", text, 1, True).step == step


def test_glue_puts_one_blank_at_most():
    assert glue("a:", "b") == "a: b" and glue("a:", " b") == "a: b" and glue("a:\n", "b") == "a:\nb"
    assert glue("", "b") == "b" and glue("a", "") == "a"


def test_continuations_go_on_from_the_prefix(policy):
    """The same draws as plain sampling of question and prefix in one text; another prefix moves nobody else's."""
    draw = {"temperature": 1.0, "max_new_tokens": 9}
    rows = continue_answers(policy, [QUESTION] * 2, [PREFIX, "Step1:"], 3, rng=np.random.default_rng(0), **draw)
    plain = policy.generate([f"{QUESTION} {PREFIX}", f"{QUESTION} Step1:"], 3, rng=np.random.default_rng(0), **draw)
    assert [[c.text for c in row] for row in rows] == [[y.text for y in row] for row in plain]
    assert all(c.prefix == PREFIX and c.whole == glue(PREFIX, c.text) for c in rows[0])
    with pytest.raises(ValueError, match="as many: 2 and 1"):
        continue_answers(policy, [QUESTION] * 2, [PREFIX], 1, rng=np.random.default_rng(0))


def test_an_answer_ends_behind_the_first_match_of_stop(policy):
    draw = {"temperature": 1.0, "max_new_tokens": 9}
    whole, cut = (
        continue_answers(policy, [QUESTION], ["Step1:"], 40, rng=np.random.default_rng(0), stop=stop, **draw)[0]
        for stop in (None, "[0-4]")
    )
    ends = [re.search("[0-4]", y.text) for y in whole]
    assert any(ends) and not all(ends)
    assert [y.text for y in cut] == [y.text[: e.end()] if e else y.text for y, e in zip(whole, ends, strict=True)]


def test_training_on_steps_leaves_the_end_token_alone_and_with_ends_does_not(policy):
    """After many steps on one pair the end is no likelier after the right step; ended pairs make it so."""
    run = {"loss": partial(dpo, beta=0.1), "steps": 25, "batch_size": 1, "learning_rate": 1e-2, "seed": 0}
    ids = BegunPolicy(policy, end=False).encode(pair().prompt) + policy.encode_response(WIN)

    def end_logp(some):
        return by_hand(some.model, ids, 1)

    other = Pair(pair().prompt, WIN, " 7 7")
    free, ended = (train_after(policy, [other], end=end, **run)[0] for end in (False, True))
    assert end_logp(ended) - end_logp(policy) > 0.5 > end_logp(free) - end_logp(policy)
