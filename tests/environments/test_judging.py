"""The world of judging: findings and manners by property, pairwise judges against draws, judgements round trip."""

from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.judging import (
    CRITERIA,
    Judge,
    Judgement,
    Prompt,
    Writer,
    accuracy,
    all_requests,
    corrupt,
    criteria,
    findings,
    gold_judgement,
    manner_of,
    mark,
    noise_for_accuracy,
    noisy_judgement,
    panel,
    parse,
    quality,
    quality_law,
    restyle,
)

WORLD = load_world("judging")
BOAT = Prompt("boat", "sail", "mast", 4, "?")


def rng():
    return np.random.default_rng(7)


def written(n=300, skill=0.5, manner="plain"):
    r = rng()
    return [(x, Writer(skill, manner).write(x, r)) for x in WORLD.prompts(n, r)]


@pytest.mark.parametrize(
    "answer, met",
    [
        ("so , boat has sail and mast today ?", (1, 1, 1, 1, 1)),
        ("so , boat has mast and sail today ?", (1, 0, 1, 1, 1)),
        ("so , oven has sail and mast today .", (0, 1, 1, 1, 0)),
        ("so , boat has sail mast rope and boat today ?", (1, 1, 0, 0, 1)),
        ("so , zebra has sail and mast today ?", (0, 0, 0, 0, 0)),
        ("", (0, 0, 0, 0, 0)),
    ],
)
def test_findings_by_hand(answer, met):
    assert tuple(findings(BOAT, answer).values()) == met
    assert quality(BOAT, answer) == sum(met)


def test_held_out_pairs_never_occur_in_training_in_either_order():
    train, held = all_requests("train"), all_requests("held-out")
    assert len(train) + len(held) == 7200
    pairs = [{(x.topic, frozenset((x.first, x.second))) for x in split} for split in (train, held)]
    assert not pairs[0] & pairs[1]
    assert (len(pairs[0]), len(pairs[1])) == (24 * 11, 24 * 4)


@pytest.mark.parametrize("manner", ["plain", "brisk", "neutral"])
def test_restyling_keeps_findings_and_length_and_is_idempotent(manner):
    for x, y in written():
        other = restyle(y, manner)
        assert findings(x, other) == findings(x, y)
        assert restyle(other, manner) == other
        assert len(other.split()) == len(y.split())
        assert manner_of(other) == manner


def test_mixed_manner_is_none():
    assert manner_of("so , boat carries sail and mast today ?") is None


def test_a_writer_meets_each_finding_with_its_skill_whatever_its_manner():
    for manner in ("plain", "brisk"):
        rates = np.mean([list(findings(x, y).values()) for x, y in written(3000, (0.2, 0.4, 0.6, 0.8, 0.9), manner)], 0)
        np.testing.assert_allclose(rates, (0.2, 0.4, 0.6, 0.8, 0.9), atol=0.035)


def test_a_tokenizer_knows_every_word():
    words = {w for x, y in written() for w in WORLD.compare_prompt(x, y, y).split()}
    assert words <= set(WORLD.vocabulary)


@pytest.mark.parametrize("preset", ["default", "dbg", "findings"])
def test_corpus_holds_its_tasks_in_turn_of_training_requests_with_right_letters(preset):
    world = replace(load_world(f"judging/{preset}"), demonstrations=240)
    train, texts = {x.text: x for x in all_requests("train")}, world.corpus(rng())
    seen = {"write": [], "compare": [], "judge": []}
    for prompt, response in texts:
        task = "compare" if prompt.endswith("Better answer :") else "judge" if prompt.endswith("Judge :") else "write"
        seen[task].append((prompt, response))
        assert {*prompt.split(), *response.split()} <= set(world.vocabulary)
    assert {task: len(items) / 240 for task, items in seen.items()} == {
        task: world.tasks.count(task) / len(world.tasks) for task in seen
    }
    assert all(prompt in train for prompt, _ in seen["write"])
    for prompt, letter in seen["compare"]:
        x = train[prompt.removeprefix("Request : ").partition(" A : ")[0]]
        a, b = prompt.partition(" A : ")[2].removesuffix(" Better answer :").split(" B : ")
        assert (letter == "A") == (quality(x, a) > quality(x, b)) and quality(x, a) != quality(x, b)
        assert manner_of(a) == manner_of(b) == "neutral"
    letters = [letter for _, letter in seen["compare"]]
    assert not letters or 0.3 < letters.count("A") / len(letters) < 0.7
    assert all(parse(response) is not None for _, response in seen["judge"])


