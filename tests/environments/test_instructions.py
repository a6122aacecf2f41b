"""The procedural world: prompts, splits, scores. Truth is re-derived here by a slower second route."""

import hashlib
import itertools
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodidact.environments import load_world
from autodidact.environments.instructions import Instructions, Prompt, Truth
from autodidact.environments.instructions import vocabulary as v
from autodidact.environments.instructions.prompts import PHRASINGS, belongs, stable_hash, truth_space

WORLD = Instructions()
EVERY = Instructions(kinds=v.KINDS, demands=3)
WORLDS = [EVERY, Instructions.preset("many"), Instructions.preset("enumerable"), Instructions.preset("strict")]


def rng(*seed):
    return np.random.default_rng(seed)


HARD = Instructions(kinds=v.KINDS, demands=4).prompts(100, rng(0))


def prompt_of(text):
    prompt = EVERY.parse(text)
    assert prompt is not None, text
    return prompt


def second_parse(text):
    """(topic, length, {kind: word}) read off word by word."""
    words = text.split(" ")
    length = int(words[1]) if words[1].isdigit() else None
    topic = words[words.index("about") + 1]
    body = text[: -len(" .")].split(" : ", 1)
    demands = dict(part.split(" ") for part in body[1].split(" , ")) if len(body) > 1 else {}
    return topic, length, demands


def second_score(text, response):
    """The share of demands met, by regular expressions on the text alone."""
    words = [w for w in re.split(r"\s+", response) if w]
    if not 1 <= len(words) <= 12 or any(w not in v.RESPONSE_WORDS for w in words):
        return 0.0
    _, length, demands = second_parse(text)
    line = " " + "  ".join(words) + " "
    nouns = [w for w in words if any(w in group for group in v.NOUNS.values())]
    tests = {
        "use": lambda w: bool(re.search(f" {w} ", line)),
        "skip": lambda w: not re.search(f" {w} ", line),
        "without": lambda w: not re.search(f" {w} ", line),
        "begin": lambda w: bool(re.match(f" {w} ", line)),
        "end": lambda w: bool(re.search(f" {w} $", line)),
        "twice": lambda w: len(re.findall(f" {w} ", line)) == 2,
        "order": lambda w: all(a <= b for a, b in itertools.pairwise(nouns)),
    }
    credits = [float(tests[kind](word)) for kind, word in demands.items()]
    if length is not None:
        credits.append({0: 1.0, 1: 0.75, 2: 0.5, 3: 0.25}.get(abs(length - len(words)), 0.0))
    return sum(credits) / len(credits)


@pytest.mark.parametrize(
    ("text", "response", "score", "critique"),
    [
        ("write 8 words about trees : use pine , end please , begin well .",
         "well pine happy oak or calm maple please", 1.0, "good"),
        ("write 7 words about games : begin yes , use tag , skip and .",
         "yes happy chess with dice and golf", 0.5, "use skip"),
        ("write 5 words about fruit : use fig , end now , skip or .",
         "grape fig wide pear plum lemon thanks", 0.625, "length end"),
        ("write 4 words about fruit : twice fig , without pear .", "fig and fig pear", 2 / 3, "without"),
        ("write 4 words about fruit : order nouns .", "pear fig pear plum", 0.5, "order"),
        ("write about meals : end thanks .", "soup thanks", 1.0, "good"),
    ],
)  # fmt: skip
def test_worked_examples(text, response, score, critique):
    prompt = prompt_of(text)
    assert EVERY.score(prompt, response) == pytest.approx(score)
    assert EVERY.critique(prompt, response) == critique
    assert EVERY.strict(prompt, response) == (critique == "good")


@pytest.mark.parametrize(
    "response",
    [
        "",
        " ",
        "fig " * 13,
        "figs",
        "fig <pad>",
        "fig, pear",
        "Fig",
        "good",
        "fig\x00",
        "ﬁg",
        "trees",
        "8",
        "\ud800",
        None,
        3,
    ],
)
def test_malformed_responses_score_zero_and_never_raise(response):
    for world in (EVERY, Instructions(gold="trait"), Instructions(gold="mixed"), Instructions(gold="rare")):
        prompt = world.prompts(1, rng(0))[0]
        assert world.score(prompt, response) == 0
        assert set(world.met(prompt, response).values()) == {0.0}
        assert not world.strict(prompt, response)
        assert not world.well_formed(response)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.lists(st.sampled_from(v.VOCABULARY), max_size=14), st.integers(0, 2**30))
