"""What the procedural world writes: demonstrations and their calibration, edits, paraphrases, forms."""

import itertools

import numpy as np
import pytest

from autodidact.environments.instructions import Instructions, forms, style_frequencies
from autodidact.environments.instructions import vocabulary as v

WORLD = Instructions()
HARD = Instructions(kinds=v.KINDS, demands=4)
WORLDS = [WORLD, HARD, Instructions.preset("many"), Instructions.preset("enumerable"), Instructions.preset("strict")]
PHRASED = [Instructions(kinds=v.KINDS, demands=2, phrasing=phrasing) for phrasing in ("vague", "rich")]


def rng(*seed):
    return np.random.default_rng(seed)


def some(world, n, seed, quality=None):
    """(prompt, demonstration) pairs."""
    g = rng(seed)
    return [(p, world.demonstrate(p, g, quality)) for p in itertools.islice(world.endless(g), n)]


@pytest.mark.parametrize("world", [*WORLDS, *PHRASED], ids=range(7))
def test_a_perfect_demonstrator_meets_every_demand_fluently(world):
    for prompt, response in some(world, 400, 1, quality=1.0):
        assert world.score(prompt, response) == 1, (prompt, response)
        assert world.strict(prompt, response)
        assert world.fluency(response) == 1


@pytest.mark.parametrize("world", [*WORLDS, *PHRASED], ids=range(7))
def test_an_imperfect_demonstrator_stays_well_formed_and_fluent(world):
    for _, response in some(world, 400, 2, quality=0.3):
        assert world.well_formed(response)
        assert world.fluency(response) == 1


CALIBRATION = {
    0.5: (0.69, 0.17),
    0.6: (0.76, 0.27),
    0.7: (0.81, 0.40),
    0.8: (0.87, 0.53),
    0.95: (0.97, 0.86),
    1: (1, 1),
}


@pytest.mark.parametrize("quality", CALIBRATION)
def test_gold_of_demonstrations_by_quality(quality):
    """The figures that the docstring and the presets rely on, over 4,000 draws (standard error below 0.008)."""
    pairs = some(WORLD, 4000, 3, quality)
    gold, strict = CALIBRATION[quality]
    assert np.mean([WORLD.score(p, y) for p, y in pairs]) == pytest.approx(gold, abs=0.03)
    assert np.mean([WORLD.strict(p, y) for p, y in pairs]) == pytest.approx(strict, abs=0.03)


def test_figures_of_the_docstring():
    assert "0.6: mean gold 0.76, 0.95: 0.97" in Instructions.__doc__
    assert np.mean([WORLD.score(p, y) for p, y in some(WORLD, 3000, 4, 0.6)]) == pytest.approx(0.76, abs=0.015)
    assert np.mean([WORLD.score(p, y) for p, y in some(WORLD, 3000, 4, 0.95)]) == pytest.approx(0.97, abs=0.01)


def test_every_demand_is_honoured_independently_with_probability_q():
    """Met = honoured or by chance, so the share met is q + (1 - q) c with c the share at q = 0."""
    by_chance, at_q = ({k: np.mean(x) for k, x in credits(q).items()} for q in (0.0, 0.7))
    for kind, chance in by_chance.items():
        assert at_q[kind] == pytest.approx(0.7 + 0.3 * chance, abs=0.04), kind
    assert 0.1 < by_chance["begin"] < 0.15  # one free opener in two, one of four right
    assert all(chance < 0.75 for chance in by_chance.values())


def credits(quality):
    result = {}
    for prompt, response in some(WORLD, 3000, 5, quality):
        for kind, credit in WORLD.met(prompt, response).items():
            result.setdefault(kind, []).append(credit)
    return result


def test_skew_always_honours_one_kind():
    for kind in ("length", "end"):
        world = Instructions(skew=kind, quality=0.2)
        met = [world.met(p, y) for p, y in some(world, 300, 6)]
        assert all(m.get(kind, 1) == 1 for m in met)
        assert np.mean([m.get("begin", 0) for m in met]) < 0.5


