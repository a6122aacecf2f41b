"""IFEval's prompts and public checkers: on a stand-in of seven prompts, and at the end on the real data."""

import os
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodidact.environments import load_world
from autodidact.environments.instructions import InstructionsIFEval, ifeval

SENTENCES = "length_constraints:number_sentences"
TWICE = {"frequency": 2.0, "relation": "at least"}
STAND_IN = [
    (1, "Write without commas, in at least 3 words.", [("punctuation:no_comma", {}),
     ("length_constraints:number_words", {"relation": "at least", "num_words": 3.0})]),
    (2, "Use the words tea and cup. Avoid milk.", [("keywords:existence", {"keywords": ["tea", "cup"]}),
     ("keywords:forbidden_words", {"forbidden_words": ["milk"]})]),
    (3, "Two keywords twice each.", [("keywords:frequency", {"keyword": "tea", **TWICE}),
     ("keywords:frequency", {"keyword": "cup", **TWICE})]),
    (4, "At least 2 sentences.", [(SENTENCES, {"relation": "at least", "num_sentences": 2.0})]),
    (5, "Four hashes.", [("keywords:letter_frequency", {"letter": "#", "let_frequency": 4.0,
     "let_relation": "at least"})]),
    (6, "In German.", [("language:response_language", {"language": "de"})]),
    (7, "Quote it.", [("startend:quotation", {})]),
]  # fmt: skip
JUNK = [
    "",
    " ",
    "\n",
    "!!!",
    "123",
    "\x00",
    "\ud800",
    "{",
    "***",
    "<think>",
    "a" * 5000,
    "*\n\n***\n\n.",
    "、。",
    None,
    3,
]
REAL = Path(os.environ.get("DATASETS_MIRROR") or Path(__file__).parents[3] / "shared" / "data")
needs_real = pytest.mark.skipif(
    "DATASETS_MIRROR" not in os.environ and not (REAL / "google__IFEval").is_dir(),
    reason="needs google/IFEval: set DATASETS_MIRROR",
)


def rng(*seed):
    return np.random.default_rng(seed)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The stand-in, in the form of the hub's file: every argument in every row, most of them null."""
    names = sorted({name for *_, demands in STAND_IN for _, given in demands for name in given})
    rows = [
        {
            "key": key,
            "prompt": text,
            "instruction_id_list": [kind for kind, _ in demands],
            "kwargs": [{name: given.get(name) for name in names} for _, given in demands],
        }
        for key, text, demands in STAND_IN
    ]
    folder = tmp_path / "google__IFEval"
    folder.mkdir()
    pd.DataFrame(rows).to_parquet(folder / "train.parquet")
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    ifeval._load.cache_clear()
    yield InstructionsIFEval()
    ifeval._load.cache_clear()


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(REAL))
    ifeval._load.cache_clear()
    yield InstructionsIFEval()
    ifeval._load.cache_clear()


def everything(world):
    """All prompts by key."""
    return {p.truth.key: p for split in ("train", "held-out") for p in all_of(world, split)}


def all_of(world, split, part=0, parts=1):
    with pytest.raises(ValueError, match="has") as error:
        world.prompts(10_000, rng(0), split, part, parts)
    return world.prompts(int(str(error.value).split()[-1]), rng(0), split, part, parts)


@pytest.mark.parametrize(
    ("key", "response", "score"),
    [
        (1, "no comma in here", 1.0),
        (1, "one, two, three", 0.5),
        (1, "a, b", 0.0),
        (2, "A cup of tea", 1.0),
        (2, "tea with milk", 0.0),
        (2, "A cup of tea with milk", 0.5),
        (3, "tea tea cup", 0.5),
        (3, "tea cup tea cup", 1.0),
        (6, "Das ist ein ganz einfacher deutscher Satz über das Wetter.", 1.0),
        (6, "This is a perfectly simple English sentence about the weather.", 0.0),
        (7, '"quoted"', 1.0),
        (7, ' "quoted" ', 1.0),
        (7, "bare", 0.0),
    ],
)
def test_worked_examples(world, key, response, score):
    prompt = everything(world)[key]
    assert world.score(prompt, response) == score
    assert world.strict(prompt, response) == (score == 1)
    assert sum(world.met(prompt, response).values()) / len(prompt.truth.kinds) == score


def test_two_demands_of_one_kind_both_count(world):
    met = world.met(everything(world)[3], "tea tea cup")
    assert met == {"keywords:frequency": 1.0, "keywords:frequency (2)": 0.0}


def test_loose_variant_forgives_an_introduction(world):
    prompt = everything(world)[1]
    response = "Sure, here it is:\nno comma in here"
    assert (world.score(prompt, response), world.score(prompt, response, loose=True)) == (0.5, 1.0)


def test_what_cannot_be_checked_is_left_out_and_counted(world, monkeypatch):
    monkeypatch.setattr(ifeval, "_has_sentence_data", lambda: False)
    ifeval._load.cache_clear()
    assert world.left_out == {SENTENCES: 1, "keywords:letter_frequency": 1}
    assert set(everything(world)) == {1, 2, 3, 6, 7}
    monkeypatch.setattr(ifeval, "_has_sentence_data", lambda: True)
    ifeval._load.cache_clear()
    assert world.left_out == {"keywords:letter_frequency": 1}  # its letter is none, so the checker would draw one
    assert set(everything(world)) == {1, 2, 3, 4, 6, 7}


def test_loading_leaves_the_global_generator_alone(world):
    random.seed(5)
    before = random.getstate()
    everything(world)
    assert random.getstate() == before


