"""Generated word problems: what the story says is what the steps compute, and every step is judged."""

import re

import numpy as np
import pytest

from environments import load_world

WORLD = load_world("stories/default")


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("world", [WORLD, load_world("stories/narrow")], ids=["default", "narrow"])
def test_the_story_and_its_steps_agree(world):
    for x in world.prompts(100, rng()):
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
        (lambda: WORLD.prompts(1, rng(), split="x"), "split"),
        (lambda: WORLD.prompts(1, rng(), depth=(0, 1)), "depth"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