def test_styles_of_demonstrations_follow_the_knob_and_are_independent_of_gold():
    pairs = some(WORLD, 6000, 7)
    frequencies = style_frequencies([y for _, y in pairs], among=("A", "B", "C", "R"))
    assert frequencies == pytest.approx([0.33, 0.33, 0.32, 0.02], abs=0.025)
    assert (
        abs(np.corrcoef([WORLD.score(p, y) for p, y in pairs], [WORLD.style(y) == "B" for _, y in pairs])[0, 1]) < 0.05
    )
    styled = [WORLD.demonstrate(p, rng(8, i), styles=(0, 1, 0, 0)) for i, (p, _) in enumerate(pairs[:1500])]
    adjectives = [v.STYLE_OF[word] for y in styled for word in y.split() if word in v.STYLE_OF]
    assert np.mean([style == "B" for style in adjectives]) == pytest.approx(0.9 + 0.1 / 3, abs=0.02)  # purity 0.9
    assert "R" not in adjectives
    with pytest.raises(ValueError, match="styles"):
        WORLD.demonstrate(pairs[0][0], rng(0), styles=(1, 1, 0, 0))
    with pytest.raises(ValueError, match="quality"):
        WORLD.demonstrate(pairs[0][0], rng(0), quality=2)


def test_style_frequencies_are_shares_among_the_styles_asked_for():
    responses = ["red fig", "red pear", "big fig", "royal fig", "fig", "happy fig"]
    assert style_frequencies(responses) == [0.5, 0.25, 0.25]
    assert style_frequencies(responses, among=("A", "R")) == pytest.approx([2 / 3, 1 / 3])
    assert style_frequencies(["fig"]) == pytest.approx([1 / 3] * 3)


def test_phrasings_set_length_and_detail():
    vague, rich = PHRASED
    for prompt, response in some(vague, 300, 9, quality=0.9):
        nouns = [word for word in response.split() if word in v.TOPIC_OF]
        needed = 2 * ("twice" in dict(prompt.truth.demands)) + ("use" in dict(prompt.truth.demands))
        assert 3 <= len(response.split()) <= 5 and 1 <= len(nouns) <= max(2, needed)
        assert "length" not in vague.met(prompt, response)
    for prompt, response in some(rich, 300, 9, quality=0.9):
        nouns = [word for word in response.split() if word in v.TOPIC_OF]
        assert 8 <= len(response.split()) <= 11 and len(nouns) >= 4
        assert "in detail" in prompt.text
    assert np.mean([rich.detail(p, y) for p, y in some(rich, 300, 9)]) > 0.9


def test_corpus_is_the_training_split_without_early_repeats():
    corpus = WORLD.corpus(rng(10))
    truths = [WORLD.parse(text).truth for text, _ in corpus]
    assert len(corpus) == 4000 == len(set(truths))
    held_out = {p.truth for p in WORLD.prompts(2000, rng(11), split="held-out")}
    assert not held_out & set(truths)
    small = Instructions.preset("enumerable", demonstrations=500)
    texts = [text for text, _ in small.corpus(rng(12))]
    counts = {truth: 0 for truth in map(lambda t: small.parse(t).truth, texts)}
    for text in texts:
        counts[small.parse(text).truth] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("world", WORLDS, ids=range(5))
@pytest.mark.parametrize("k", [1, 2, 5])
def test_corrupt_breaks_exactly_k_of_the_met_demands(world, k):
    for i, (prompt, response) in enumerate(some(world, 150, 13, quality=0.9)):
        before = world.met(prompt, response)
        corrupted, positions = world.corrupt(prompt, response, rng(14, i), k)
        after = world.met(prompt, corrupted)
        broken = [kind for kind in before if before[kind] == 1 and after[kind] < 1]
        assert len(broken) == min(k, sum(credit == 1 for credit in before.values())), (prompt, response, corrupted)
        assert all((after[kind] == 1) == (before[kind] == 1) for kind in before if kind not in broken)
        assert world.well_formed(corrupted)
        assert positions and all(0 <= at <= len(corrupted.split()) for at in positions)
        untouched = [w for at, w in enumerate(corrupted.split()) if at not in positions]
        assert is_subsequence(untouched, response.split())


