"""The world of worked arithmetic: what is right, what is wrong, where, and of which kind, on thousands of problems."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.arithmetic import (
    FOREIGN,
    Arithmetic,
    Calculator,
    branch_points,
    call_rates,
    calls,
    own_words,
    recurrence,
)
from autodidact.environments.arithmetic.problems import is_heldout

EVERY = Arithmetic(jump=0.3, carry=0.2, two_terms=0.2, wordings=3, distractors=0.3, depth=(1, 8))
WORLDS = {
    "steps": Arithmetic(),
    "wide": Arithmetic(digits=3, depth=(1, 8)),
    "every": EVERY,
    "reset": replace(EVERY, jump_form="reset"),
    "narrow": Arithmetic.preset("steps-narrow"),
    "tool": Arithmetic.preset("tool"),
    "words": Arithmetic.preset("words", jump=0.3, two_terms=0.2, jump_form="reset"),
    "words, operand": Arithmetic.preset("words", jump=0.3, digits=3),
    "one digit": Arithmetic(digits=1, carry=0, jump=0),
}
every_world = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)


def rng(seed=0):
    return np.random.default_rng(seed)


def evaluated(truth):
    """The values of a problem, by another route than the world's: strings of digits and Python's own sums."""
    values = [truth.start]
    for i in truth.instructions:
        amount = sum(k * 10**place for k, place in i.terms)
        if i.look is not None:
            step, place = i.look
            amount = int(str(values[step]).zfill(9)[::-1][place]) * 10**place
        source = values[-1] if i.source is None else values[i.source]
        values.append(source * i.terms[0][0] if i.sign == 0 else source + i.sign * amount)
    return tuple(values[1:])


@every_world
def test_a_clean_demonstration_is_right_throughout(world):
    for x in world.prompts(40, rng()):
        y = world.demonstrate(x, rng(1), clean=True)
        assert x.truth.values == evaluated(x.truth)
        assert all(world.bounds[0] <= value <= world.bounds[1] for value in (x.truth.start, *x.truth.values))
        assert world.first_error(x, y) is None and world.all_steps_right(x, y) and world.well_formed(x, y)
        assert world.score(x, y) == 1 and not world.lucky(x, y)


@every_world
def test_steps_and_join_give_the_text_back(world):
    for x in world.prompts(40, rng()):
        y = world.demonstrate(x, rng(1))
        steps = world.steps(y)
        assert world.join(steps) == y and len(steps) == len(x.truth.instructions)
        for k in range(1, len(steps) + 1):
            assert y.startswith(world.join(steps, k))
            assert world.join(steps, k).endswith(world.script.header(k))


@every_world
def test_a_demonstration_goes_on_correctly_after_a_slip(world):
    slips = 0
    for x in world.prompts(40, rng()):
        steps, error = world.steps(world.demonstrate(x, rng(1))), world.first_error(x, world.demonstrate(x, rng(1)))
        wrong = [k for k in range(1, len(steps) + 1) if not world.locally_correct(x, steps[: k - 1], steps[k - 1])]
        assert (wrong[0] if wrong else None) == (error[0] if error else None)
        slips += len(wrong)
        if error:
            k, hazard = error[0], x.truth.hazards[error[0] - 1]
            expected = {"carry": "calculation", "jump": "substitution", "two terms": "omission", "hard": "calculation"}
            assert error[1] in (expected[hazard], "omission")  # a wrong operand may be the next instruction's
            assert not world.step_correct(x, steps[: k - 1], steps[k - 1])
            assert all(world.step_correct(x, steps[: j - 1], steps[j - 1]) for j in range(1, k))
    assert slips or world.digits == 1


@every_world
@pytest.mark.parametrize("how", ["rule", "uniform"])
def test_a_corruption_is_found_as_its_kind_where_it_was_put(world, how):
    found = Counter()
    for x in world.prompts(30, rng()):
        for k in range(1, len(x.truth.instructions) + 1):
            for kind in ("calculation", "substitution", "omission"):
                try:
                    y = world.corrupt(x, rng(k), k, kind, how)
                except ValueError as error:
                    assert kind in ("omission", "substitution") and "no such mistake" in str(error)
                    continue
                assert world.first_error(x, y) == (k, kind)
                assert not world.step_correct(x, world.steps(y)[: k - 1], world.steps(y)[k - 1])
                bare = world.corrupt(x, rng(k), k, kind, how, answer=False)
                assert y.startswith(bare) and world.score(x, bare) == 0
                found[kind] += 1
    assert found["calculation"] > 30 and found["omission"] > 10


@every_world
def test_a_prefix_that_is_continued_rightly_is_right_and_only_then(world):
    for x in world.prompts(40, rng()):
        depth = len(x.truth.instructions)
        for k in range(1, depth + 1):
            prefix = world.continue_from(x, k)
            rest = world.join([world.right_step(x, j) for j in range(1, depth + 1)])[len(prefix) :]
            assert world.first_error(x, prefix + rest) is None
            assert world.step_correct(x, [""] * (k - 1), world.right_step(x, k))
            if k > 1:
                other = world.corrupt(x, rng(), k - 1, "calculation")
                assert not world.all_steps_right(x, other)


def test_hazards_come_at_their_rates():
    world = Arithmetic(carry=0.12, jump=0.2, two_terms=0.1, depth=(4, 4))
    hazards = [h for x in world.prompts(2500, rng()) for h in x.truth.hazards[1:]]
    for name, share in (("carry", 0.12), ("jump", 0.2), ("two terms", 0.1), ("plain", 0.58)):
        assert abs(hazards.count(name) / len(hazards) - share) < 0.015
    first = [x.truth.hazards[0] for x in world.prompts(2500, rng(1))]
    assert abs(first.count("carry") / len(first) - 0.22) < 0.03 and "jump" not in first


def test_slips_come_at_their_rates():
    world = Arithmetic(jump=0.4, carry=0.0, slips=(0.6, 0.3, 0.6), depth=(2, 2))
    jumps = [x for x in world.prompts(2000, rng()) if x.truth.hazards == ("plain", "jump")]
    wrong = np.mean([not world.all_steps_right(x, world.demonstrate(x, rng(i))) for i, x in enumerate(jumps)])
    assert abs(wrong - 0.3) < 0.055


def test_no_beginning_of_a_held_out_problem_is_trained_on():
    world = Arithmetic(depth=(1, 4))

    def beginnings(split):
        problems = world.prompts(600, rng(), split=split)
        return {repr((x.truth.start, [replace(i, verb=0) for i in x.truth.instructions[:2]])) for x in problems}

    assert not beginnings("train") & beginnings("held-out")
    assert np.mean([is_heldout(x.truth) for x in world.prompts(500, rng(), split="held-out")]) == 1
    texts = dict(replace(world, demonstrations=400).corpus(rng(3)))
    assert not set(texts) & {x.text for x in world.prompts(600, rng(), split="held-out")}


@every_world
def test_everything_said_is_in_the_vocabulary_and_the_same_again(world):
    world = replace(world, demonstrations=40, train_depth=(1, 6))
    texts = world.corpus(rng())
    assert len(texts) == 40 and texts == world.corpus(rng())
    if world.spaced:
        assert {word for x, y in texts for word in f"{x} {y}".split()} <= set(world.vocabulary)
    assert len(set(world.vocabulary)) == len(world.vocabulary)


@pytest.mark.parametrize(
    "junk",
    ["", " ", "\x00", "Step1:", "answer 7 4", "Step1: . answer", "Step2: 1 0 + 1 ones = 1 1 .", "Step9: x", "=" * 9999,
     "Step1: " + "9" * 5000 + " + 1 ones = 3 . answer 3", "Step 1: 1 * 2 + 3 = 5000. The answer is 5000.",
     "[ ] = ; Step1:"],
)  # fmt: skip
@every_world
def test_junk_scores_nothing_and_never_raises(world, junk):
    (x,) = world.prompts(1, rng(5), depth=(3, 3))
    assert world.score(x, junk) == 0 or junk == "answer 7 4"
    assert world.first_error(x, junk) is not None and not world.well_formed(x, junk)
    assert world.first_error(x, junk)[1] in ("other", "omission", "substitution")
    assert world.locate(x, junk, rng()) in (None, 1)
    assert calls(junk) in ([], [1]) and len(own_words(junk)) == len(junk.split())
    assert not world.step_correct(x, [], junk) and not world.locally_correct(x, [junk], junk)


def test_kinds_by_hand():
    world = Arithmetic(two_terms=1.0, carry=0, jump=0, depth=(2, 2))
    x = next(x for x in world.prompts(300, rng()) if x.truth.instructions[0].sign == 1)
    a, b = (world.right_step(x, k) for k in (1, 2))
    right = world.join([a, b])
    assert world.first_error(x, right) is None
    assert world.first_error(x, world.join([a])) == (2, "omission")
    assert world.first_error(x, world.join([a, b, b])) == (2, "other")  # an answer line where more follows
    assert world.first_error(x, right.rpartition("answer")[0].rstrip()) == (2, "other")
    assert world.first_error(x, right + " 1") == (2, "other")
    assert world.first_error(x, right.replace("Step1:", "Step2:")) == (1, "other")
    operand, _, result = a.partition(" = ")
    digits = result.split()[:2]
    other = world.script.number((int("".join(digits)) + 1) % 100)
    assert world.first_error(x, right.replace(f"= {' '.join(digits)} .", f"= {other} .", 1)) == (1, "calculation")
    short = operand.rpartition(" + ")[0]
    assert world.first_error(x, world.join([f"{short} = {result}", b])) == (1, "omission")


def test_wrong_and_still_right_is_lucky():
    world = Arithmetic(carry=0, jump=0, depth=(2, 2))
    (x,) = world.prompts(1, rng())
    wrong = world.steps(world.corrupt(x, rng(), 1, "calculation"))
    y = world.join([wrong[0], world.right_step(x, 2)])  # falls back to the right source
    assert world.first_error(x, y) == (1, "calculation") and world.score(x, y) == 1 and world.lucky(x, y)


def test_every_wording_says_the_same():
    world = replace(EVERY, distractors=0)
    for x in world.prompts(40, rng()):
        for k in range(1, len(x.truth.instructions) + 1):
            step = world.right_step(x, k)
            texts = [world.reword(step, w) for w in range(FOREIGN + 1)]
            assert len(set(texts)) == FOREIGN + 1 and world.reword(step) == texts[FOREIGN]
            assert all(world.step_correct(x, [""] * (k - 1), text) for text in texts)
            assert [world.wording(text) for text in texts] == list(range(FOREIGN + 1))
    share = np.mean([world.wording(world.steps(y)[0]) == FOREIGN for _, y in replace(EVERY, foreign_share=0.3,
                    demonstrations=900).corpus(rng())])  # fmt: skip
    assert abs(share - 0.3) < 0.05
    with pytest.raises(ValueError, match="is no step"):
        world.reword("hello")


def test_a_noisy_judge_points_next_to_the_mistake_at_its_rate():
    world = Arithmetic(depth=(4, 4))
    problems = [(x, world.corrupt(x, rng(), 2, "calculation")) for x in world.prompts(1200, rng())]
    judge = rng(7)
    found = Counter(world.locate(x, y, judge, 0.4) for x, y in problems)
    assert set(found) == {1, 2, 3} and abs(found[2] / len(problems) - 0.6) < 0.05
    assert abs(found[1] - found[3]) < 5 * np.sqrt(0.4 * len(problems) / 4)
    assert all(world.locate(x, y, judge) == 2 for x, y in problems[:50])
    assert world.locate(problems[0][0], world.demonstrate(problems[0][0], rng(), clean=True), judge, 1.0) is None


def test_the_process_reward_flips_at_its_rate():
    world = Arithmetic(depth=(2, 2))
    judge, given = rng(3), []
    for x in world.prompts(600, rng()):
        given.append(world.process_reward(x, [], world.right_step(x, 1), judge, flip=0.3))
    assert abs(np.mean(given) - 0.7) < 0.06
    assert world.process_reward(x, [], "nonsense", judge) == 0 and world.process_reward(x, [], "1", judge, flip=1) == 1


def test_the_drill_counts_results_only():
    words, counted = Arithmetic(slips=(0, 0, 0)).drill(40, rng())
    assert len(words.split()) == len(counted)
    kept = " ".join(word for word, counts in zip(words.split(), counted, strict=True) if counts)
    for step, result in zip(words.split(" ."), kept.split(" ."), strict=True):
        if step:
            a, sign, k, unit = int("".join(step.split()[:2])), *step.split()[2:5]
            value = a + (1 if sign == "+" else -1) * int(k) * {"ones": 1, "tens": 10}[unit]
            assert int("".join(result.split())) == value


def test_recurrence_is_a_share_of_strings():
    assert recurrence(["1 + 1 = 2", "a"], ["1 + 1 = 2", "a"]) == 1
    assert recurrence(["1 0 + 1"], ["10 + 1", "x", "y", "z"]) == 0.25
    with pytest.raises(ValueError, match="heldout is empty"):
        recurrence(["a"], [])


def test_editable_positions_mark_the_words_of_the_kind():
    world = Arithmetic(two_terms=1.0, carry=0, jump=0)
    words = ["6", "7", "+", "3", "tens", "+", "2", "ones", "=", "9", "9", ".", "answer", "9", "9"]
    spans = {kind: words[slice(*world.editable_positions(" ".join(words), kind))] for kind in
             ("calculation", "substitution", "omission")}  # fmt: skip
    assert spans == {
        "calculation": ["9", "9"],
        "substitution": ["3", "tens"],
        "omission": ["3", "tens", "+", "2", "ones"],
    }
    with pytest.raises(ValueError, match="kind="):
        world.editable_positions(" ".join(words), "other")


def test_the_calculator_answers_and_its_words_are_not_the_policys():
    calculator = Calculator()
    assert calculator.answer("1 3 * 7", rng()) == "= 9 1 ;" and calculator.answer("6 8 - 3 0", rng()) == "= 3 8 ;"
    assert Calculator(spaced=False).answer("13 * 7", rng()) == "=91;" and calculator.answer("x", rng()) == "= error ;"
    noise, noisy = rng(1), Calculator(noise=0.3)
    assert abs(np.mean([noisy.answer("2 + 2", noise) != "= 4 ;" for _ in range(2000)]) - 0.3) < 0.04
    y = "Step1: [ 1 3 * 7 ] = 9 1 ; 1 3 * 7 = 9 1 . Step2: 9 1 - 1 ones = 9 0 . answer 9 0"
    assert calls(y) == [1]
    left_out = [word for word, own in zip(y.split(), own_words(y), strict=True) if not own]
    assert left_out == ["=", "9", "1", ";"]
    assert [y[at:].split()[0] for at in branch_points(y)] == ["[", "[", "9"]
    with pytest.raises(ValueError, match="noise"):
        Calculator(noise=2)


def test_calls_are_over_and_under():
    world = Arithmetic.preset("tool")
    prompts = world.prompts(400, rng())
    answers = [world.demonstrate(x, rng(i)) for i, x in enumerate(prompts)]
    over, under = call_rates(world, prompts, [calls(y) for y in answers])
    assert abs(over - 0.5) < 0.06 and abs(under - 0.5) < 0.08
    assert call_rates(world, prompts, [range(1, 9)] * 400) == (1.0, 0.0)
    right = [
        world.step_correct(x, [""] * (k - 1), s)
        for x, y in zip(prompts, answers, strict=True)
        for k, s in enumerate(world.steps(y), 1)
        if world.needs_tool(x, k) and k == 1 and k not in calls(y)
    ]
    assert 0.05 < np.mean(right) < 0.35


@pytest.mark.parametrize(
    ("knobs", "says"),
    [({"digits": 4}, "digits"), ({"k_max": 1}, "k_max"), ({"depth": (0, 2)}, "depth"), ({"carry": 1.2}, "carry"),
     ({"carry": 0.9, "jump": 0.9}, "shares"), ({"digits": 1}, "digits=1"), ({"jump_form": "x"}, "jump_form"),
     ({"span": (5, 200)}, "span"), ({"wordings": 4}, "wordings"), ({"slips": (2, 0, 0)}, "slips"),
     ({"train_depth": (1, 9)}, "train_depth")],
)  # fmt: skip
def test_a_bad_knob_is_named(knobs, says):
    with pytest.raises(ValueError, match=says):
        Arithmetic(**knobs)


def test_bad_input_is_named():
    world = load_world("arithmetic/steps")
    assert (
        world.wordings == 2
        and load_world("arithmetic") == Arithmetic()
        and load_world("arithmetic/steps-wide").digits == 3
    )
    (x,) = world.prompts(1, rng())
    for call, says in (
        (lambda: load_world("arithmetic/odd"), "preset"),
        (lambda: world.prompts(1, rng(), split="test"), "split"),
        (lambda: replace(world, k_max=2, jump=0).prompts(9999, rng(), depth=(1, 1)), "n=9999"),
        (lambda: world.prompts(1, rng(), depth=(4, 9)), "depth"),
        (lambda: world.continue_from(x, 9), "k=9"),
        (lambda: world.corrupt(x, rng(), 1, "other"), "kind"),
        (lambda: world.corrupt(x, rng(), 0, "omission"), "k=0"),
        (lambda: world.locate(x, "", rng(), 2), "p=2"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
