"""The world of programs: truth, misreadings, splits, tests and their kinds; what is known is what running gives."""

import itertools

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.environments.programs import PlainPrograms, Programs, python, split_program
from autodidact.environments.programs.grammar import NEWLINE, PHRASES
from autodidact.environments.programs.plain import plain, tokens
from autodidact.environments.programs.tasks import belongs, hidden_inputs, task_space, told_apart
from autodidact.environments.programs.writing import read_code, read_test, run_reading, say, write_code, write_test

WORLD = Programs()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_world_is_found_by_name():
    assert load_world("programs/shared") == WORLD
    with pytest.raises(ValueError, match="preset='none'"):
        load_world("programs/none")


def test_every_expression_means_what_its_function_does():
    lists = [[], [3], [5, 3, 5, 0], [9, 8, 1, 2, 4]]
    for phrase in PHRASES.values():
        for text, function in ((phrase.right, phrase.run_right), (phrase.wrong, phrase.run_wrong)):
            for xs in lists:  # our own table: no program that anybody else wrote
                assert eval(text, {"xs": list(xs)}) == function(list(xs)), (phrase.name, text)


def test_the_true_program_passes_its_hidden_tests_and_misreadings_show(rng):
    shown = []
    for names in task_space((1, 2))[::7]:
        prompt = WORLD._say(names, rng)
        code = write_code(names, [False] * len(names))
        assert WORLD.score(prompt, code) == 1
        hazards = told_apart(names, hidden_inputs(names))
        shown.append(len(hazards) / len(names))
        for i in hazards:
            assert not WORLD.correct(prompt, write_code(names, [j == i for j in range(len(names))]))
    assert np.mean(shown) > 0.9


def test_running_gives_what_the_known_meaning_gives(rng):
    prompts = WORLD.prompts(12, rng)
    codes = [WORLD.demonstrate(prompt, rng) for prompt in prompts]
    np.testing.assert_array_equal(WORLD.scores(prompts, codes), WORLD.scores(prompts, codes, executed=True))


def test_what_is_no_program_scores_nothing_and_harms_nothing(rng):
    prompt = WORLD.prompts(1, rng)[0]
    good = write_code(prompt.truth.phrases, [False] * len(prompt.truth.phrases))
    endless = "def f ( xs ) : <newline> <indent> return f ( xs )"
    for code in ("", "def f", "t = 1", good.replace("return", "assert"), endless):
        assert WORLD.score(prompt, code) == 0
    longer = good.replace("<indent> return", "<indent> xs = [ x for x in xs ] <newline> <indent> return")
    assert read_code(longer) is None
    assert WORLD.correct(prompt, longer)


def test_tests_judge_as_they_say(rng):
    kinds = []
    for prompt in WORLD.prompts(100, rng):
        test = WORLD.demonstrate(prompt, rng, "test")
        xs, expected = read_test(test)
        kind = WORLD.test_kind(prompt, test)
        kinds.append(kind)
        assert WORLD.test_right(prompt, test) == (expected == prompt.truth.solve(xs)) == (kind == "right")
        if kind == "misreading":
            readings = itertools.product((False, True), repeat=len(prompt.truth.phrases))
            assert expected in [prompt.truth.read(xs, misread) for misread in readings]
    assert {"right", "misreading"} <= set(kinds)


def test_a_vacuous_test_is_known_and_passed_by_all(rng):
    world = Programs.preset("vacuous", vacuous=1.0)
    prompt = world.prompts(1, rng)[0]
    test = world.demonstrate(prompt, rng, "test")
    assert world.test_kind(prompt, test) == "vacuous"
    assert world.run(world.demonstrate(prompt, rng), [test]) == ["passed"]
    assert world.test_kind(prompt, "t = [ 1 ] assert") == "malformed"


def test_the_pass_matrix_is_the_single_runs(rng):
    prompts = WORLD.prompts(3, rng)
    codes = [[WORLD.demonstrate(p, rng) for _ in range(3)] for p in prompts]
    tests = [[*(WORLD.demonstrate(p, rng, "test") for _ in range(2)), "assert f (", "t = 1"] for p in prompts]
    for matrix, some_codes, some_tests in zip(WORLD.pass_matrices(codes, tests), codes, tests, strict=True):
        outcomes = [WORLD.run(code, some_tests) for code in some_codes]
        assert matrix.tolist() == [[outcome == "passed" for outcome in row] for row in outcomes]
        for code, row in zip(some_codes, matrix, strict=True):
            for test, passed in list(zip(some_tests, row, strict=True))[:2]:
                xs, expected = read_test(test)
                assert passed == (run_reading(read_code(code), xs) == expected)


