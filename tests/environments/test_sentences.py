"""Sentences under three demands: scores worked out by hand, splits, demonstrations."""

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.instructions import BradleyTerry, Sentences
from autodidact.environments.instructions.sentences import TOPICS, SentencePrompt, SentenceTruth

WORLD = Sentences()
PROMPT = SentencePrompt("", SentenceTruth("bees", "honey", 8))
EVERY = [*WORLD.prompts(380, np.random.default_rng(0), "held-out"), *WORLD.prompts(580, np.random.default_rng(0))]


@pytest.mark.parametrize(
    ("response", "use", "one", "length"),
    [
        ("Bees make honey.", 1, 1, 1),
        ('"Honey, sweet HONEY!"', 1, 1, 1),
        ("Bees make honey. They sting.", 1, 0, 1),
        ("Bees make honey", 1, 0, 1),
        ("Bees make\nhoney.", 1, 0, 1),
        ("Honeybees love the 3.5 flowers of honeycomb.", 0, 1, 1),
        ("One two three four five six seven eight nine ten.", 0, 1, 0.5),
        ("Honey one two three four five six seven eight nine ten eleven.", 1, 1, 0),
        ("It's well-known: bees don't waste any honey at home.", 1, 1, 0.75),
        ("...", 0, 0, 0),
        ("", 0, 0, 0),
        ("12 34.", 0, 0, 0),
    ],
)
def test_credits_worked_out_by_hand(response, use, one, length):
    assert WORLD.met(PROMPT, response) == {"use": use, "one": one, "length": length}
    assert WORLD.score(PROMPT, response) == pytest.approx((use + one + length) / 3)
    assert WORLD.strict(PROMPT, response) == (use == one == length == 1)


@pytest.mark.parametrize("junk", [None, 3, "\x00", "\ud800", "{", "、。", "a" * 100_000, "\n" * 50])
def test_junk_scores_and_never_raises(junk):
    assert 0 <= WORLD.score(PROMPT, junk) <= 2 / 3


def test_every_prompt_is_there_once_and_no_word_of_a_topic_is_in_both_splits():
    assert len({p.text for p in EVERY}) == 960
    held = {(p.truth.topic, p.truth.word) for p in EVERY[:380]}
    assert not held & {(p.truth.topic, p.truth.word) for p in EVERY[380:]}
    assert {p.truth.topic for p in EVERY[380:]} == set(TOPICS)
    with pytest.raises(ValueError, match="n=381 prompts .* has 380"):
        WORLD.prompts(381, np.random.default_rng(0), "held-out")
    parts = [WORLD.prompts(100, np.random.default_rng(1), part=t, parts=3) for t in range(3)]
    assert len({p.text for part in parts for p in part}) == 300


def test_every_demonstration_of_quality_1_meets_all_demands_and_quality_is_the_share_that_is_honoured():
    rng = np.random.default_rng(2)
    assert all(WORLD.strict(p, WORLD.demonstrate(p, rng)) for p in EVERY for _ in range(4))
    met = [WORLD.met(p, WORLD.demonstrate(p, rng, quality=0.7)) for p in EVERY for _ in range(4)]
    for demand in ("use", "one"):  # 3,840 draws: a standard error of 0.0074
        assert np.mean([m[demand] for m in met]) == pytest.approx(0.7, abs=0.03)
    assert 0.55 < np.mean([m["length"] == 1 for m in met]) < 0.7  # a second sentence, too, may be more than fits
    assert np.mean([WORLD.score(p, WORLD.demonstrate(p, rng, quality=0.0)) for p in EVERY]) < 0.3


def test_corpus_is_of_the_training_split_and_the_same_for_the_same_generator():
    examples = load_world("sentences/imperfect").corpus(np.random.default_rng(3))
    assert len(examples) == 400 and {x for x, _ in examples} <= {p.text for p in EVERY[380:]}
    assert examples == Sentences(quality=0.7).corpus(np.random.default_rng(3))


def test_a_rater_rates_sentences():
    good, bad = "Bees make honey.", "Bees make wax"
    assert BradleyTerry(WORLD, c=6.0).probability(PROMPT, good, bad) == pytest.approx(1 / (1 + np.exp(-4)))


def test_wrong_knobs_are_named():
    with pytest.raises(ValueError, match="quality=1.5 must lie in"):
        Sentences(quality=1.5)
    with pytest.raises(ValueError, match="quality=-1 must lie in"):
        WORLD.demonstrate(PROMPT, np.random.default_rng(0), quality=-1)
    with pytest.raises(ValueError, match="demonstrations=0 must be"):
        Sentences(demonstrations=0)
    with pytest.raises(ValueError, match="preset='x' is unknown; known are default, imperfect"):
        load_world("sentences/x")