def test_manner_and_topics_of_a_corpus_are_those_that_were_set():
    world = load_world("judging/dbg")
    plain = replace(world, written="plain", compared="brisk", demonstrations=120, tasks=("write", "compare"))
    for prompt, response in plain.corpus(rng()):
        answers = prompt.partition(" A : ")[2].removesuffix(" Better answer :").split(" B : ")
        assert [manner_of(y) for y in answers] == ["brisk"] * 2 if answers[0] else manner_of(response) == "plain"
    assert len({x.topic for x in world.prompts(400, rng(), "held-out")}) == world.topics == 6


def test_real_prompts_are_rewritten_and_scored_on_what_is_judged(mirror, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(mirror))
    world = load_world("judging/ifeval")
    (x,) = world.prompts(1, rng())
    bare = "Words without commas"
    assert world.quality(x, bare) == 1 and world.manner_of(bare) == "neutral"
    for manner in world.manners:
        dressed = world.restyle(bare, manner)
        assert world.manner_of(dressed) == manner and bare in dressed
        assert world.restyle(dressed, manner) == dressed
        assert world.restyle(world.restyle(dressed, "brisk"), "neutral") == bare
    assert world.quality(x, world.restyle(bare, "brisk")) == 2  # five words are asked for: gold sees what is judged
    plain, brisk = (world.restyle(bare, manner).split() for manner in world.manners)
    assert len(plain) == len(brisk)
    mixed = world.restyle(bare, "plain").replace("I hope that it is of use.", "Just tell me if it needs work.")
    assert world.manner_of(mixed) is None
    assert "Answer A: one\n\nAnswer B: two\n" in world.compare_prompt(x, "one", "two")


@pytest.mark.parametrize("link", ["logistic", "threshold"])
def test_probability_against_draws(link):
    judge = Judge(slope=0.8, vanity=0.6, own_manner="plain", slot=0.3, noise=1.2, link=link)
    a, b = "so , boat has sail and mast today ?", "well , boat carries mast plus sail folks ?"
    z = 0.8 * 1 + 0.6 + 0.3 + 1.2 * rng().standard_normal(100_000)
    drawn = (z > 0).mean() if link == "threshold" else (1 / (1 + np.exp(-z))).mean()
    assert judge.probability(BOAT, a, b) == pytest.approx(drawn, abs=0.005)
    fair = Judge(vanity=0.6, own_manner="plain", noise=1.2, link=link)
    assert fair.probability(BOAT, a, b) + fair.probability(BOAT, b, a) == pytest.approx(1)


def test_equal_answers_get_a_coin():
    y = "so , boat has sail and mast today ?"
    assert Judge().probability(BOAT, y, y) == 0.5


@pytest.mark.parametrize("p", [0.6, 0.74, 0.92])
def test_noise_for_accuracy_against_draws(p):
    noise = noise_for_accuracy(p, -1, 1.5)
    q = panel(100_000, -1, 1.5, rng())
    said = q + noise * np.random.default_rng(8).standard_normal(len(q)) > 0
    assert (said == (q > 0)).mean() == pytest.approx(p, abs=0.006)
    assert accuracy(noise, -1, 1.5) == pytest.approx(p, abs=1e-6)


def test_accuracy_of_a_vain_judge_against_draws():
    q = panel(200_000, 0.5, 1.5, rng())
    said = q + 1 + 1.3 * np.random.default_rng(8).standard_normal(len(q)) > 0
    assert accuracy(1.3, 0.5, 1.5, vanity=1.0) == pytest.approx((said == (q > 0)).mean(), abs=0.005)
    assert accuracy(0.0, 0.0, 1.5, vanity=1.5) == pytest.approx(1 - 0.3413, abs=1e-3)  # wrong where -1.5 < q < 0


def test_quality_law_has_the_moments_of_the_panel():
    q, weights = quality_law(-1.0, 1.5)
    assert weights.sum() == pytest.approx(1) and weights @ q == pytest.approx(-1.0)
    assert weights @ (q + 1) ** 2 == pytest.approx(1.5**2, rel=1e-6)


def test_an_opponent_meets_findings_as_its_skill_says():
    r = rng()
    found = {s: [quality(x, WORLD.opponent(x, r, s)) for x in WORLD.prompts(200, r)] for s in (0.2, 0.9)}
    assert np.mean(found[0.9]) == pytest.approx(4.5, abs=0.15) and np.mean(found[0.2]) < 2
    assert manner_of(WORLD.opponent(BOAT, r, 0.5)) == "neutral"


