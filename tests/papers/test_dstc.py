"""DSTC's pairs as the notebook makes them: labels that execution confirms, tasks that are dropped, dealt tests."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.environments import sandbox
from autodidact.environments.programs import Programs, python
from autodidact.samplers import pass_matrix as rules
from autodidact.streams import stream
from autodidact.training import Pair

SLUG = "dstc"
WORLD = Programs()
ARMS = ("naive", "naive, joined", "minimax", "counting", "dstc", "dstc, kto", "oracle", "shuffled", "unrelated")


@pytest.fixture(scope="module")
def method():
    """What the notebook's cells of the pairs define."""
    cells = json.loads((papers_folder() / SLUG / f"{SLUG}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    names = {"np": np, "environment": WORLD, "rules": rules, "Pair": Pair, "partial": partial, "stream": stream}
    names["p"] = SimpleNamespace(tasks=8, codes=5, tests=4)
    for marker in ("RULES = {", "def make_pairs(", "def arms("):
        (source,) = [s for s in sources if marker in s]
        exec(source, names)
    rng = np.random.default_rng(0)
    names["write"] = lambda policy, tasks, what, n, _: [
        [WORLD.demonstrate(x, rng, what) for _ in range(n)] for x in tasks
    ]
    return SimpleNamespace(**names)


@pytest.fixture(scope="module")
def written(method):
    method.run_all.__globals__["write"] = method.write
    return method.run_all(None, 100)


def test_the_joined_texts_run_as_their_labels_say(method, written):
    tasks, codes, tests, _, own, _ = written
    pairs = method.make_pairs(tasks, codes, tests, own, rules.minimax, stream(0, "pairs"), behind="own")
    assert pairs
    for pair in pairs:
        assert pair.prompt.endswith("Code :")
        chosen, rejected = (sandbox.run(python(text), [""]) for text in (pair.chosen, pair.rejected))
        assert (chosen, rejected) == (["passed"], ["error"])  # as one program, which raises where its test fails


def test_code_alone_is_the_same_choice_without_its_test(method, written):
    tasks, codes, tests, _, own, _ = written
    alone, joined = (
        method.make_pairs(tasks, codes, tests, own, rules.minimax, stream(0, "pairs"), behind=behind)
        for behind in (None, "own")
    )
    assert len(alone) == len(joined)
    for a, b in zip(alone, joined, strict=True):
        assert (b.chosen.startswith(a.chosen), b.rejected.startswith(a.rejected)) == (True, True)
        assert b.chosen.count("assert") == 1 > a.chosen.count("assert")


def test_shuffled_means_the_next_tasks_tests(written):
    _, codes, tests, others, own, foreign = written
    assert others == [*tests[1:], tests[0]]
    again = WORLD.pass_matrices(codes, others)
    assert all(np.array_equal(a, b) for a, b in zip(foreign, again, strict=True))
    assert np.mean([r.mean() for r in own]) > np.mean([r.mean() for r in foreign])


def test_every_arm_draws_from_the_same_samples_and_the_oracle_is_right(method, written):
    tasks, codes, tests, others, own, foreign = written
    right = [[WORLD.correct(x, y) for y in row] for x, row in zip(tasks, codes, strict=True)]
    pairs = method.arms(0, tasks, codes, tests, others, own, foreign, right)
    assert set(pairs) == set(ARMS)
    place = {WORLD.ask(x, "code"): i for i, x in enumerate(tasks)}
    for pair in pairs["oracle"]:
        i = place[pair.prompt]
        assert right[i][codes[i].index(pair.chosen)] and not right[i][codes[i].index(pair.rejected)]


def test_tasks_without_a_pair_are_dropped(method):
    tasks = WORLD.prompts(2, np.random.default_rng(0))
    codes, tests = [["a", "b"], ["c", "c"]], [["t"], ["t"]]
    matrices = [np.ones((2, 1), bool), np.array([[True], [False]])]
    assert method.make_pairs(tasks, codes, tests, matrices, rules.minimax, stream(0, "pairs")) == []


def test_an_unrelated_test_is_the_one_of_the_next_pair(method, written):
    tasks, codes, tests, _, own, _ = written
    alone, joined, unrelated = (
        method.make_pairs(tasks, codes, tests, own, rules.minimax, stream(0, "pairs"), behind=behind)
        for behind in (None, "own", "other")
    )
    assert len(alone) > 1
    for i, (code, other) in enumerate(zip(alone, unrelated, strict=True)):
        following = (i + 1) % len(alone)
        for side in ("chosen", "rejected"):
            test = getattr(joined[following], side)[len(getattr(alone[following], side)) :]
            assert getattr(other, side) == getattr(code, side) + test
