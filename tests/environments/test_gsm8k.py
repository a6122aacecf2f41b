"""Real word problems: the human solution is right, anything else is not, and splits share nothing."""

import numpy as np
import pandas as pd
import pytest

from autodidact.environments import load_world
from autodidact.environments.arithmetic import gsm8k


@pytest.fixture
def world(mirror, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(mirror))
    gsm8k._problems.cache_clear()
    yield load_world("gsm8k")
    gsm8k._problems.cache_clear()


def test_the_human_solution_scores_one(world):
    rng = np.random.default_rng(0)
    for problem in world.prompts(20, rng):
        assert world.score(problem, world.demonstrate(problem, rng)) == 1
        assert world.score(problem, problem.truth.rpartition("####")[0]) == 0
        assert world.score(problem, f"It is {problem.truth}5") == 0


@pytest.mark.parametrize("junk", ["", " ", "\x00", "####", "#### x", "1e999", "#### 5 pens", "a" * 10_000])
def test_junk_scores_nothing(world, junk):
    assert world.score(world.prompts(1, np.random.default_rng(0))[0], junk) == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [("so\n#### 72", 72), ("#### 1,152.", 1152), ("#### -3.5 ", -3.5), ("#### 72 apples", None), ("72", None)],
)
def test_final_number(text, number):
    assert gsm8k.final_number(text) == number


def test_splits_and_parts_are_disjoint(world):
    rng = np.random.default_rng(0)

    def texts(*where):
        found = set()
        for n in range(400, 0, -1):
            try:
                found = {p.text for p in world.prompts(n, rng, *where)}
                break
            except ValueError:
                continue
        return found

    train, held_out = texts("train"), texts("held-out")
    assert train
    assert held_out
    assert not train & held_out
    assert not texts("train", 0, 2) & texts("train", 1, 2)
    assert texts("train", 0, 2) | texts("train", 1, 2) == train


def test_bad_arguments_are_named(world):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n=100000"):
        world.prompts(100000, rng)
    with pytest.raises(ValueError, match="split"):
        world.prompts(1, rng, "test")
    with pytest.raises(ValueError, match="part=2"):
        world.prompts(1, rng, "train", 2, 2)
    with pytest.raises(ValueError, match="unknown"):
        load_world("gsm8k/none")
    with pytest.raises(ValueError, match="known are"):
        load_world("nowhere")


def test_an_answer_without_its_number_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    path = tmp_path / "openai__gsm8k" / "train.parquet"
    path.parent.mkdir()
    pd.DataFrame({"question": ["1 + 1?", "1 + 2?"], "answer": ["It is 2.\n#### 2", "It is 3."]}).to_parquet(path)
    with pytest.raises(ValueError, match=r"train\.parquet: column 'answer', row 1 must end in #### and a number.*is 3"):
        gsm8k._problems.__wrapped__()
