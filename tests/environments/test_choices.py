"""The world of choices: options, weights, the argmax chooser, prompts and what reports mean."""

import json
import math

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.choices import ATTRIBUTES, Attribute, Context, Decisions, draw_weights, parse_report
from autodidact.environments.choices import prompts as texts

WORLD = load_world("choices/default").cut(30, 10)
CONTEXT = WORLD.contexts[0]
NAMES = [a.name for a in CONTEXT.attributes]


def rng(*seed):
    return np.random.default_rng(seed)


def test_twin_generators_agree_and_neighbouring_seeds_share_nothing():
    one, twin, other = (WORLD.decisions(np.arange(30), 5, rng(s)) for s in (1, 1, 2))
    assert (one.options == twin.options).all() and (one.context == twin.context).all()
    assert (one.options == other.options).all((1, 2)).sum() == 0
    assert [p.text for p in WORLD.prompts(5, rng(3))] == [p.text for p in WORLD.prompts(5, rng(3))]


def test_weights_are_whole_and_the_largest_is_a_hundred():
    weights = draw_weights(4000, rng(4))
    assert (np.abs(weights).max(1) == 100).all() and (weights == np.round(weights)).all()
    assert abs(weights.mean()) < 2 and 0.45 < (weights > 0).mean() < 0.55


def test_options_lie_in_their_ranges_and_are_rounded_by_the_rule():
    decisions = WORLD.decisions(np.arange(40), 50, rng(5))
    features = WORLD.features(decisions)
    assert features.min() >= -1e-9 and features.max() <= 1 + 1e-9
    for i, attribute in enumerate(CONTEXT.attributes):
        values = decisions.options[..., i]
        assert np.allclose(values, np.round(values, attribute.digits))
        assert len(np.unique(values)) > 5
    digits = {0.05: 3, 0.5: 2, 0.99: 2, 1: 1, 4.9: 1, 5: 0, 90: 0}
    for size, wanted in digits.items():  # the authors' rule, written out a second time
        again = abs(math.floor(math.log10(size))) + 1 if size < 1 else 1 if size < 5 else 0
        assert Attribute("a", "u", 0.0, float(size)).digits == wanted == again


def test_the_chooser_takes_the_larger_utility_by_a_slow_second_route():
    weights = WORLD.weights(rng(6))
    decisions = WORLD.decisions(np.arange(40), 8, rng(7))
    for context, options, chose_a in zip(
        decisions.context, decisions.options, WORLD.choose(weights, decisions), strict=True
    ):
        utility = [0.0, 0.0]
        for side in range(2):
            for i, a in enumerate(WORLD.contexts[context].attributes):
                utility[side] += weights[context, i] * (options[side, i] - a.low) / (a.high - a.low)
        assert chose_a == (utility[0] > utility[1])


def test_a_tie_is_b_and_exchanged_options_exchange_the_choice():
    weights = WORLD.weights(rng(8))
    decisions = WORLD.decisions(np.arange(40), 20, rng(9))
    same = Decisions(decisions.context, np.repeat(decisions.options[:, :1], 2, axis=1))
    assert not WORLD.choose(weights, same).any()
    exchanged = Decisions(decisions.context, decisions.options[:, ::-1])
    assert (WORLD.choose(weights, exchanged) == 1 - WORLD.choose(weights, decisions)).mean() > 0.99


def test_score_survives_anything_and_the_demonstrator_is_right():
    for prompt in WORLD.prompts(20, rng(10)):
        right = WORLD.demonstrate(prompt, rng(0))
        assert WORLD.score(prompt, right) == 1 and WORLD.score(prompt, "AB".replace(right, "")) == 0
        for junk in ["", " ", "\x00", "1e999", "None", "[[", "a" * 10_000, "A or B", None]:
            assert WORLD.score(prompt, junk) == 0


def test_prompts_can_be_read_back():
    decisions = WORLD.decisions(np.arange(40), 2, rng(11))
    for text_of in (WORLD.decision_prompts, WORLD.report_prompts):
        for context, options, text in zip(decisions.context, decisions.options, text_of(decisions), strict=True):
            assert (texts.parse_options(WORLD.contexts[context], text) == options).all()
    with pytest.raises(ValueError, match="has the attributes .*but a prompt shows"):
        texts.parse_options(CONTEXT, "a poem\nabout: rain")


