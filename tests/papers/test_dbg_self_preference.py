"""The self-preference notebook: what a model is taught in each arm, and its simulated judges."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact import judges
from autodidact.claims import papers_folder
from autodidact.environments import load_world
from autodidact.environments.judging import Judge, Writer, gold_votes, manner_of, panel, quality
from tests.papers.notebooks import measure, seeds_stand_alone

WORLD = load_world("judging/dbg")
# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "base_steps": 4, "threads": 1, "pairs": 100, "ladder_pairs": 400, "train_prompts": 12, "steps": 2, "batch_size": 4,
    "heldout": 8, "attention_pairs": 3,
}  # fmt: skip


def test_seeds_together_are_seeds_apart_bit_for_bit():
    seeds_stand_alone(lambda **seeds: measure("dbg-self-preference", **LEAST, **seeds))


@pytest.fixture(scope="module")
def cells():
    """The functions of the cells that simulate and that teach."""
    path = papers_folder() / "dbg-self-preference/dbg-self-preference.ipynb"
    sources = ["".join(c["source"]) for c in json.loads(path.read_text())["cells"]]
    settings = {"pairs": 4000, "spread": 1.5, "gold_judges": 3, "gold_noise": 0.7, "judge_noise": 0.7, "lean": 0.75}
    names = {
        "np": np, "partial": partial, "judges": judges, "environment": WORLD, "Judge": Judge, "gold_votes": gold_votes,
        "panel": panel, "p": SimpleNamespace(**settings),
    }  # fmt: skip
    for name in ("def simulate(", "def lessons("):
        (source,) = [x for x in sources if name in x]
        exec(source, names)
    return SimpleNamespace(**names)


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


def test_a_fair_accurate_judge_has_no_dbg_and_a_vain_one_has(cells):
    fair = cells.simulate(np.random.default_rng(1), 0.0, noise=0.0, gold_noise=1e-9)
    assert fair["DBG"] == 0 and fair["naive"] == pytest.approx(0, abs=6) and fair["accuracy"] == 1
    vain = cells.simulate(np.random.default_rng(1), 0.0, 1.5, noise=0.0, gold_noise=1e-9)
    assert vain["DBG"] == pytest.approx(100 * 0.3413, abs=3)  # P(-1.5 < q < 0), one standard deviation
    assert vain["gold itself"] == 0 and vain["owners shuffled"] == pytest.approx(0, abs=3)


def test_a_slot_bias_larger_than_every_difference_flips_all_pairs(cells):
    slot = cells.simulate(np.random.default_rng(2), 0.0, noise=0.0, slot=50.0, gold_noise=1e-9)
    assert slot["flipped"] == 100 and slot["own first"] == pytest.approx(50, abs=3)