def test_known_outcomes_are_those_of_running(rng):
    prompts = WORLD.prompts(4, rng)
    codes = [
        [WORLD.demonstrate(p, rng) for _ in range(3)] + ["def f ( xs ) : <newline> <indent> return 1"] for p in prompts
    ]
    odd = ["t = [ 1 ] <newline> assert f ( t ) == 1", "t = [ 1 , ] <newline> assert f ( t ) == [ 1 ]", "t = 1"]
    tests = [[WORLD.demonstrate(p, rng, "test") for _ in range(3)] + odd for p in prompts]
    known, ran = (WORLD.pass_matrices(codes, tests, executed=executed) for executed in (False, True))
    for one, two in zip(known, ran, strict=True):
        np.testing.assert_array_equal(one, two)
    assert 0 < np.concatenate(ran).mean() < 1


def test_a_number_that_python_refuses_is_no_test():
    assert read_test("t = [ 1 ] <newline> assert f ( t ) == 05") is None
    assert read_test("t = [ 01 ] <newline> assert f ( t ) == 5") is None
    assert read_test("t = [ 0 ] <newline> assert f ( t ) == - 10") == ([0], -10)


def test_plain_is_what_a_person_would_write():
    code = "def f ( xs ) : <newline> <indent> xs = xs [ : : - 1 ] <newline> <indent> return max ( xs , default = 0 )"
    assert plain(code) == "def f(xs):\n    xs = xs[::-1]\n    return max(xs, default = 0)"
    test = "t = [ 1 , 0 ] # [ - 1 , 0 ] -> - 1 <newline> assert f ( t ) == - 1"
    assert plain(test) == "t = [1, 0] # [-1, 0] -> -1\nassert f(t) == -1"
    assert plain("Task : flip , add 1 to each . Code :") == "Task: flip, add 1 to each. Code:"


def test_plain_and_back_is_the_same_text(rng):
    for prompt in WORLD.prompts(150, rng):
        for what in ("code", "test"):
            text = WORLD.demonstrate(prompt, rng, what)
            assert tokens(plain(text)) == text
    for text in ("", "\n\n", "   def", "x = 'a  b' # ?\n\ty", "a != 1.5 // 2"):
        assert python(tokens(text)) is not None
    assert tokens("a != 1.5 // 2") == "a != 1.5 // 2"


def test_the_plain_world_is_the_same_world(rng):
    world = load_world("plain-programs/majority")
    assert type(world) is PlainPrograms and world.misread_vague == Programs.preset("majority").misread_vague
    for seed, prompt in enumerate(world.prompts(12, rng)):
        for what in ("code", "test"):
            own, theirs = (
                w.demonstrate(prompt, np.random.default_rng(seed), what) for w in (Programs.preset("majority"), world)
            )
            assert theirs == plain(own)
            if what == "code":
                code, other = own, theirs
        assert world.correct(prompt, other) == WORLD.correct(prompt, code)
        assert world.test_kind(prompt, theirs) == WORLD.test_kind(prompt, own)
        assert world.misread_of(other) == WORLD.misread_of(code)
        matrices = [w.pass_matrices([[c]], [[t]]) for w, c, t in ((WORLD, code, own), (world, other, theirs))]
        assert matrices[0][0].tolist() == matrices[1][0].tolist()
        joined = world.join(other, theirs)
        assert world.correct(prompt, joined) == world.correct(prompt, other)  # what follows the function is cut off


def test_plain_answers_that_are_no_grammar_are_run(rng):
    world = load_world("plain-programs")
    prompt = world.prompts(1, rng)[0]
    right = plain(write_code(prompt.truth.phrases, [False] * len(prompt.truth.phrases)))
    longer = right.replace("    return", "    xs = [y for y in xs]\n    return")
    assert world.misread_of(longer) is None
    assert world.correct(prompt, longer)
    assert not world.correct(prompt, "no program")
    assert world.pass_matrix(
        [longer], [world.demonstrate(prompt, rng, "test"), "t = [1]\nassert f(t) == f(t)"]
    ).shape == (1, 2)


def test_code_and_tests_err_together_only_where_errors_are_shared(rng):
    def together(world):
        rows = []
        for prompt in world.prompts(250, rng):
            right = [world.correct(prompt, world.demonstrate(prompt, rng)) for _ in range(4)]
            tests = [world.test_right(prompt, world.demonstrate(prompt, rng, "test")) for _ in range(4)]
            rows.append((np.mean(right), np.mean(tests)))
        return np.corrcoef(np.array(rows).T)[0, 1]

    assert together(Programs()) > together(Programs(shared=0.0)) + 0.1


