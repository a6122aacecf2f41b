"""The self-preference notebook: its closed forms against draws, what an arm is taught, and how judges are scored."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom, spearmanr

from autodidact import judges
from autodidact.claims import papers_folder
from autodidact.environments import load_world
from autodidact.environments.judging import (
    Judge,
    Writer,
    accuracy,
    gold_votes,
    manner_of,
    noise_for_accuracy,
    panel,
    quality,
    quality_law,
)
from autodidact.streams import stream
from tests.papers.notebooks import measure, seeds_stand_alone

WORLD = load_world("judging/dbg")
# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 4, "threads": 1, "train_prompts": 12, "steps": 2, "batch_size": 4, "heldout": 8, "attention_pairs": 3,
    "ladder": [8, 64], "ladder_base_rates": [4e-3, 4e-3], "ladder_rates": [1e-3, 1e-3],
}  # fmt: skip


def test_seeds_together_are_seeds_apart_bit_for_bit():
    seeds_stand_alone(lambda **seeds: measure("dbg-self-preference", **LEAST, **seeds))


@pytest.fixture(scope="module")
def cells():
    """The functions of the cells that hold the closed forms, that teach and that judge."""
    path = papers_folder() / "dbg-self-preference/dbg-self-preference.ipynb"
    sources = ["".join(c["source"]) for c in json.loads(path.read_text())["cells"]]
    settings = {
        "spread": 1.5, "gold_judges": 3, "gold_noise": 0.7, "judge_noise": 0.7, "lean": 0.75, "heldout": 60,
        "skilled": 0.9, "unskilled": 0.2, "judge_steps": 5, "judge_rate": 0.1, "train_prompts": 40,
    }  # fmt: skip
    stubbed = SimpleNamespace(**{name: getattr(judges, name) for name in judges.__all__})
    stubbed.both_orders = lambda judge, template, items: np.array([[judge(*item), judge(*item)] for item in items])
    stubbed.likelihood_outcomes = lambda judge, items: np.ones(len(items))
    names = {
        "stream": stream, "study": SimpleNamespace(progress=lambda stage: None), "lab": SimpleNamespace(),
        "np": np, "partial": partial, "judges": stubbed, "environment": WORLD, "p": SimpleNamespace(**settings),
        "A": "plain", "B": "brisk", "ndtr": ndtr, "binom": binom, "spearmanr": spearmanr, "accuracy": accuracy,
        "noise_for_accuracy": noise_for_accuracy, "quality_law": quality_law,
    }  # fmt: skip
    for name in ("def expected(", "def as_right(", "def lessons(", "def verdicts(", "def taught("):
        (source,) = [x for x in sources if name in x]
        exec(source, names)
    names["written"] = lambda models, asked, s: [[Writer(0.5, "plain").write(x, stream(s, "evaluate")) for x in asked]]
    return SimpleNamespace(**names, names=names)


def taught(cells, shared, lean, n=500):
    rng = np.random.default_rng(0)
    asked = WORLD.prompts(n, rng)
    answers = [[Writer(0.5, "neutral").write(x, rng) for _ in range(2)] for x in asked]
    texts = cells.lessons(asked, answers, "plain", "brisk", shared, lean, rng)
    pairs = [(text, letter) for text, letter in texts if letter in ("A", "B")]
    return {x.text: x for x in asked}, [(x, y) for x, y in texts if (x, y) not in set(pairs)], pairs


@pytest.mark.parametrize("shared, lean", [(False, 0.5), (False, 0.75), (True, 0.5)])
def test_lessons_have_exact_labels_both_orders_and_the_manners_of_their_arm(cells, shared, lean):
    asked, written, pairs = taught(cells, shared, lean)
    own = np.mean([manner_of(y) == "plain" for _, y in written])
    assert own == (pytest.approx(0.5, abs=0.05) if shared else 1)
    better_own = []
    for text, letter in pairs:
        head, _, tail = text.partition(" A : ")
        a, b = tail.removesuffix(" Better answer :").split(" B : ")
        x = asked[head.removeprefix("Request : ")]
        better, worse = (a, b) if letter == "A" else (b, a)
        assert quality(x, better) > quality(x, worse) and {manner_of(a), manner_of(b)} == {"plain", "brisk"}
        better_own.append(manner_of(better) == "plain")
    assert [letter for _, letter in pairs] == ["A", "B"] * (len(pairs) // 2)
    assert np.mean(better_own) == pytest.approx(lean, abs=0.06)


CASES = [{}, {"gap": 1.0, "bias": 1.0, "noise": 2.0}, {"gap": -1.0, "noise": 4.0}, {"gap": 0.5, "leans": 0.5}]


@pytest.mark.parametrize("case", [*CASES, {"gap": 1.0, "gold_noise": 4.0}, {"slot": 1.0}, {"gap": 2.0, "bias": 0.5}])
def test_the_closed_forms_are_what_many_draws_give(cells, case):
    case = {"gap": 0.0, "bias": 0.0, "noise": 0.7, "slot": 0.0, "gold_noise": 0.7, "leans": 0.0} | case
    rng, n = np.random.default_rng(3), 400_000
    q = panel(n, case["gap"], 1.5, rng)
    votes = gold_votes(q - case["leans"], 3, case["gold_noise"], rng)
    judge = Judge(vanity=case["bias"], slot=case["slot"], noise=case["noise"])
    orders, gold = judge.both_orders(q, np.ones(n), rng), judges.pooled_gold(votes)
    outcome, found = judges.hard_labels(orders), cells.expected(**case)
    assert found["DBG"] == pytest.approx(judges.dbg_score(outcome, gold), abs=0.35)  # four standard errors
    assert found["naive"] == pytest.approx(judges.naive_score(outcome), abs=0.65)
    assert found["own first"] == pytest.approx(judges.dbg_score(judges.hard_labels(orders[:, :1]), gold), abs=0.35)
    assert found["corrected"] == pytest.approx(judges.corrected_score(outcome, votes), abs=0.025)


def test_closed_forms_by_hand(cells):
    vain = cells.expected(0.0, 1.5, noise=1e-6, gold_noise=1e-6)
    assert vain["DBG"] == pytest.approx(100 * 0.3413, abs=0.1)  # P(-1.5 < q < 0), one standard deviation
    assert vain["naive"] == pytest.approx(2 * vain["DBG"], abs=0.1)
    assert cells.expected(1.0, -1.0)["naive"] == pytest.approx(0)  # a bias against itself undoes the gap
    chance = cells.expected(1.0, noise=1e5)
    assert chance["naive"] == pytest.approx(0, abs=1e-2) and chance["DBG"] < -20  # all that gold gives the good writer


def test_an_unbiased_judge_that_is_right_as_often_as_a_vain_one(cells):
    noise = cells.LOUD[1.0, 0.74]
    rng = np.random.default_rng(5)
    q = panel(200_000, 1.0, 1.5, rng)
    right = np.mean((q + 1 + noise * rng.standard_normal(len(q)) > 0) == (q > 0))
    alike = cells.expected(1.0, noise=noise_for_accuracy(right, 1.0, 1.5))["DBG"]
    assert cells.as_right(1.0, 0.74) == pytest.approx(alike, abs=0.3)


def test_a_judge_of_its_own_answers_and_one_that_is_neither(cells):
    rng = np.random.default_rng(0)
    asked = WORLD.prompts(200, rng)
    own = [[Writer(skill, manner).write(x, rng) for x in asked] for skill, manner in ((0.8, "plain"), (0.4, "brisk"))]

    def of(manner):
        return lambda x, a, b: 0.5 + 0.4 * ((manner_of(a) == manner) - (manner_of(b) == manner))

    gold = np.mean([(np.sign(quality(x, a) - quality(x, b)) + 1) / 2 for x, a, b in zip(asked, *own, strict=True)])
    vain = cells.mutual([of("plain"), of("brisk")], asked, own)
    np.testing.assert_allclose(vain["DBG"], [100 * (1 - gold), 100 * gold])
    np.testing.assert_allclose(vain["naive"], [100, 100])
    np.testing.assert_allclose(vain["gold"], [100 * gold, 100 * (1 - gold)])
    neither = cells.mutual([of("plain"), of("plain")], asked, own)
    assert neither["DBG"].sum() == pytest.approx(0)
    fixed = cells.mutual([of("plain"), of("brisk")], asked, own, own)  # set against itself: all ties
    np.testing.assert_allclose(fixed["DBG"], [0, 0])


def test_right_counts_unequal_pairs_only(cells):
    rng = np.random.default_rng(1)
    asked = WORLD.prompts(100, rng)
    own = [[Writer(0.5, manner).write(x, rng) for x in asked] for manner in ("plain", "brisk")]
    knows = lambda x, a, b: 0.5 + 0.1 * (quality(x, a) - quality(x, b) + 0.5)  # noqa: E731  calls ties its own
    assert list(cells.mutual([knows, knows], asked, own)["right"]) == [100, 100]


def test_opponents_move_gold_and_a_judge_as_it_judges(cells):
    asked = {x.text: x for x in WORLD.prompts(60, stream(5, "held-out"), split="held-out")}
    fair = lambda x, a, b: 0.5 + 0.1 * np.sign(quality(x, a) - quality(x, b))  # noqa: E731
    found, coin = cells.opposed(fair, 5), cells.opposed(lambda x, a, b: 0.5, 5)
    assert len(asked) == 60 == len(found["gold moves"]) and found["gold moves"].mean() > 50
    np.testing.assert_array_equal(found["judge moves"], found["gold moves"])  # so DBG does not change
    np.testing.assert_array_equal(found["DBG, better"], np.zeros(60))
    np.testing.assert_array_equal(found["naive, better"] - found["naive, worse"], -2 * found["gold moves"])
    np.testing.assert_array_equal(coin["judge moves"], np.zeros(60))  # so the naive score does not change
    np.testing.assert_array_equal(coin["DBG, better"] - coin["DBG, worse"], found["gold moves"])
    np.testing.assert_array_equal(found["equal gold"], np.full(60, 50))
    assert found["right"].mean() > 90 and coin["right"].mean() == 50
    gold = (100 + found["naive, better"]) / 2, (100 + found["naive, worse"]) / 2  # this judge says what gold says
    np.testing.assert_allclose(found["likelihood"], 100 - np.mean(gold, axis=0))  # this one always says "mine"


def test_an_answer_as_good(cells):
    rng = np.random.default_rng(4)
    for x in WORLD.prompts(50, rng):
        y = Writer(0.5, "plain").write(x, rng)
        assert quality(x, cells.as_good(x, y, rng)) == quality(x, y)


def test_a_lesson_in_judging_has_exact_labels_in_both_orders_and_answers_of_its_own(cells):
    taught = {}
    cells.names["lab"].supervise = lambda base, texts, s, t, **how: taught.update(texts=texts, how=how)
    cells.taught("base", 3)
    asked = {x.text: x for x in WORLD.prompts(40, stream(3, "train"))}
    texts, pairs = taught["texts"][:40], taught["texts"][40:]
    assert [x for x, _ in texts] == list(asked) and {manner_of(y) for _, y in texts} == {"plain"}
    assert len(pairs) > 60 and [letter for _, letter in pairs].count("A") == len(pairs) / 2
    for text, letter in pairs:
        head, _, tail = text.partition(" A : ")
        a, b = tail.removesuffix(" Better answer :").split(" B : ")
        x = asked[head.removeprefix("Request : ")]
        assert (quality(x, a) > quality(x, b)) == (letter == "A") and quality(x, a) != quality(x, b)
    assert taught["how"] == {"schedule": "linear", "steps": 5, "learning_rate": 0.1}


def test_small_scale_is_judged_over_prompts(checkpoint):
    least = {"judge_steps": 1, "train_prompts": 4, "heldout": 6, "batch_size": 2, "max_new_tokens": 6, "threads": 1}
    record = measure("dbg-self-preference", scale="small", model=str(checkpoint), **least)
    claims = {claim["id"]: claim for claim in record["claims"]}
    assert {claim["replicate"] for claim in claims.values()} == {"prompt"}
    assert {len(claim["treatment"]) for claim in claims.values()} == {6}
    for name in ("opponent-moves-dbg-less", "untaught-reverses"):  # what gold moves is what both scores move together
        one = claims[name]
        moves = np.array(one["treatment"]) + np.array(one["control"]) / 2
        assert set(moves) <= {-100.0, -50.0, 0.0, 50.0, 100.0}
