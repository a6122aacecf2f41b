"""Pairwise judging by a model: option masses, orders, likelihood and attention against a plain forward pass."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers.processors import TemplateProcessing

from autodidact.bases import load_policy
from autodidact.environments import load_world
from autodidact.judges import both_orders, likelihood_outcomes, option_masses, response_attention
from autodidact.models.tiny import TinyBase, new_tiny

WORLD = load_world("judging/dbg")
SHORT, LONG = "so , boat has sail and mast today ?", "well , boat carries mast rope deck plus sail folks ?"
TEXTS = [WORLD.compare_prompt(x, SHORT, LONG) for x in WORLD.prompts(3, np.random.default_rng(0))] + ["Better answer :"]


@pytest.fixture(scope="module")
def policy():
    return new_tiny(WORLD, 3, TinyBase())


def items(n=4):
    return [(x, SHORT, LONG) for x in WORLD.prompts(n, np.random.default_rng(1))]


def first_token(policy, text):
    with torch.inference_mode():
        logits = policy.model(torch.tensor([policy.encode(text)])).logits[0, -1]
    return torch.softmax(logits.double(), -1).numpy()


def test_option_masses_are_those_of_single_texts_whatever_the_padding(policy):
    vocabulary = policy.tokenizer.get_vocab()
    for size in (1, 3, 128):
        masses = option_masses(policy, TEXTS, (("A", "yes"), ("B",)), batch_size=size)
        for row, text in zip(masses, TEXTS, strict=True):
            p = first_token(policy, text)
            wanted = [p[vocabulary["A"]] + p[vocabulary["yes"]], p[vocabulary["B"]]]
            np.testing.assert_allclose(row, wanted, rtol=1e-4)


def test_a_shared_beginning_is_read_once_and_changes_nothing(policy, monkeypatch):
    texts = [f"so , boat has sail and mast {end}" for end in ("today ?", "and", "plus sail folks ?")]
    widths, forward = [], policy.model.forward
    monkeypatch.setattr(
        policy.model, "forward", lambda ids, **more: (widths.append(ids.shape), forward(ids, **more))[1]
    )
    masses = option_masses(policy, texts, (("A",), ("B",)), batch_size=2, shared_beginning=True)
    begun = len(policy.encode(texts[1])) - 1
    assert widths == [(1, begun), (2, 2), (1, 4)]  # all but the last token of the shortest text, then what is left
    monkeypatch.undo()
    vocabulary = policy.tokenizer.get_vocab()
    for row, text in zip(masses, texts, strict=True):
        p = first_token(policy, text)
        np.testing.assert_allclose(row, [p[vocabulary["A"]], p[vocabulary["B"]]], rtol=1e-4)
    alone = option_masses(policy, texts[:1], shared_beginning=True)  # a single text is its own beginning
    np.testing.assert_allclose(alone[0], masses[0], rtol=1e-4)
    same = option_masses(policy, texts[:1] * 2, shared_beginning=True)
    np.testing.assert_allclose(same, masses[[0, 0]], rtol=1e-4)


def test_a_spelling_of_two_tokens_is_refused(policy):
    with pytest.raises(ValueError, match="one two"):
        option_masses(policy, TEXTS, (("A",), ("one two",)))


def test_both_orders_swap_texts_and_letters(policy):
    found = both_orders(policy, WORLD.compare_prompt, items())
    a, b = (policy.tokenizer.get_vocab()[letter] for letter in "AB")
    for (x, one, two), row in zip(items(), found, strict=True):
        shown = first_token(policy, WORLD.compare_prompt(x, one, two))
        swapped = first_token(policy, WORLD.compare_prompt(x, two, one))
        wanted = [shown[a] / (shown[a] + shown[b]), swapped[b] / (swapped[a] + swapped[b])]
        np.testing.assert_allclose(row, wanted, rtol=1e-4)


def test_likelihood_prefers_the_higher_mean_and_ties_with_itself(policy):
    texts = [(x.text, a, b) for x, a, b in items()]
    means = [[float(policy.logprobs([x], [y])[0].mean()) for y in pair] for x, *pair in texts]
    np.testing.assert_array_equal(likelihood_outcomes(policy, texts), [float(a > b) for a, b in means])
    assert likelihood_outcomes(policy, [(texts[0][0], SHORT, SHORT)])[0] == 0.5


def test_attention_without_queries_is_even_over_all_positions():
    flat = new_tiny(WORLD, 4, TinyBase())
    for layer in flat.model.model.layers:
        torch.nn.init.zeros_(layer.self_attn.q_proj.weight)
    first, second = response_attention(flat, WORLD.compare_prompt, items())
    wanted = [1 / len(flat.encode(WORLD.compare_prompt(*item))) for item in items()]
    np.testing.assert_allclose(first, wanted, rtol=1e-5)
    np.testing.assert_allclose(second, wanted, rtol=1e-5)


def test_attention_goes_to_the_response_whose_tokens_are_looked_at(policy):
    first, second = response_attention(policy, WORLD.compare_prompt, items(2))
    for k, (x, one, two) in enumerate(items(2)):
        sums = []
        for pair in ((one, two), (two, one)):
            words = ["<bos>", *WORLD.compare_prompt(x, *pair).split()]
            with torch.inference_mode():
                ids = torch.tensor([policy.encode(WORLD.compare_prompt(x, *pair))])
                layers = policy.model(ids, output_attentions=True).attentions
            paid = np.mean([layer[0, :, -1].mean(0).numpy() for layer in layers], axis=0)
            start = words.index("A") + 2
            middle = start + len(pair[0].split())
            spans = paid[start:middle], paid[middle + 2 : middle + 2 + len(pair[1].split())]
            sums.append([span.mean() for span in spans])
        assert first[k] == pytest.approx((sums[0][0] + sums[1][1]) / 2, rel=1e-5)
        assert second[k] == pytest.approx((sums[0][1] + sums[1][0]) / 2, rel=1e-5)


def test_attention_of_a_chat_model_and_the_way_it_attends_afterwards(checkpoint):
    chat, x = load_policy(str(checkpoint)), SimpleNamespace(text="Write a short poem.")
    kind, world = chat.model.config._attn_implementation, load_world("judging/ifeval")
    first, second = response_attention(chat, world.compare_prompt, [(x, "A poem.", "Pens"), (x, "", "Pens")])
    assert (first[0] > 0) and (second > 0).all() and first[1] == 0
    assert chat.model.config._attn_implementation == kind
    one, two = response_attention(chat, world.compare_prompt, [(x, "Pens", "A poem.")])
    np.testing.assert_allclose([one[0], two[0]], [second[0], first[0]], rtol=1e-5)


TURNS = "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] FILTER }}<|end|>\n{% endfor %}"


@pytest.mark.parametrize("blanks", ["", "\n  "])
def test_attention_is_found_in_a_template_that_trims(checkpoint, blanks):
    def ask(x, a, b):
        return f"{blanks}Which is better: A: {a} B: {b}{blanks}"

    trims, plain = load_policy(str(checkpoint)), load_policy(str(checkpoint))
    trims.tokenizer.chat_template = TURNS.replace("FILTER", "| trim")
    plain.tokenizer.chat_template = TURNS.replace("FILTER", "")
    asked = [(None, "A poem.", "Pens")]
    found = response_attention(trims, ask, asked)
    wanted = response_attention(plain, lambda *given: ask(*given).strip(), asked)
    np.testing.assert_array_equal(found, wanted)
    trims.tokenizer.chat_template = TURNS.replace("FILTER", "| upper")
    with pytest.raises(ValueError, match="the chat template alters the text"):
        response_attention(trims, ask, asked)


def test_attention_is_read_without_the_end_that_a_tokenizer_appends(policy):
    """The last position is that of the judge's answer, not that of an end token."""
    closing = new_tiny(WORLD, 3, TinyBase())
    ids = [(word, closing.tokenizer.get_vocab()[word]) for word in ("<bos>", "<eos>")]
    core = closing.tokenizer.backend_tokenizer
    core.post_processor = TemplateProcessing(single="<bos> $A <eos>", special_tokens=ids)
    asked = items(2)
    np.testing.assert_array_equal(
        response_attention(closing, WORLD.compare_prompt, asked),
        response_attention(policy, WORLD.compare_prompt, asked),
    )