def test_arguments_are_plain_and_hashable(world):
    prompts = everything(world)
    assert dict(prompts[1].truth.arguments[1]) == {"relation": "at least", "num_words": 3}
    assert isinstance(dict(prompts[1].truth.arguments[1])["num_words"], int)
    assert dict(prompts[2].truth.arguments[0]) == {"keywords": ("tea", "cup")}
    assert len(set(prompts.values())) == len(prompts)


@pytest.mark.parametrize("response", JUNK)
def test_junk_never_raises_and_makes_no_noise(world, response, capfd):
    for prompt in everything(world).values():
        assert 0 <= world.score(prompt, response) <= 1
        assert 0 <= world.score(prompt, response, loose=True) <= 1
        if not isinstance(response, str) or not response.strip():
            assert world.score(prompt, response) == 0
            assert not world.well_formed(response)
    assert capfd.readouterr() == ("", "")


def test_what_has_no_meaning_here_says_so(world):
    for name in ("demonstrate", "corpus", "style", "trait", "corrupt", "repair", "restyle", "paraphrase", "parse",
                 "intent", "blame", "fluency", "detail"):  # fmt: skip
        with pytest.raises(NotImplementedError, match=f"`{name}`"):
            getattr(world, name)("prompt")


def test_wrong_input_is_named(world):
    with pytest.raises(ValueError, match="heldout=1.5"):
        InstructionsIFEval(heldout=1.5)
    with pytest.raises(ValueError, match="preset='odd'"):
        InstructionsIFEval.preset("odd")
    with pytest.raises(ValueError, match="split='test'"):
        world.prompts(1, rng(0), "test")
    with pytest.raises(ValueError, match="n=99 prompts were asked for"):
        world.prompts(99, rng(0))
    assert load_world("ifeval") == InstructionsIFEval()
    assert InstructionsIFEval.preset("default", heldout=0.2).heldout == 0.2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": None}, "column 'prompt', row 1 is empty"),
        ({"key": None}, "column 'key' must hold int64, not double"),
        ({"instruction_id_list": ["no:such"]}, "'instruction_id_list', row 1 has the unknown kind 'no:such'"),
        ({"kwargs": [{"relation": None}] * 2}, "'kwargs', row 1 has 2 entries for 1 instructions"),
        ({"kwargs": [{"relation": "at least"}]}, "'kwargs', row 1 suits none of its instructions"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(tmp_path, monkeypatch, change, message):
    row = {
        "key": 1,
        "prompt": "Write.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{"relation": None}],
    }
    path = tmp_path / "google__IFEval" / "train.parquet"
    path.parent.mkdir()
    pd.DataFrame([row, {**row, **change}]).to_parquet(path)
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    with pytest.raises(ValueError, match=rf"train\.parquet: .*{message}"):
        ifeval._load.__wrapped__("")


def test_a_mirror_without_the_data_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="google__IFEval"):
        InstructionsIFEval().prompts(1, rng(0))


@needs_real
def test_real_counts(real):
    """300 prompts with 458 demands, 40 of them of the two kinds that want sentence data."""
    kept = everything(real)
    if not ifeval._has_sentence_data():
        assert real.left_out == {
            SENTENCES: 30,
            "change_case:capital_word_frequency": 10,
            "keywords:letter_frequency": 1,
        }
        assert len(kept) == 300 - 35 - 1  # 35 prompts hold the 40 demands, one lacks an argument
    assert all(1 <= len(p.truth.kinds) <= 3 for p in kept.values())


@needs_real
def test_real_splits_and_parts_are_disjoint_and_stable(real):
    sizes = {}
    for split in ("train", "held-out"):
        parts = [{p.truth.key for p in all_of(real, split, part, 3)} for part in range(3)]
        whole = {p.truth.key for p in all_of(real, split)}
        assert set().union(*parts) == whole and sum(map(len, parts)) == len(whole)
        sizes[split] = len(whole)
    assert abs(sizes["held-out"] / sum(sizes.values()) - 0.5) < 0.1
    few = all_of(InstructionsIFEval(heldout=0.2), "held-out")
    assert {p.truth.key for p in few} <= {p.truth.key for p in all_of(real, "held-out")}
    assert real.prompts(20, rng(1)) == real.prompts(20, rng(1))


RESPONSES = (
    "This is a plain answer about tea. It has two sentences, and a comma.",
    '"* one\n* two\n\n***\n\n<<Title>> [name] [place]\nSECTION 1\nP.S. end\nIs there anything else I can help with?"',
    "  \n  all in lower case without any punctuation at all  ",
    "<think>hidden, thought</think> My answer is yes.",
)


@needs_real
@pytest.mark.parametrize("response", RESPONSES)
def test_real_scores_are_those_of_the_public_evaluation(real, response):
    from if_verifiable import IFEvalSample, evaluate_output_for_sample

    for prompt in everything(real).values():
        given = [{k: list(x) if isinstance(x, tuple) else x for k, x in a} for a in prompt.truth.arguments]
        sample = IFEvalSample(prompt.truth.key, prompt.text, list(prompt.truth.kinds), given)
        results, scores = evaluate_output_for_sample("ifeval", sample, response)
        assert list(real.met(prompt, response).values()) == [float(r.strict_pass) for r in results]
        assert real.score(prompt, response) == scores.partial_strict
        assert real.score(prompt, response, loose=True) == scores.partial_loose
        assert real.strict(prompt, response) == bool(scores.binary_strict)


@needs_real
def test_real_scores_are_deterministic(real):
    """Language detection and missing arguments would be random otherwise."""
    ambiguous = "no si la me do re mi ok"
    prompts = everything(real)
    once = {key: real.score(p, ambiguous) for key, p in prompts.items()}
    for seed in range(3):
        random.seed(seed)
        ifeval._checker.cache_clear()
        assert {key: real.score(p, ambiguous) for key, p in prompts.items()} == once
