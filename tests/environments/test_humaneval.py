"""HumanEval in the sandbox: its own solutions pass, wrong ones fail, chat answers are read for what they hold."""

import builtins
import symtable

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.humaneval import HumanEval, assertion, program

WORLD = HumanEval()


@pytest.fixture
def problems():
    return WORLD.prompts(12, np.random.default_rng(0))


def test_the_package_s_solutions_pass_their_tests(problems):
    assert load_world("humaneval") == WORLD
    scores = WORLD.scores(problems, [f"Sure:\n```python\n{x.truth.solution}\n```\nDone." for x in problems])
    assert scores.tolist() == [1.0] * len(problems)


def test_what_returns_nothing_fails(problems):
    codes = [f"def {x.truth.entry}(*arguments, **named):\n    return None" for x in problems]
    assert WORLD.scores(problems, codes).tolist() == [0.0] * len(problems)


HELPED = ("make_palindrome", "find_zero", "sort_third", "decode_cyclic", "decode_shift", "vowels_count")


@pytest.fixture
def helped():
    """The problems whose prompts or hidden tests use something besides the function."""
    everything = [x for split in ("train", "held-out") for x in WORLD.prompts(82, np.random.default_rng(0), split)]
    return sorted((x for x in everything if x.truth.entry in HELPED), key=lambda x: HELPED.index(x.truth.entry))


def test_the_function_alone_passes_where_its_prompt_gives_the_helper(helped):
    alone = [x.truth.solution[x.truth.solution.index(f"def {x.truth.entry}(") :] for x in helped]
    assert WORLD.scores(helped, [f"```python\n{code}```" for code in alone]).tolist() == [1.0] * len(HELPED)
    matrix = WORLD.pass_matrices([[alone[3]]], [["assert decode_cyclic('bcaefdg') == 'abcdefg'"]])
    assert matrix[0].tolist() == [[True]]


def test_nonsense_passes_no_hidden_test_by_helpers_of_its_own(helped):
    nonsense = {
        "find_zero": "def poly(xs, x): return 0\ndef find_zero(xs): return 0",
        "sort_third": "def sort_third(l): return []",
        "decode_cyclic": "def encode_cyclic(s): return s\ndef decode_cyclic(s): return s",
        "decode_shift": "def encode_shift(s): return s\ndef decode_shift(s): return s",
    }
    some = [x for x in helped if x.truth.entry in nonsense]
    assert WORLD.scores(some, [nonsense[x.truth.entry] for x in some]).tolist() == [0.0] * len(nonsense)


def test_hidden_tests_use_the_function_and_nothing_else_of_a_program():
    """Also sort_third's, which compares with sort_third itself: the tests' own one, by then."""
    for split in ("train", "held-out"):
        for x in WORLD.prompts(82, np.random.default_rng(0), split):
            table = symtable.symtable(x.truth.tests, "tests", "exec")
            own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
            used, tables = set(), [table]
            while tables:
                inner = tables.pop()
                tables += inner.get_children()
                used |= {s.get_name() for s in inner.get_symbols() if s.is_global() or inner is table}
            assert used - own - set(dir(builtins)) <= {x.truth.entry}, x.truth.entry
            assert x.truth.tests.startswith(f"candidate = {x.truth.entry}\n")


def test_tests_are_right_when_the_solution_passes_them():
    problem = next(x for x in WORLD.prompts(82, np.random.default_rng(0)) if x.truth.entry == "truncate_number")
    assert WORLD.test_right(problem, "```python\nassert truncate_number(3.5) == 0.5\n```")
    assert not WORLD.test_right(problem, "assert truncate_number(3.5) == 3")
    assert not WORLD.test_right(problem, "assert True")  # it tests nothing of the function
    assert not WORLD.test_right(problem, "I cannot.")


def test_pass_matrices_are_by_problem():
    codes = [["def f(x): return x", "```\ndef f(x): return x + 1\n```"], ["nothing"]]
    tests = [["assert f(1) == 1", "assert f(1) == 2", "none"], ["assert f(1)", "none", "none"]]
    first, second = WORLD.pass_matrices(codes, tests)
    assert first.tolist() == [[True, False, False], [False, True, False]]
    assert not second.any()


def test_splits_do_not_meet_and_sizes_are_checked():
    train, held = ({x.text for x in WORLD.prompts(82, np.random.default_rng(0), s)} for s in ("train", "held-out"))
    assert not train & held
    with pytest.raises(ValueError, match="n=83"):
        WORLD.prompts(83, np.random.default_rng(0))
    with pytest.raises(ValueError, match="split='test'"):
        WORLD.prompts(1, np.random.default_rng(0), "test")
    with pytest.raises(ValueError, match="what='essay'"):
        WORLD.ask(WORLD.prompts(1, np.random.default_rng(0))[0], "essay")


def test_answers_are_read():
    assert program("Here:\n```python\nx = 1\n```\nmore").endswith("x = 1\n")
    assert program("x = 1").endswith("x = 1")
    assert assertion("text\n  assert f(1) == 2\nassert 1") == "assert f(1) == 2"
    assert assertion("text") == "assert False"
