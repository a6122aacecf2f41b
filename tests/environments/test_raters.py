"""Raters: exact probabilities, by hand and by simulation."""

import dataclasses
import math

import numpy as np
import pytest

from autodidact.environments.instructions import BradleyTerry, Checker, Cycle, Flipped, Grades, Instructions, Voters

WORLD = Instructions()
PROMPT = WORLD.parse("write 5 words about fruit : use fig , end now , skip or .")
PERFECT = "big fig and pear now"  # gold 1, style B
HALF = "red pear or plum now"  # gold 1/2 (length, end), style A
PLAIN = "fig pear plum apple now"  # gold 1, no style
CALM = "calm fig and pear now"  # gold 1, style C
ROYAL = "royal fig and pear now"  # gold 1, style R
RATERS = [
    BradleyTerry(WORLD),
    BradleyTerry(WORLD, c=3, length=0.3, style={"A": 1.0, "R": -2.0}),
    Voters(WORLD),
    Cycle(WORLD),
    Cycle(WORLD, weight=0.4, by_topic=True),
    Grades(WORLD),
    Grades(WORLD, noise=1.5),
    Checker(WORLD, flip=0.2),
    Flipped(BradleyTerry(WORLD), 0.1),
    Flipped(Cycle(WORLD), 0.3),
]