def report(values, names=NAMES):
    return json.dumps(dict(zip(names, values, strict=True)))


GOOD = {
    "plain": report([1, -2, 3, 100, -100]),
    "fenced": f"```json\n{report([1, -2, 3, 100, -100])}\n```",
    "blanks": f"  {report([1, -2, 3, 100, -100])}\n",
    "other order": report([-100, 100, 3, -2, 1], NAMES[::-1]),
    "numbers in quotation marks": report(["1", " -2 ", "+3.0", "1e2", "-100."]),
    "some in them": report([1, "-2", 3.0, "100", -100]),
}  # fmt: skip
BAD = {
    "empty": "", "a word": "A", "a list": "[1, 2, 3, 4, 5]", "four keys": report([1, 2, 3, 4], NAMES[:4]),
    "six keys": report([1, 2, 3, 4, 5, 6], [*NAMES, "x"]), "another name": report([1, 2, 3, 4, 5], [*NAMES[:4], "x"]),
    "words": report(["high", 1, 2, 3, 4]), "true": report([True, 1, 2, 3, 4]), "null": report([None, 1, 2, 3, 4]),
    "prose": "My weights: " + report([1, 2, 3, 4, 5]), "infinite": report([float("inf"), 1, 2, 3, 4]),
    "a share": report(["40%", 1, 2, 3, 4]), "a range": report(["40-50", 1, 2, 3, 4]),
    "nan in quotation marks": report(["nan", 1, 2, 3, 4]), "infinity in them": report(["inf", 1, 2, 3, 4]),
    "too large in them": report(["1e999", 1, 2, 3, 4]), "underscores": report(["1_0", 1, 2, 3, 4]),
    "other digits": report(["\u0664", 1, 2, 3, 4]), "nothing in them": report(["", 1, 2, 3, 4]),
    "too deep": "[" * 100_000, "a nest": report([[1], 1, 2, 3, 4]),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_reports_that_are_read(kind):
    assert parse_report(CONTEXT, GOOD[kind]).tolist() == [1, -2, 3, 100, -100]


@pytest.mark.parametrize("kind", BAD)
def test_reports_that_are_malformed(kind):
    assert np.isnan(parse_report(CONTEXT, BAD[kind])).all()


def test_values_beyond_the_scale_are_not_clipped():
    assert parse_report(CONTEXT, report([2000, 0, 0, 0, -130])).tolist() == [2000, 0, 0, 0, -130]


def test_reports_are_written_as_they_are_read():
    weights = WORLD.weights(rng(12))
    decisions = WORLD.decisions(np.arange(40), 1, rng(13))
    written = WORLD.report_texts(decisions, weights[decisions.context])
    assert (WORLD.parse_reports(decisions, written) == weights).all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="preset='odd' is unknown; known are default, authors"):
        load_world("choices/odd")
    with pytest.raises(ValueError, match="native=0 must lie|instilled=0 must lie in 1 to 30"):
        WORLD.cut(0, 0)
    with pytest.raises(ValueError, match="native=11 must lie in 0 to 10"):
        WORLD.cut(5, 11)
    with pytest.raises(ValueError, match=r"weights of shape \(3, 5\) must be of shape \(40, 5\)"):
        WORLD.choose(np.zeros((3, 5)), WORLD.decisions(np.arange(2), 1, rng(0)))
    with pytest.raises(ValueError, match="low=1.0 must be below high=1.0"):
        Attribute("a", "u", 1.0, 1.0)
    with pytest.raises(ValueError, match=f"has 1 attributes, must have {ATTRIBUTES}"):
        Context("c", "q", CONTEXT.attributes[:1])
    with pytest.raises(ValueError, match="must be .n,. and .n, 2, 5."):
        Decisions(np.zeros(2, int), np.zeros((3, 2, 5)))


def test_cut_keeps_instilled_and_native_apart():
    small = WORLD.cut(3, 2)
    assert [c.name for c in small.contexts] == [WORLD.contexts[i].name for i in (0, 1, 2, 30, 31)]
    assert small.native.tolist() == [3, 4]
    assert len({c.name for c in load_world("choices/default").contexts}) == 400
