"""The prefix cache and the option judge against plain forward passes of the same model."""

import sys
from copy import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from autodidact.judges import OptionJudge
from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from autodidact.samplers import PrefixCache

sys.path.insert(0, str(Path(__file__).parents[1]))
from toy_world import ToyWorld


@pytest.fixture
def policy():
    policy = new_tiny(ToyWorld(), 0, TinyBase(hidden=32, heads=2))
    policy.model.eval()
    return policy


@torch.inference_mode()
def plain(policy, prefix):
    logits = policy.model(torch.tensor([list(prefix)])).logits[0, -1]
    return torch.log_softmax(logits.float(), -1).numpy()


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_distributions_equal_those_of_whole_forward_passes(policy, batch_size):
    rng, cache = np.random.default_rng(0), PrefixCache(policy, batch_size=batch_size)
    known = [(1, 4), (1, 4, 5, 6)]
    for _ in range(4):
        rows = cache.logprobs([*known, *known[:2]])  # asked twice in one call
        for prefix, row in zip([*known, *known[:2]], rows, strict=True):
            assert row == pytest.approx(plain(policy, prefix), abs=1e-5)
        known = [(*x, int(rng.integers(12))) for x in known for _ in range(2)]


def test_known_prefixes_cost_nothing_and_children_one_token(policy):
    cache = PrefixCache(policy)
    cache.logprobs([(1, 4, 5)])
    assert cache.computed == 3
    cache.logprobs([(1, 4, 5), (1, 4, 5, 6), (1, 4, 5, 7)])
    assert cache.computed == 5
    cache.logprobs([(1, 4, 5, 6), (1, 4, 5, 6, 2), (1, 4, 5, 7)])
    assert cache.computed == 6


def test_forgotten_rows_are_computed_again(policy):
    cache = PrefixCache(policy, memory=60)
    first = cache.logprobs([(1, 4, 5), (1, 4, 6)])
    again = cache.logprobs([(1, 4, 5), (1, 4, 6)])
    assert again == pytest.approx(first, abs=1e-5) and cache.computed > 6
    with pytest.raises(ValueError, match="prefixes"):
        cache.logprobs([()])
    with pytest.raises(ValueError, match="memory=0"):
        PrefixCache(policy, memory=0)


def test_option_judge_reads_the_letters_in_both_orders(policy):
    def question(prompt, text, order):
        return f"say {text} {'please ' * order}:"

    judge = OptionJudge(policy, question, letters=("ant", "bee"), batch_size=3)
    items = [(None, "cat"), (None, "dog please please"), (None, "elk")]
    verdicts = judge.verdicts(items)
    a, b = (policy.tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("ant", "bee"))
    for (_, text), row in zip(items, verdicts, strict=True):
        for order in (0, 1):
            p = plain(policy, policy.encode(question(None, text, order)))
            assert row[order] == (p[a] > p[b] if order == 0 else p[b] > p[a])
            odds = p[a] - p[b] if order == 0 else p[b] - p[a]
            assert judge.odds([(None, text)])[0, order] == pytest.approx(odds, abs=1e-4)
    judge.passes = 0
    judge.verdicts(items)
    assert judge.passes == 6
    assert judge.score(items).tolist() == [{0: -1.0, 1: 0.0, 2: 1.0}[int(row.sum())] for row in verdicts]
    with pytest.raises(ValueError, match="letters"):
        OptionJudge(policy, question, letters=("ant", "ant"))


def test_option_judge_asks_in_plain_text_where_it_is_told_to(policy):
    chatty = policy.copy()
    chatty.tokenizer = copy(policy.tokenizer)
    chatty.tokenizer.chat_template = "{{ 'please ' + messages[0]['content'] }}"

    def odds(of, **how):
        judge = OptionJudge(of, lambda prompt, text, order: f"say {text}:", letters=("ant", "bee"), **how)
        return judge.odds([(None, "cat")])

    assert np.allclose(odds(chatty, chat=False), odds(policy)) and not np.allclose(odds(chatty), odds(policy))
    assert chatty.tokenizer.chat_template is not None