def is_subsequence(short, long):
    rest = iter(long)
    return all(word in rest for word in short)


def test_corrupt_leaves_partial_credit_alone_where_it_can():
    for i, (prompt, response) in enumerate(some(WORLD, 400, 15, quality=0.8)):
        before = WORLD.met(prompt, response)
        corrupted, _ = WORLD.corrupt(prompt, response, rng(16, i))
        after = WORLD.met(prompt, corrupted)
        assert sum(after[kind] != before[kind] for kind in before) == 1


def test_corrupt_of_a_response_that_meets_nothing_is_the_response():
    prompt = WORLD.parse("write 5 words about fruit : use fig , begin well .")
    for response in ("pear", "", "junk and fig"):
        assert WORLD.corrupt(prompt, response, rng(0), 3) == (response, ())
    assert WORLD.corrupt(prompt, "well fig", rng(0), 0) == ("well fig", ())
    with pytest.raises(ValueError, match="k=-1"):
        WORLD.corrupt(prompt, "well fig", rng(0), -1)


def test_corrupt_positions_of_a_worked_example():
    prompt = WORLD.parse("write 3 words about fruit : begin well .")
    seen = {kind: set() for kind in ("begin", "length")}
    for i in range(60):
        text, positions = WORLD.corrupt(prompt, "well fig pear", rng(17, i))
        kind = "length" if len(text.split()) != 3 else "begin"
        seen[kind].add(positions)
    assert seen["begin"] == {(0,)}
    assert seen["length"] <= {(1,), (2,), (3,)} and len(seen["length"]) > 1


@pytest.mark.parametrize("world", [*WORLDS, *PHRASED], ids=range(7))
def test_repair_meets_every_demand_and_leaves_right_responses_alone(world):
    for i, (prompt, response) in enumerate(some(world, 60, 18, quality=0.5)):
        repaired = world.repair(prompt, response, rng(19, i))
        assert world.score(prompt, repaired) == 1 and world.strict(prompt, repaired)
        assert world.repair(prompt, repaired, rng(20, i)) == repaired
        assert world.strict(prompt, world.repair(prompt, response, rng(19, i), extra=2))


@pytest.mark.parametrize("junk", ["", "figs", "a b c d e f g h i j k l m n o p q r s t u v w x y z", "fig <eos> fig"])
def test_repair_of_junk(junk):
    for prompt in HARD.prompts(5, rng(21)):
        assert HARD.strict(prompt, HARD.repair(prompt, junk, rng(22)))


def test_repair_uses_the_least_number_of_edits():
    """Checked by brute force over every response of the enumerable world."""
    world = Instructions.preset("enumerable")
    responses = world.all_responses()
    for i, prompt in enumerate(world.prompts(8, rng(23))):
        right = [y.split() for y in responses if world.strict(prompt, y)]
        for response in responses[:: 17 + i]:
            least = min(distance(response.split(), y) for y in right)
            assert distance(response.split(), world.repair(prompt, response, rng(24)).split()) == least