def test_every_score_lies_between_zero_and_one_and_nothing_raises(text, words, seed):
    world = Instructions(kinds=v.KINDS, demands=4, gold=("demands", "strict", "trait", "mixed", "rare")[seed % 5])
    prompt = HARD[seed % len(HARD)]
    for response in (text, " ".join(words)):
        assert 0 <= world.score(prompt, response) <= 1
        assert 0 <= world.fluency(response) <= 1
        assert 0 <= world.trait(response) <= 1
        assert 0 <= world.detail(prompt, response) <= 1
        assert world.style(response) in (*v.STYLES, None)
        assert len(world.blame(prompt, response)) == len(response.split()) + 1
        assert world.critique(prompt, response)
        assert world.parse(response) is None


@pytest.mark.parametrize("phrasing", PHRASINGS)
def test_truth_and_score_agree_with_a_second_derivation(phrasing):
    world = Instructions(kinds=v.KINDS, demands=3, phrasing=phrasing)
    for prompt in world.prompts(400, rng(1)):
        truth = prompt.truth
        assert second_parse(prompt.text) == (truth.topic, truth.length, dict(truth.demands))
        for response in (world.demonstrate(prompt, rng(2), quality=q) for q in (0.0, 0.5, 0.9)):
            assert world.score(prompt, response) == pytest.approx(second_score(prompt.text, response), abs=1e-12)


@pytest.mark.parametrize("phrasing", PHRASINGS)
def test_parse_inverts_every_text(phrasing):
    world = Instructions(kinds=v.KINDS, demands=3, phrasing=phrasing)
    for prompt in world.prompts(300, rng(3)):
        assert world.parse(prompt.text) == prompt
        reordered = world.paraphrase(prompt, rng(4))
        assert world.parse(reordered.text).truth == prompt.truth


@pytest.mark.parametrize(
    "text",
    [
        "",
        "write",
        "write 8 words about cars .",
        "write 8 words about trees : .",
        "write 8 words about trees : use fig .",
        "write 8 words about trees : order pine .",
        "write 8 words about trees : use pine",
        "write 8 words about trees : use pine . ",
        "write 8 words about trees : use pine ,  end now .",
        "write 8 words about trees : use pine , use oak .",
        "write 8 words about trees : use oak , without oak .",
        "write 8 words about trees in detail : use pine .",
        "write 1 words about trees : twice oak .",
        "write 2 words about trees : begin well ,",
        "write 0 words about trees .",
        "write 08 words about trees .",
        "write 13 words about trees .",
        "write ８ words about trees .",
    ],
)
def test_texts_outside_the_grammar_are_no_prompt(text):
    assert WORLD.parse(text) is None


def test_a_prompt_without_demands_asks_for_a_length_alone():
    assert WORLD.score(WORLD.parse("write 2 words about trees ."), "oak pine") == 1


def test_there_are_10368_default_truths_of_six_texts_each():
    space = truth_space("full", WORLD.lengths, tuple(itertools.combinations(WORLD.kinds, 3)), "plain")
    truths = {space[i] for i in range(len(space))}
    assert len(truths) == len(space) == 10_368 and None not in truths
    prompt = WORLD.prompts(1, rng(5))[0]
    texts = {WORLD.paraphrase(prompt, rng(6, i)).text for i in range(200)}
    assert len(texts) == 6
    assert {len(text.split()) for text in texts} == {15}