def test_tests_can_misread_less_than_code(rng):
    world = Programs(vague=1.0, misread_vague=0.9, misread_in_tests=0.1, misread_clear=0.0, test_slip=0.0)
    prompts = [x for x in world.prompts(250, rng) if len(x.truth.phrases) == 1]
    right = np.mean([world.correct(x, world.demonstrate(x, rng)) for x in prompts for _ in range(40)])
    told = np.mean([world.test_right(x, world.demonstrate(x, rng, "test")) for x in prompts for _ in range(40)])
    assert right == pytest.approx(0.1, abs=0.06) and told == pytest.approx(0.9, abs=0.06)
    with pytest.raises(ValueError, match="misread_in_tests=2"):
        Programs(misread_in_tests=2)


def test_split_program_cuts_where_the_function_ends(rng):
    for prompt in WORLD.prompts(20, rng):
        code, test = WORLD.demonstrate(prompt, rng), WORLD.demonstrate(prompt, rng, "test")
        assert split_program(WORLD.join(code, test)) == (code, test)
        assert split_program(code) == (code, "")


def test_python_text_is_python(rng):
    for prompt in WORLD.prompts(20, rng):
        compile(python(WORLD.join(WORLD.demonstrate(prompt, rng), WORLD.demonstrate(prompt, rng, "test"))), "x", "exec")


def test_words_are_in_the_vocabulary_and_texts_fit_the_model(rng):
    rows = Programs(demonstrations=500).corpus(rng)
    assert {word for row in rows for text in row for word in text.split()} <= set(WORLD.vocabulary)
    assert max(len(x.split()) + len(y.split()) for x, y in rows) + 45 < 128


def test_held_out_sets_of_operations_are_not_trained_on(rng):
    held = {prompt.truth.operations for prompt in WORLD.prompts(40, rng, "held-out")}
    train = {prompt.truth.operations for prompt in WORLD.prompts(200, rng)}
    assert not held & train
    assert 0.1 < np.mean([belongs(names, "held-out") for names in task_space((1, 2))]) < 0.3


def test_the_same_generator_gives_the_same_texts():
    def texts():
        rng = np.random.default_rng(3)
        return [(p.text, WORLD.demonstrate(p, rng), WORLD.demonstrate(p, rng, "test")) for p in WORLD.prompts(20, rng)]

    assert texts() == texts()


def test_corrupt_misreads_one_line_and_misread_of_names_it(rng):
    for prompt in WORLD.prompts(20, rng):
        code = write_code(prompt.truth.phrases, [False] * len(prompt.truth.phrases))
        assert WORLD.misread_of(code) == frozenset()
        assert len(WORLD.misread_of(WORLD.corrupt(code, rng))) == 1
    assert WORLD.misread_of("def g ( xs ) :") is None


def test_behaviour_tells_programs_apart_and_joins_equal_ones():
    inputs = [(3, 1), (2, 2)]
    drop, keep = write_code(("drop",), (False,)), write_code(("drop",), (True,))
    assert WORLD.behaviour(drop, inputs) == ([1], [2])
    assert WORLD.behaviour(keep, inputs) == ([3], [2])
    same = drop.replace("xs = xs [ 1 : ]", f"xs = xs {NEWLINE} <indent> xs = xs [ 1 : ]")
    assert WORLD.behaviour(same, inputs) == WORLD.behaviour(drop, inputs)


def test_numbers_are_said_and_heard():
    test = write_test([4, 0], [[-3, 12], -3], [-3, 12])
    assert test == f"t = [ 4 , 0 ] # [ - 3 , 12 ] -> - 3 {NEWLINE} assert f ( t ) == [ - 3 , 12 ]"
    assert read_test(test) == ([4, 0], [-3, 12])
    assert read_test(f"t = [ ] {NEWLINE} assert f ( t ) == [ 1 2 ]") is None
    assert say([]) == "[ ]"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Programs(vague=2.0), "vague=2.0"),
        (lambda: Programs(depth=(2, 1)), "depth=\\(2, 1\\)"),
        (lambda: Programs(n=0), "n=0"),
        (lambda: WORLD.prompts(10**6, np.random.default_rng(0)), "n=1000000"),
        (lambda: WORLD.prompts(1, np.random.default_rng(0), "test"), "split='test'"),
        (lambda: WORLD.ask(None, "essay"), "what='essay'|text"),
        (lambda: WORLD.corrupt("x", np.random.default_rng(0)), "code='x'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises((ValueError, AttributeError), match=words):
        call()
