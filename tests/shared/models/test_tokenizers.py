"""Tokenizers and models of other houses: each works, or says in one line what is missing."""

from functools import partial

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from autodidact.bases import load_policy
from autodidact.claims import Claim, Study
from autodidact.judges import option_masses, train_reward_model
from autodidact.losses import dpo
from autodidact.models import BegunPolicy, Policy, TinyBase, begun
from autodidact.samplers import PrefixCache, SearchSettings, rain
from autodidact.training import Pair, Run, train_preferences, train_supervised
from autodidact.training.kto import train_kto
from tests.shared.toy_world import ToyWorld

WORDS = ("<pad>", "<s>", "</s>", "2", "+", "=", "4", "A", "B", "a")
TEXT = "2 + 2 ="
RUN = {"steps": 1, "batch_size": 2, "learning_rate": 1e-3, "seed": 0}
PAIRS = [Pair(TEXT, "4", "2 2"), Pair("4 =", "4", "2")]


def tokenizer(form="$A", **named):
    """Words by blanks; form: what the tokenizer makes of a text."""
    core = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    core.pre_tokenizer = WhitespaceSplit()
    specials = [(word, WORDS.index(word)) for word in ("<s>", "</s>")]
    core.post_processor = TemplateProcessing(single=form, special_tokens=specials)
    return PreTrainedTokenizerFast(tokenizer_object=core, **named)


def policy_of(tokens, learned=None):
    """A policy of random weights; learned: positions of a model that looks them up."""
    torch.manual_seed(0)
    if learned:
        shape = {"vocab_size": len(WORDS), "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": learned}
        return Policy(GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=1, eos_token_id=2)).eval(), tokens)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    end = tokens.eos_token_id
    config = LlamaConfig(vocab_size=len(WORDS), **shape, bos_token_id=1, eos_token_id=end, pad_token_id=None)
    return Policy(LlamaForCausalLM(config).eval(), tokens)


def generate(policy, prompts, **options):
    rows = policy.generate(prompts, **{"rng": np.random.default_rng(0), "max_new_tokens": 4, **options})
    return [y for row in rows for y in row]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("$A", TEXT),
        ("<s> $A", f"<s> {TEXT}"),
        ("<s> $A </s>", f"<s> {TEXT}"),
        ("$A </s>", TEXT),
        ("<s> $A </s> </s>", f"<s> {TEXT}"),
    ],
)
def test_no_end_stands_behind_a_prompt(form, wanted):
    policy = policy_of(tokenizer(form, eos_token="</s>", pad_token="<pad>"))
    wanted = [WORDS.index(word) for word in wanted.split()]
    assert policy.encode(TEXT) == policy.encode_prompts(["4", TEXT])[TEXT] == wanted
    assert BegunPolicy(policy, end=False).encode(begun(TEXT, "4")) == [*wanted, WORDS.index("4")]
    assert policy.encode_response("4") == [WORDS.index("4"), 2]
    assert policy.encode("2 </s>")[-1] == 2  # what the prompt itself says stays


def test_a_prompt_without_tokens_is_refused_everywhere():
    policy = policy_of(tokenizer(eos_token="</s>", pad_token="<pad>"))
    dead = [Pair("", "4", "2"), PAIRS[0]]
    asks = [
        lambda: generate(policy, [TEXT, ""]),
        lambda: policy.logprobs([""], ["4"]),
        lambda: option_masses(policy, [""]),
        lambda: rain(policy, [""], lambda x, y: 0.0, SearchSettings(rounds=1), rng=np.random.default_rng(0)),
        lambda: train_supervised(policy, [("", "4")], **RUN),
        lambda: train_preferences(policy, dead, loss=partial(dpo, beta=0.1), **RUN),
        lambda: train_kto(policy, dead, beta=0.1, **RUN),
        lambda: train_reward_model(policy, dead, steps=1),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match="prompt '' has no tokens, so there is nothing to go on from"):
            ask()
    begins = policy_of(tokenizer("<s> $A", eos_token="</s>", pad_token="<pad>"))
    assert begins.encode("") == [1] and len(generate(begins, ["", TEXT])) == 2
    assert BegunPolicy(policy, end=False).encode(begun("", "2 +")) == [3, 4]