def distance(a, b):
    """Levenshtein distance in words."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def test_repair_extra_makes_that_many_irrelevant_edits():
    for i, (prompt, response) in enumerate(some(WORLD, 150, 25, quality=1)):
        edited = WORLD.repair(prompt, response, rng(26, i), extra=1)
        assert distance(response.split(), edited.split()) == 1 and len(edited.split()) == len(response.split())
    with pytest.raises(ValueError, match="extra=-1"):
        WORLD.repair(prompt, response, rng(0), extra=-1)


def test_repair_refuses_a_prompt_that_nothing_satisfies():
    from autodidact.environments.instructions import Prompt, Truth

    impossible = Prompt("by hand", Truth("fruit", 1, (("begin", "well"), ("end", "now"))))
    with pytest.raises(ValueError, match="no response can meet"):
        WORLD.repair(impossible, "fig", rng(0))


def test_paraphrase_keeps_drops_or_changes_demands():
    kept, sizes = [], []
    for i, prompt in enumerate(HARD.prompts(400, rng(27))):
        assert HARD.intent(prompt, HARD.paraphrase(prompt, rng(28, i))) == 1
        other = HARD.paraphrase(prompt, rng(28, i), keep=0.5)
        assert HARD.parse(other.text) == other
        kept.append(sum(demand in other.truth.demands for demand in prompt.truth.demands) / 4)
        sizes.append(len(other.truth.demands))
    assert np.mean(kept) == pytest.approx(0.5, abs=0.04)
    assert 2.0 < np.mean(sizes) < 3.9  # of four, half are kept, some of the others changed, the rest dropped
    with pytest.raises(ValueError, match="keep=2"):
        HARD.paraphrase(prompt, rng(0), keep=2)
    with pytest.raises(ValueError, match="phrasing='odd'"):
        HARD.paraphrase(prompt, rng(0), phrasing="odd")


def test_paraphrase_into_other_phrasings_and_intent():
    prompt = WORLD.parse("write 7 words about games : begin yes , use tag , skip and .")
    for phrasing, start in (("vague", "write about games : "), ("rich", "write about games in detail : ")):
        other = WORLD.paraphrase(prompt, rng(29), phrasing=phrasing)
        assert other.text.startswith(start) and other.truth.length is None
        assert WORLD.intent(prompt, other) == pytest.approx(4 / 5)  # the length is gone
        back = WORLD.paraphrase(other, rng(30), phrasing="plain")
        assert back.truth.length in WORLD.lengths and WORLD.intent(other, back) == 1
    assert WORLD.intent(prompt, None) == 0
    assert WORLD.intent(prompt, WORLD.parse("write 7 words about trees : begin so .")) == pytest.approx(1 / 5)


def test_judge_form_in_both_orders():
    world = Instructions.preset("trait")
    made = world.examples("judge", 300, rng(31))
    assert len(made) == 300
    for (text, target), (swapped, other) in (
        itertools.batched(made, 2) if hasattr(itertools, "batched") else pairs(made)
    ):
        prompt, first, second = taken_apart(text)
        assert taken_apart(swapped) == (prompt, second, first)
        gap = world.score(world.parse(prompt), first) - world.score(world.parse(prompt), second)
        assert (target, other) == (("first", "second") if gap > 0 else ("second", "first")) and gap != 0
        assert set(world.vocabulary).issuperset([*text.split(), target]) and len(text.split()) <= 56
    assert forms.judge_both("p", "a", "b") == ("p first : a second : b which ?", "p first : b second : a which ?")


def pairs(items):
    return zip(items[::2], items[1::2], strict=True)


def taken_apart(text):
    prompt, rest = text.split(" first : ")
    first, second = rest.removesuffix(" which ?").split(" second : ")
    return prompt, first, second


def test_judge_labels_are_flipped_at_the_given_rate():
    world = Instructions.preset("trait")
    clean, noisy = (dict(world.examples("judge", 2000, rng(32), flip=flip)) for flip in (0.0, 0.2))
    assert clean.keys() == noisy.keys()
    assert np.mean([clean[text] != noisy[text] for text in clean]) == pytest.approx(0.2, abs=0.035)


def test_plain_form_is_prompt_and_demonstration():
    made = WORLD.examples("plain", 100, rng(33), quality=1.0, part=1, parts=3)
    other = WORLD.examples("plain", 100, rng(33), quality=1.0, part=2, parts=3)
    assert len(made) == 100 and all(WORLD.score(WORLD.parse(text), y) == 1 for text, y in made)
    assert not {text for text, _ in made} & {text for text, _ in other}