def test_splits_and_parts_are_disjoint_and_cover_everything():
    every = {(p, split): set(truths(split, p)) for split in ("train", "held-out") for p in range(3)}
    sizes = {key: len(value) for key, value in every.items()}
    assert len(set().union(*every.values())) == sum(sizes.values()) == 10_368  # so no two of them meet
    held_out = sum(size for (_, split), size in sizes.items() if split == "held-out")
    assert abs(held_out / 10_368 - 0.2) < 0.012  # three standard errors of a fifth
    assert all(
        abs(size / (10_368 * (0.8 if split == "train" else 0.2)) - 1 / 3) < 0.04 for (_, split), size in sizes.items()
    )
    assert set(truths("train", 0, 1)) == set().union(*(every[p, "train"] for p in range(3)))
    one_of_six = set(truths("train", 4, 6))  # a finer cut nests where its count is a multiple
    assert one_of_six <= every[1, "train"]


def truths(split, part, parts=3):
    draws = (9_000 if split == "train" else 2_500) // parts + 500  # over one pass: 22,000 in all
    return [prompt.truth for prompt in itertools.islice(WORLD.endless(rng(7), split, part, parts), draws)]


def test_the_split_does_not_depend_on_the_machine():
    """Values of SHA-256, worked out once with hashlib alone."""
    truth = Truth("trees", 8, (("use", "pine"), ("begin", "well"), ("end", "please")))
    digest = hashlib.sha256(b"trees 8 (('use', 'pine'), ('begin', 'well'), ('end', 'please'))").hexdigest()
    value = int(digest[:16], 16)
    assert stable_hash(truth) == value
    assert belongs(truth, "held-out" if value % 5 == 0 else "train", value // 5 % 3, 3)


def test_a_part_that_is_too_small_says_how_many_it_has():
    with pytest.raises(ValueError, match=r"n=20000 .* has 8\d\d\d truths"):
        WORLD.prompts(20_000, rng(0))
    with pytest.raises(ValueError, match="has no truth"):
        next(Instructions.preset("enumerable").endless(rng(0), part=999, parts=1000))


def test_twin_generators_agree_and_neighbours_share_no_more_than_chance():
    def everything(seed):
        g = rng(seed)
        prompts = WORLD.prompts(200, g)
        answers = [WORLD.demonstrate(p, g) for p in prompts]
        edits = [WORLD.corrupt(p, y, g, 2) for p, y in zip(prompts, answers, strict=True)]
        repairs = [WORLD.repair(p, y, g, 1) for p, y in zip(prompts, answers, strict=True)]
        return prompts, answers, edits, repairs, WORLD.corpus(g)[:50], WORLD.examples("judge", 50, g)

    assert everything(11) == everything(11)
    one, two = ({p.truth for p in WORLD.prompts(200, rng(seed))} for seed in (11, 12))
    assert len(one & two) < 15  # 200 * 200 / 8294 = 4.8 by chance


def test_a_fixed_seed_gives_these_very_strings():
    """Guards against a change of the stream that would silently alter published results."""
    prompt = WORLD.prompts(1, rng(0))[0]
    assert (prompt.text, WORLD.demonstrate(prompt, rng(0))) == FIXED


FIXED = (
    "write 6 words about birds : begin so , use finch , skip and .",
    "so heron crow dove owl robin",
)


def test_prompts_are_uniform_over_kinds_of_demand():
    prompts = WORLD.prompts(6000, rng(13))
    for kind, among in (("skip", 72 + 72 + 48), ("use", 72 + 72 + 96), ("begin", 72 + 96 + 48), ("end", 72 + 96 + 48)):
        share = np.mean([kind in dict(p.truth.demands) for p in prompts])
        assert abs(share - among / 288) < 0.02


def test_vocabulary_holds_every_prompt_response_and_form():
    vocabulary = set(WORLD.vocabulary)
    assert len(vocabulary) == len(WORLD.vocabulary) == 114
    assert WORLD.vocabulary[:4] == ("<pad>", "<bos>", "<eos>", "<blank>")
    assert len(WORLD.response_words) == len(set(WORLD.response_words)) == 63
    assert set(WORLD.response_words) <= vocabulary
    for phrasing in PHRASINGS:
        world = Instructions(kinds=v.KINDS, demands=3, phrasing=phrasing)
        for prompt in world.prompts(200, rng(14)):
            response = world.demonstrate(prompt, rng(15))
            assert vocabulary.issuperset([*prompt.text.split(), *response.split()])
            assert set(response.split()) <= set(world.response_words)
            assert vocabulary.issuperset(world.critique(prompt, response).split())


def test_strict_means_no_guilty_token_and_back_but_for_missing_words():
    for world in WORLDS:
        for i, prompt in enumerate(world.endless(rng(16))):
            if i == 300:
                break
            response = world.demonstrate(prompt, rng(17, i))
            guilty = -1 in world.blame(prompt, response)
            met = world.met(prompt, response)
            demanded = dict(prompt.truth.demands)
            missing = met.get("use") == 0 or response.split().count(demanded.get("twice")) < 2 * ("twice" in demanded)
            assert not (guilty and world.strict(prompt, response))
            assert guilty or missing or world.strict(prompt, response)


@pytest.mark.parametrize(
    ("demands", "response", "blame"),
    [
        ("use fig , end now , skip or", "grape fig or pear plum", [0, 1, -1, 0, -1, 0]),
        ("use fig , end now , skip or", "grape fig now", [0, 1, 1, -1]),
        ("use fig , end now , skip or", "grape fig wide pear plum fig now", [0, 1, 0, 0, 0, -1, -1, 0]),
        ("begin well , end now", "well pear pear pear now", [1, 0, 0, 0, 1, 0]),
        ("begin well , end now", "", [-1]),
        ("twice fig , without pear", "fig fig fig pear now", [1, 1, -1, -1, 0, 0]),
        ("order nouns", "plum fig red pear now", [0, -1, 0, -1, 0, 0]),
        ("use fig", "fig figs pear pear pear", [1, -1, 0, 0, 0, -1]),
    ],
)
def test_blame(demands, response, blame):
    assert EVERY.blame(prompt_of(f"write 5 words about fruit : {demands} ."), response) == blame


def test_style_trait_fluency_detail():
    assert WORLD.style("red fig big pear") == "A"  # a tie goes to the first
    assert WORLD.style("red fig big pear tall plum") == "B"
    assert WORLD.style("fig") is None
    assert WORLD.trait("red fig big pear tall plum") == pytest.approx(2 / 3)
    assert WORLD.trait("fig and pear") == 0
    assert WORLD.fluency("well red fig and pear now") == 1
    assert WORLD.fluency("red well fig") == 0.75  # of four neighbours only red-well is illegal
    fruit = prompt_of("write 5 words about fruit : use fig .")
    assert WORLD.detail(fruit, "fig fig pear oak") == 0.5
    assert WORLD.detail(fruit, "fig pear plum lemon grape") == 1


def test_restyle_changes_adjectives_only():
    assert WORLD.restyle("big fig and tall pear", "A") == "red fig and blue pear"
    for i, prompt in enumerate(EVERY.prompts(200, rng(18))):
        response = EVERY.demonstrate(prompt, rng(19, i))
        for style in v.STYLES:
            other = EVERY.restyle(response, style)
            assert EVERY.met(prompt, other) == EVERY.met(prompt, response)
            assert EVERY.style(other) == (style if EVERY.style(response) else None)
    with pytest.raises(ValueError, match="style='D'"):
        WORLD.restyle("fig", "D")


def test_gold_knobs():
    prompt = prompt_of("write 4 words about fruit : use fig , skip or , end now .")
    response = "big pear red now"  # length, skip, end; half of the adjectives are of style B
    expected = {"demands": 0.75, "strict": 0.0, "trait": 0.5, "mixed": 0.625, "rare": 0.6}
    for gold, score in expected.items():
        assert Instructions(gold=gold).score(prompt, response) == pytest.approx(score)
    assert Instructions(gold="rare").score(prompt, "royal fig pear now") == pytest.approx(1.0)
    assert Instructions(gold="strict").score(prompt, "royal fig pear now") == 1
    assert Instructions(credit="strict").score(prompt, "fig now") == 0.75
    assert Instructions().score(prompt, "fig now") == 0.875


def test_enumerable_has_258_responses():
    world = Instructions.preset("enumerable")
    responses = world.all_responses()
    assert len(responses) == len(set(responses)) == 6 + 36 + 216 == 258
    prompts = world.prompts(10, rng(20))
    assert all(world.well_formed(y) for y in responses)
    assert all(max(world.score(p, y) for y in responses) == 1 for p in prompts)
    assert not world.well_formed("plum") and not world.well_formed("red fig")
    with pytest.raises(ValueError, match="enumerable"):
        WORLD.all_responses()


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"quality": 1.2}, "quality=1.2"),
        ({"demonstrations": 0}, "demonstrations=0"),
        ({"kinds": ("use", "rhyme")}, "kinds='rhyme'"),
        ({"demands": 5}, "demands=5"),
        ({"lengths": (0, 3)}, "lengths"),
        ({"lengths": ()}, "lengths"),
        ({"credit": "none"}, "credit='none'"),
        ({"styles": (0.5, 0.5, 0.5, 0.0)}, "styles"),
        ({"purity": -1}, "purity=-1"),
        ({"gold": "silver"}, "gold='silver'"),
        ({"trait_style": "Z"}, "trait_style='Z'"),
        ({"skew": "tone"}, "skew='tone'"),
        ({"phrasing": "rude"}, "phrasing='rude'"),
        ({"lexicon": "tiny"}, "lexicon='tiny'"),
    ],
)
def test_wrong_knobs_are_named(knobs, named):
    with pytest.raises(ValueError, match=named):
        Instructions(**knobs)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"n": -1}, "n=-1"),
        ({"split": "test"}, "split='test'"),
        ({"part": 2, "parts": 2}, "part=2"),
        ({"parts": 0}, "parts=0"),
    ],
)
def test_wrong_arguments_of_prompts_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        WORLD.prompts(**{"n": 1, "rng": rng(0), **arguments})