def test_what_is_longer_than_the_learned_positions_is_refused_everywhere():
    policy = policy_of(tokenizer(eos_token="</s>", pad_token="<pad>"), learned=8)
    assert all(y.tokens <= 4 for y in generate(policy, [TEXT]))
    long = " ".join(["2"] * 8)
    asks = [
        lambda: generate(policy, ["4", TEXT], max_new_tokens=5),
        lambda: policy.logprobs([long], ["4"]),
        lambda: option_masses(policy, [f"{long} 4"]),
        lambda: PrefixCache(policy).logprobs([(3,) * 9]),
        lambda: train_supervised(policy, [(long, "4")], **RUN),
        lambda: train_preferences(policy, [Pair(TEXT, "4", long)], loss=partial(dpo, beta=0.1), **RUN),
        lambda: train_kto(policy, [Pair(TEXT, "4", long), PAIRS[1]], beta=0.1, **RUN),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match=r"is \d+ tokens long; Policy\(.*\) has learned 8 positions"):
            ask()
    assert policy_of(tokenizer(eos_token="</s>")).places is None  # rotary positions are computed
    train_supervised(policy, [(TEXT, long)], max_length=8, **RUN)


@pytest.mark.parametrize("loop", ["auto", "trl"])
def test_a_tokenizer_without_padding_works(loop):
    policy = policy_of(tokenizer(eos_token="</s>"))
    padded = policy_of(tokenizer(eos_token="</s>", pad_token="<pad>"))
    some = [[(y.text, y.ids) for y in generate(one, [TEXT, "4"], n=8)] for one in (policy, padded)]
    assert some[0] == some[1]
    scores = [one.sequence_logprobs([TEXT, "4"], ["4 4 4", "2"]) for one in (policy, padded)]
    np.testing.assert_array_equal(*scores)
    trained = [train_preferences(one, PAIRS, loss=partial(dpo, beta=0.1), loop=loop, **RUN)[1][0]["loss"]
               for one in (policy, padded)]  # fmt: skip
    assert trained[0] == pytest.approx(trained[1], abs=1e-6)
    assert len(train_reward_model(policy, PAIRS, steps=1, batch_size=2).rewards([TEXT, "4"], ["4", "2 2"])) == 2


def test_a_tokenizer_without_an_end_samples_and_scores_and_closes_nothing():
    policy = policy_of(tokenizer())
    drawn = generate(policy, [TEXT, "4"], n=3)
    assert [(y.tokens, y.ended) for y in drawn] == [(4, False)] * 6 and policy.ends == frozenset()
    scored = policy.sequence_logprobs([TEXT] * 3, [y.text for y in drawn[:3]])
    np.testing.assert_allclose(scored, [y.logprob for y in drawn[:3]], atol=1e-4)
    with pytest.raises(ValueError, match="has no end token to close a response; set its eos_token"):
        policy.encode_response("4")
    with pytest.raises(ValueError, match="has no end token to close a response"):
        train_supervised(policy, [(TEXT, "4")], **RUN)
    policy.model.generation_config.eos_token_id = [6]
    assert policy_of(tokenizer(eos_token="</s>")).end == 2
    assert Policy(policy.model, tokenizer()).encode_response("2") == [3, 6]


def test_numpys_whole_numbers_are_whole_numbers():
    three = np.int64(3)
    policy = policy_of(tokenizer(eos_token="</s>", pad_token="<pad>"))
    assert len(generate(policy, [TEXT], n=three, batch_size=np.int32(2), max_new_tokens=np.uint8(2))) == 3
    for loop in ("auto", "trl"):
        how = {"steps": np.int64(1), "batch_size": np.int64(2), "seed": three, "gradient_accumulation": np.int64(1)}
        train_supervised(policy, [(TEXT, "4")] * 2, learning_rate=1e-3, max_length=np.int64(9), loop=loop, **how)
    train_reward_model(policy, PAIRS, steps=np.int64(1), batch_size=np.int64(2), seed=three)
    base = TinyBase(steps=np.int64(1), hidden=np.int64(16), learning_rate=np.float32(1e-3))
    load_policy("tiny", ToyWorld(), seed=three, base=base)
    claim = Claim("a", "a is more", "points", "a", "b", "greater")
    assert Study(claims=[claim], seeds=three).parameters.seeds == 3


@pytest.mark.parametrize(("name", "value"), [("seed", 1.5), ("batch_size", "2"), ("steps", None), ("seed", -1)])
def test_what_is_no_whole_number_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r} must be"):
        Run(**RUN | {name: value})
