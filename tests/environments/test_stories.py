"""Generated word problems: what the story says is what the steps compute, and every step is judged."""

import re
from dataclasses import replace

import numpy as np
import pytest

from autodidact.environments import load_world

WORLD = load_world("stories/default")


def rng(seed=0):
    return np.random.default_rng(seed)


PRESETS = ("default", "narrow", "first", "first-narrow")


@pytest.mark.parametrize("world", [load_world(f"stories/{name}") for name in PRESETS], ids=PRESETS)
def test_the_story_and_its_steps_agree(world):
    for x in world.prompts(50, rng()):
        story = x.text.rpartition("Problem: ")[2]
        value = int(re.search(r"has (\d+)", story)[1])
        for sentence in story.split(". ")[1:-1]:
            number = int(re.search(r"\d+", sentence)[0])
            value += number if " more" in sentence else -number
            assert world.bounds[0] <= value <= world.bounds[1]
        assert value == x.truth.answer
        y = world.demonstrate(x, rng(), clean=True)
        assert world.score(x, y) == 1 and world.first_error(x, y) is None and world.well_formed(x, y)
        assert world.join(world.steps(y)) == y and y == world.join([world.right_step(x, k) for k in
                                                                    range(1, len(x.truth.values) + 1)])  # fmt: skip


def test_worked_examples_before_a_problem_are_right_and_as_many_as_asked_for():
    for name, count, said in (("default", 1, "this example"), ("first", 3, "these examples")):
        (x,) = load_world(f"stories/{name}").prompts(1, rng())
        problems = x.text.split("Problem: ")
        assert len(problems) == count + 2 and problems[0].endswith(f"as in {said}.\n")
        for text in problems[1:-1]:
            sums = re.findall(r"(\d+) ([+-]) (\d+) = (\d+)", text)
            assert all(int(a) + int(op + b) == int(c) for a, op, b, c in sums)
            assert sums[1][0] == sums[0][3] and text.endswith(f"The answer is {sums[1][3]}.\n")


def test_wrong_steps_are_found():
    for x in WORLD.prompts(60, rng(1)):
        for k in range(1, len(x.truth.values) + 1):
            assert WORLD.first_error(x, WORLD.corrupt(x, rng(), k, "calculation")) == (k, "calculation")
            assert WORLD.reword(WORLD.right_step(x, k)) != WORLD.right_step(x, k)
            assert WORLD.step_correct(x, [""] * (k - 1), WORLD.reword(WORLD.right_step(x, k)))
    assert WORLD.first_error(x, "Step 1: I think it is 7.") == (1, "other")


def test_splits_share_nothing_and_bad_input_is_named():
    texts = [{(x.truth.start, x.truth.instructions[:2]) for x in WORLD.prompts(300, rng(), split)}
             for split in ("train", "held-out")]  # fmt: skip
    assert not texts[0] & texts[1]
    for call, says in (
        (lambda: load_world("stories/odd"), "preset"),
        (lambda: replace(WORLD, examples=4), "examples"),
        (lambda: WORLD.prompts(1, rng(), split="x"), "split"),
        (lambda: WORLD.prompts(1, rng(), depth=(0, 1)), "depth"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