def test_sentences_are_judged_by_their_three_demands():
    world = load_world("judging/sentences")
    train, held = (world.prompts(90, rng(), split) for split in ("train", "held-out"))
    names = [{(x.truth.topic, x.truth.word) for x in some} for some in (train, held)]
    assert len(names[0]) == len(names[1]) == 90 and not names[0] & names[1]
    x = train[0]
    good = f"The {x.truth.word} is here."
    assert world.quality(x, good) == 3 and world.score(x, good) == 1
    assert world.quality(x, f"{good} It is here.") == 2 and world.quality(x, "It is here.") == 2
    assert world.quality(x, "It is. It is. " + "so " * 30) == 0 == world.quality(x, "")
    for skill, want in ((1.0, 3), (0.0, 0)):
        assert {world.quality(x, world.opponent(x, rng(), skill)) for x in train} == {want}
    assert x.text in world.compare_prompt(x, "one", "two") and world.restyle(good, "neutral") == good
    with pytest.raises(ValueError, match="n=500"):
        world.prompts(500, rng())


def test_criteria_and_marks():
    assert len(CRITERIA) == 65
    for criterion in criteria(200, rng()):
        assert sum(w for _, w in criterion) == 4
        for x, y in written(3):
            assert mark(x, y, criterion) == 1 + sum(w for name, w in criterion if findings(x, y)[name])
            said = parse(gold_judgement(x, y, criterion), criterion)
            assert said.consistent and said.mark == mark(x, y, criterion)
            assert all(said.findings[name] == findings(x, y)[name] for name, _ in criterion)


@pytest.mark.parametrize("text", ["", "mark : 4", "order : maybe . mark : 3", "order : yes . mark : 9", "(((", "a\n\0"])
def test_parse_of_any_text_is_none_and_not_an_error(text):
    assert parse(text) is None


def test_corruption_changes_what_it_says():
    criterion = (("order", 2), ("topic", 1), ("ending", 1))
    right = Judgement({"order": True, "topic": False, "ending": True}, 4, criterion)
    for _ in range(50):
        r = np.random.default_rng(_)
        flipped, slipped, both = (corrupt(right, r, what) for what in ("findings", "mark", "both"))
        assert flipped.mark == 4 and sum(flipped.findings[k] != right.findings[k] for k in right.findings) == 1
        assert slipped.findings == right.findings and 1 <= abs(slipped.mark - 4) <= 2 and 1 <= slipped.mark <= 5
        assert both.consistent and sum(both.findings[k] != right.findings[k] for k in right.findings) == 1


def test_noise_of_judgements_has_the_rates_that_were_set():
    criterion, r = (("order", 2), ("ending", 2)), rng()
    y = "so , boat has sail and mast today ?"
    said = [parse(noisy_judgement(BOAT, y, criterion, r), criterion) for _ in range(4000)]
    assert np.mean([j.findings["order"] for j in said]) == pytest.approx(0.85, abs=0.02)
    assert np.mean([j.consistent for j in said]) == pytest.approx(0.90, abs=0.02)
    turned = [parse(noisy_judgement(BOAT, y, criterion, r, inverted=("ending", 1.0)), criterion) for _ in range(50)]
    assert not any(j.findings["ending"] for j in turned)


@pytest.mark.parametrize(
    "wrong, word",
    [
        (lambda: restyle("so", "loud"), "manner"),
        (lambda: Writer(1.2), "skill"),
        (lambda: Judge(noise=-1), "noise"),
        (lambda: Judge(link="probit"), "link"),
        (lambda: noise_for_accuracy(0.5, 0, 1), "p=0.5"),
        (lambda: panel(0, 0, 1, rng()), "n=0"),
        (lambda: WORLD.prompts(1, rng(), "test"), "split"),
        (lambda: load_world("judging/none"), "preset"),
        (lambda: replace(WORLD, tasks=("sing",)), "tasks"),
        (lambda: replace(WORLD, compared="loud"), "compared"),
        (lambda: replace(WORLD, topics=25), "topics"),
        (lambda: load_world("judging/ifeval").restyle("so", "loud"), "manner"),
    ],
)
def test_bad_input_is_named(wrong, word):
    with pytest.raises(ValueError, match=word):
        wrong()