def rng(*seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("rater", RATERS, ids=lambda r: type(r).__name__)
def test_probabilities_of_both_orders_sum_to_one(rater):
    g = rng(1)
    for prompt in WORLD.prompts(150, g):
        a, b = (WORLD.demonstrate(prompt, g, q) for q in (0.3, 0.9))
        for x, y in ((a, b), (a, ""), (a, a)):
            p = rater.probability(prompt, x, y)
            assert 0 <= p <= 1 and p + rater.probability(prompt, y, x) == pytest.approx(1, abs=1e-12)
        assert rater.probability(prompt, a, a) == pytest.approx(0.5)


@pytest.mark.parametrize("rater", RATERS, ids=lambda r: type(r).__name__)
def test_votes_are_binomial_draws_of_the_probability_and_raters_are_frozen(rater):
    p = rater.probability(PROMPT, PERFECT, HALF)
    assert rater.votes(PROMPT, PERFECT, HALF, 20_000, rng(2)) / 20_000 == pytest.approx(
        p, abs=4 * 0.5 / math.sqrt(20_000)
    )
    assert rater.votes(PROMPT, PERFECT, HALF, 9, rng(3)) == rater.votes(PROMPT, PERFECT, HALF, 9, rng(3))
    assert hash(rater) == hash(dataclasses.replace(rater)) and rater == dataclasses.replace(rater)
    with pytest.raises(dataclasses.FrozenInstanceError):
        rater.rate = 1


def test_golds_of_the_examples():
    assert [WORLD.score(PROMPT, y) for y in (PERFECT, HALF, PLAIN, CALM, ROYAL)] == [1, 0.5, 1, 1, 1]


def test_bradley_terry_by_hand():
    logit = lambda p: math.log(p / (1 - p))  # noqa: E731
    assert BradleyTerry(WORLD).probability(PROMPT, PERFECT, HALF) == pytest.approx(1 / (1 + math.exp(-3)))
    assert logit(BradleyTerry(WORLD, c=4).probability(PROMPT, PERFECT, HALF)) == pytest.approx(2)
    biased = BradleyTerry(WORLD, length=0.15)
    assert logit(biased.probability(PROMPT, PERFECT, PERFECT + " fig")) == pytest.approx(
        6 * (1 - WORLD.score(PROMPT, PERFECT + " fig")) - 0.15
    )
    styled = BradleyTerry(WORLD, style={"A": 1.0})
    assert styled.utility(PROMPT, HALF) == pytest.approx(4) and styled.utility(PROMPT, PERFECT) == pytest.approx(6)
    slotted = BradleyTerry(WORLD, slot=0.5)
    assert logit(slotted.probability(PROMPT, PERFECT, PERFECT)) == pytest.approx(0.5)
    assert logit(slotted.probability(PROMPT, HALF, PERFECT)) == pytest.approx(-2.5)
    assert BradleyTerry(WORLD, c=1e6).probability(PROMPT, HALF, PERFECT) == 0  # no overflow
    with pytest.raises(ValueError, match="style"):
        BradleyTerry(WORLD, style={"Z": 1.0})


def test_a_length_bias_turns_a_gap_of_one_demand_over_at_ten_words():
    rater = BradleyTerry(WORLD, length=0.15)
    assert 0.25 * rater.c == pytest.approx(10 * rater.length)
    malformed = BradleyTerry(WORLD, length=0.3).utility(PROMPT, "junk words")
    assert malformed == pytest.approx(0.6)  # length counts even where gold is 0


def test_voters_stay_within_the_range_that_nine_votes_can_express():
    voters = Voters(WORLD)
    assert (voters.n, voters.c) == (9, 4)
    p = voters.probability(PROMPT, PERFECT, HALF)
    assert math.log(p / (1 - p)) == pytest.approx(2) and math.log(2 * voters.n + 1) > 2
    counts = [voters.count(PROMPT, PERFECT, HALF, rng(4, i)) for i in range(2000)]
    assert max(counts) <= 9 and np.mean(counts) == pytest.approx(9 * p, abs=0.1)
    with pytest.raises(ValueError, match="n=0"):
        Voters(WORLD, n=0)


def test_cycle_values():
    cycle = Cycle(WORLD)
    a, b, c = HALF, PERFECT, CALM
    assert [cycle.probability(PROMPT, *pair) for pair in ((a, b), (b, c), (c, a))] == [0.9, 0.8, 0.6]
    assert [cycle.probability(PROMPT, *pair) for pair in ((b, a), (c, b), (a, c))] == pytest.approx([0.1, 0.2, 0.4])
    for style in (a, b, c):
        for other in (PLAIN, ROYAL):
            assert cycle.probability(PROMPT, style, other) == cycle.probability(PROMPT, other, style) == 0.5
    mixed = Cycle(WORLD, weight=0.25)
    assert mixed.probability(PROMPT, a, b) == pytest.approx(0.25 * 0.9 + 0.75 / (1 + math.exp(3)))


def test_cycle_equilibrium_of_the_docstring_of_the_presets():
    matrix = np.array(Cycle(WORLD).matrix)
    assert matrix @ np.array([0.375, 0.125, 0.5]) == pytest.approx([0.5, 0.5, 0.5])


def test_cycle_by_topic_turns_half_of_the_topics_round():
    cycle = Cycle(WORLD, by_topic=True)
    values = {}
    for topic, noun in (
        ("fruit", "fig"),
        ("birds", "owl"),
        ("tools", "axe"),
        ("meals", "soup"),
        ("games", "tag"),
        ("trees", "oak"),
    ):
        prompt = WORLD.parse(f"write 5 words about {topic} : use {noun} .")
        values[topic] = cycle.probability(prompt, f"red {noun}", f"big {noun}")
        assert values[topic] + cycle.probability(prompt, f"big {noun}", f"red {noun}") == 1
    assert sorted(values.values()) == pytest.approx([0.1] * 3 + [0.9] * 3)


@pytest.mark.parametrize(
    ("knobs", "named"),
    [
        ({"matrix": ((0.5, 0.9), (0.1, 0.5))}, "3 x 3"),
        ({"matrix": ((0.5, 0.9, 0.4), (0.2, 0.5, 0.8), (0.6, 0.2, 0.5))}, "= 1"),
        ({"matrix": ((0.5, 1.5, 0.4), (-0.5, 0.5, 0.8), (0.6, 0.2, 0.5))}, "probabilities"),
        ({"weight": 1.5}, "weight=1.5"),
    ],
)
def test_cycle_refuses_what_is_no_game(knobs, named):
    with pytest.raises(ValueError, match=named):
        Cycle(WORLD, **knobs)


def test_grades_without_noise():
    grades = Grades(WORLD)
    assert grades.grade(PROMPT, PERFECT, rng(5)) == 6
    assert grades.grade(PROMPT, HALF, rng(5)) == 4  # 1 + 2.5 = 3.5, halves go up
    assert grades.grade(PROMPT, "", rng(5)) == 1
    assert grades.distribution(PROMPT, HALF).tolist() == [0, 0, 0, 1, 0, 0]
    assert grades.utility(PROMPT, HALF) == 4
    assert grades.probability(PROMPT, PERFECT, HALF) == 1
    assert grades.probability(PROMPT, PERFECT, PLAIN) == 0.5


def test_noisy_grades_agree_with_their_exact_distribution():
    grades, g = Grades(WORLD, noise=1.5), rng(6)
    drawn = {y: np.array([grades.grade(PROMPT, y, g) for _ in range(20_000)]) for y in (PERFECT, HALF)}
    for y, values in drawn.items():
        assert np.bincount(values, minlength=7)[1:] / 20_000 == pytest.approx(grades.distribution(PROMPT, y), abs=0.015)
        assert grades.distribution(PROMPT, y).sum() == pytest.approx(1)
        assert values.mean() == pytest.approx(grades.utility(PROMPT, y), abs=0.04)
    a, b = drawn.values()
    wins = (a > b).mean() + (a == b).mean() / 2
    assert wins == pytest.approx(grades.probability(PROMPT, PERFECT, HALF), abs=0.015)
    for knobs in ({"points": 1}, {"noise": -1}):
        with pytest.raises(ValueError, match="points="):
            Grades(WORLD, **knobs)


def test_checker():
    checker = Checker(WORLD, flip=0.2)
    assert (checker.utility(PROMPT, PERFECT), checker.utility(PROMPT, HALF)) == (0.8, 0.2)
    # P(yes, no) = 0.64, P(same) = 0.32
    assert checker.probability(PROMPT, PERFECT, HALF) == pytest.approx(0.64 + 0.16)
    yes = [checker.check(PROMPT, PERFECT, rng(7, i)) for i in range(3000)]
    assert np.mean(yes) == pytest.approx(0.8, abs=0.03)
    with pytest.raises(ValueError, match="flip=1.1"):
        Checker(WORLD, flip=1.1)


def test_flipped():
    base = BradleyTerry(WORLD)
    p = base.probability(PROMPT, PERFECT, HALF)
    assert Flipped(base, 0.1).probability(PROMPT, PERFECT, HALF) == pytest.approx(0.9 * p + 0.1 * (1 - p))
    assert Flipped(base, 0.0).probability(PROMPT, PERFECT, HALF) == p
    assert Flipped(base, 0.5).probability(PROMPT, PERFECT, HALF) == 0.5
    assert Flipped(base, 0.1).utility(PROMPT, PERFECT) == base.utility(PROMPT, PERFECT)
    with pytest.raises(ValueError, match="rate=-0.1"):
        Flipped(base, -0.1)