def test_presets():
    with pytest.raises(
        ValueError, match=r"preset='x' is unknown; known are default, cycle, plateau, enumerable, trait"
    ):
        Instructions.preset("x")
    assert Instructions.preset("default") == WORLD == load_world("instructions")
    plateau = load_world("instructions/plateau")
    assert (plateau.quality, plateau.demonstrations) == (0.95, 1500)
    assert Instructions.preset("plateau", quality=0.8).quality == 0.8
    for name in ("cycle", "enumerable", "trait", "teacher", "rare", "many", "strict"):
        world = Instructions.preset(name)
        assert eval(repr(world)) == world and hash(world) == hash(Instructions.preset(name))  # caches key by repr
        prompt = world.prompts(1, rng(21))[0]
        assert 0 <= world.score(prompt, world.demonstrate(prompt, rng(22))) <= 1


def test_combos_leave_a_set_of_kinds_out():
    world = Instructions(combos=(("end", "use", "skip"), ("begin", "use", "skip")))
    kinds = {tuple(kind for kind, _ in p.truth.demands) for p in world.prompts(100, rng(23))}
    assert kinds == {("use", "skip", "end"), ("use", "skip", "begin")}


def test_speed():
    """Loose bounds, several times what a free core needs: they catch a change of order."""
    g = rng(24)
    prompts = WORLD.prompts(2000, g)
    answers = [WORLD.demonstrate(p, g) for p in prompts]
    assert best_time(lambda: [WORLD.score(p, y) for p, y in zip(prompts, answers, strict=True)]) / 2000 < 60e-6
    assert best_time(lambda: WORLD.prompts(256, g)) < 0.05
    assert best_time(lambda: WORLD.corpus(g)) < 2.0


def best_time(call):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_world_needs_no_deep_learning_library():
    heavy = {"torch", "transformers", "datasets"}
    code = (
        f"import sys, autodidact.environments.instructions; print({heavy} & set(sys.modules) | {{m for m in sys.modules"
        " if m.startswith('autodidact.') and not m.startswith('autodidact.environments')})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_prompt_is_plain_data():
    prompt = WORLD.prompts(1, rng(25))[0]
    assert prompt == Prompt(prompt.text, prompt.truth) and hash(prompt)
    with pytest.raises(AttributeError):
        prompt.text = "other"
