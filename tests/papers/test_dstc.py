"""DSTC's pairs as the notebook makes and judges them: true labels, dropped tasks, dealt tests, what pairs are worth."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import load_paper, papers_folder
from autodidact.environments import sandbox
from autodidact.environments.programs import Programs, python
from autodidact.samplers import pass_matrix as rules
from autodidact.streams import stream
from autodidact.training import Pair
from tests.papers.notebooks import measure

SLUG = "dstc"
WORLD = Programs()
NAN = np.nan


@pytest.fixture(scope="module")
def method():
    """What the notebook's cells of selection, quality and pairs define, and its comparisons of results."""
    cells = json.loads((papers_folder() / SLUG / f"{SLUG}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    names = {"np": np, "environment": WORLD, "rules": rules, "Pair": Pair, "partial": partial, "stream": stream}
    names |= {"SimpleNamespace": SimpleNamespace, "replace": replace}
    rates = {"rates": {"naive": 0.02}, "swept_rates": [0.01, 0.02, 0.04]}
    names["p"] = SimpleNamespace(tasks=8, codes=5, tests=4, worse_temperature=1, ties=8, drawn=[0.0, 0.5, 1.0], **rates)
    for marker in ("RULES = {", "def collect(", "def worth(", "def quality(", "def make_pairs("):
        (source,) = [s for s in sources if marker in s]
        exec(source, names)
    (source,) = [s for s in sources if "def by_rate(" in s]
    exec(source[: source.index("def experiment(")], names)
    (source,) = [s for s in sources if "def on_common(" in s]
    exec(source[source.index("def whole(") : source.index("ALONG = ")], names)
    rng = np.random.default_rng(0)
    names["write"] = lambda policy, tasks, what, n, _, temperature=None: [
        [WORLD.demonstrate(x, rng, what) for _ in range(n)] for x in tasks
    ]
    return SimpleNamespace(names=names, **names)


@pytest.fixture(scope="module")
def written(method):
    return method.collect(None, 100)


def joined(method, d, behind):
    return method.make_pairs(d, d.own, rules.minimax, stream(0, "pairs"), tests=d.tests, behind=behind)


def test_what_is_collected_is_what_running_says(written):
    for codes, tests, own in zip(written.codes, written.tests, written.own, strict=True):
        ran = [[outcome == "passed" for outcome in WORLD.run(code, tests)] for code in codes]
        assert own.tolist() == ran
    for x, codes, oks in zip(written.tasks, written.codes, written.right, strict=True):
        assert oks.tolist() == [WORLD.correct(x, y) for y in codes]
    assert [r.shape for r in (written.right, written.right_tests, written.right_worse)] == [(8, 5), (8, 4), (8, 4)]
    assert all(r.shape == (5, 4) for r in (*written.own, *written.worse))


def test_the_joined_texts_run_as_their_labels_say(method, written):
    pairs = joined(method, written, "own")
    assert pairs
    for pair in pairs:
        assert pair.prompt.endswith("Code :")
        chosen, rejected = (sandbox.run(python(text), [""]) for text in (pair.chosen, pair.rejected))
        assert (chosen, rejected) == (["passed"], ["error"])  # as one program, which raises where its test fails


def test_code_alone_is_the_same_choice_without_its_test(method, written):
    alone, behind = (joined(method, written, what) for what in (None, "own"))
    assert len(alone) == len(behind)
    for a, b in zip(alone, behind, strict=True):
        assert (b.chosen.startswith(a.chosen), b.rejected.startswith(a.rejected)) == (True, True)
        assert b.chosen.count("assert") == 1 > a.chosen.count("assert")


def test_an_unrelated_test_is_the_one_of_the_next_pair(method, written):
    alone, own, unrelated = (joined(method, written, what) for what in (None, "own", "other"))
    assert len(alone) > 1
    for i, (code, other) in enumerate(zip(alone, unrelated, strict=True)):
        following = (i + 1) % len(alone)
        for side in ("chosen", "rejected"):
            test = getattr(own[following], side)[len(getattr(alone[following], side)) :]
            assert getattr(other, side) == getattr(code, side) + test


def test_every_arm_has_a_rate_and_a_beta_at_every_scale(method, written):
    arms = method.arms(written, 0)
    for preset in load_paper(SLUG).scales.values():
        assert set(preset["rates"]) == set(preset["betas"]) == set(arms)


def test_swept_arms_are_trained_once_at_their_own_rate(method, monkeypatch):
    trained = []

    def train(base, name, pairs, s, rate):
        trained.append(rate)
        return rate

    monkeypatch.setitem(method.names, "train", train)
    monkeypatch.setitem(method.names, "pass_at_1", lambda policy, s: 100 * policy)
    assert method.by_rate(None, "naive", [], 0, own=7) == [1, 7, 4]
    assert trained == [0.01, 0.04]
    toy = load_paper(SLUG).scales["toy"]
    assert all(toy["rates"][name] in toy["swept_rates"] for name in method.SWEPT)


def test_the_arms_choose_as_they_say(method, written):
    arms, place = method.arms(written, 0), {WORLD.ask(x, "code"): i for i, x in enumerate(written.tasks)}

    def each(name):
        for q in arms[name]:
            i = place[q.prompt]
            yield i, written.codes[i].index(q.chosen), written.codes[i].index(q.rejected)

    for i, chosen, rejected in each("oracle"):
        assert written.right[i][chosen] and not written.right[i][rejected]
    for i, chosen, rejected in each("consensus"):
        times = [written.codes[i].count(text) for text in written.codes[i]]
        assert times[chosen] == max(times) > min(times) == times[rejected]
    for i, chosen, rejected in each("counting"):
        passes = written.own[i].sum(1)
        assert passes[chosen] == passes.max() > passes.min() == passes[rejected]
    assert arms["dstc"] == arms["dstc, kto"]
    foreign = WORLD.pass_matrices(written.codes, [*written.tests[1:], written.tests[0]])
    assert len(arms["shuffled"]) <= sum(r.any() and not r.all() for r in foreign)


def test_drawn_tests_misread_at_their_rate(method, written):
    d = SimpleNamespace(tasks=WORLD.prompts(60, np.random.default_rng(1)), codes=[["t = 1", "t = 1"]] * 60)
    knowing, ignorant = (method.draw_tests(d, rate, 0, 0)[0] for rate in (0.0, 1.0))

    def right(tests, vague):
        chosen = [(x, row) for x, row in zip(d.tasks, tests, strict=True) if any(x.truth.vague) == vague]
        return np.mean([WORLD.test_right(x, t) for x, row in chosen for t in row])

    assert right(knowing, True) > 0.8 and right(ignorant, True) < 0.4
    assert min(right(knowing, False), right(ignorant, False)) > 0.8  # clear phrases are read as ever


def test_tasks_without_a_pair_are_dropped(method):
    d = SimpleNamespace(tasks=WORLD.prompts(2, np.random.default_rng(0)), codes=[["a", "b"], ["c", "c"]])
    tables = [np.ones((2, 1), bool), np.array([[True], [False]])]
    assert method.make_pairs(d, tables, rules.minimax, stream(0, "pairs")) == []


def test_worth_is_right_over_wrong_and_nan_without_a_pair(method):
    right = np.array([[True, False, False], [False, False, True], [True, True, False]])
    tables = [
        np.array([[1, 1], [1, 0], [0, 0]], bool),  # the right code is best, a wrong one worst
        np.array([[1, 1], [0, 0], [1, 0]], bool),  # a wrong code is best
        np.ones((3, 2), bool),  # nothing tells them apart
    ]
    d = SimpleNamespace(codes=["abc"] * 3, right=right)
    found = method.worth(method.RULES["counting"], tables, d, np.random.default_rng(0))
    np.testing.assert_array_equal(found, [1, 0, NAN])


def test_ties_count_as_often_as_they_fall(method, monkeypatch):
    monkeypatch.setattr(method.p, "ties", 4000)
    table = np.array([[1], [1], [0], [0]], bool)  # chosen: right in one of two; rejected: wrong in one of two
    d = SimpleNamespace(codes=["abcd"], right=[[True, False, True, False]])
    found = method.worth(method.RULES["minimax"], [table], d, np.random.default_rng(0))
    assert found == pytest.approx([0.25], abs=0.03)


def test_one_text_over_itself_is_no_pair(method):
    d = SimpleNamespace(codes=["aa"], right=[[True, False]])
    table = np.array([[True], [False]])
    assert np.isnan(method.worth(method.RULES["counting"], [table], d, np.random.default_rng(0))).all()


def test_consensus_reads_texts_and_no_tests(method):
    same = np.array([[a == b for b in "aab"] for a in "aab"])
    pair = method.RULES["consensus"](same, np.random.default_rng(0))
    assert pair.chosen in (0, 1) and pair.rejected == 2
    assert method.RULES["consensus"](np.eye(3, dtype=bool), np.random.default_rng(0)) is None


def test_permuted_keeps_the_counts_and_nothing_else(method):
    class Watch:
        def permuted(self, r, axis):
            self.seen = np.random.default_rng(1).permuted(r, axis=axis)
            return self.seen

        def choice(self, ties):
            return ties[0]

    table, watch = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]], bool), Watch()
    method.RULES["minimax, permuted"](table, watch)
    np.testing.assert_array_equal(watch.seen.sum(1), table.sum(1))
    assert (watch.seen != table).any()


def test_chosen_tests_stand_beside_those_that_the_code_passes_and_all(method):
    # Code 0 passes all tests but the last, code 1 the first alone; the hardest that code 0 passes are tests 1 and 2.
    table = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)
    d = SimpleNamespace(
        own=[table, np.ones((2, 4), bool)], codes=["ab", "ab"], right_tests=np.array([[1, 0, 0, 0], [1, 1, 1, 1]], bool)
    )
    found = method.chosen_tests(d, np.random.default_rng(0))
    np.testing.assert_allclose(found, [[0, 1 / 3, 0.25], [NAN] * 3])  # never the easy one, which is right


def test_rules_are_compared_where_both_find_a_pair(method):
    r = {"quality": {"own": {"minimax": np.array([1, NAN, 0.5, 0]), "naive": np.array([0.5, 1, NAN, 0.25])}}}
    one, two = method.on_common(r, "minimax", "naive")
    assert (one.tolist(), two.tolist()) == ([1, 0], [0.5, 0.25])
    r["quality"]["own"]["naive"] = np.full(4, NAN)
    assert [values.tolist() for values in method.on_common(r, "minimax", "naive")] == [[0], [0]]


def test_kinds_of_tests_are_compared_on_tasks_that_have_pairs_with_each(method):
    own = {"naive": np.array([1, 0.5, 1]), "minimax": np.array([1, 0.75, 1]), "counting": np.array([1, 1, NAN])}
    worse = {"naive": np.array([0.25, 0, 0.5]), "minimax": np.array([0.5, 1, 0.5]), "counting": np.array([1, 1, 1])}
    r = {"quality": {"own": own, "worse": worse}}
    assert method.along(r, "naive", ("worse", "own")).tolist() == [[0.25, 1], [0, 0.5]]
    assert method.along(r, "minimax", ("worse", "own")).tolist() == [[0.5, 1], [1, 0.75]]


def test_every_kind_of_tests_is_judged(method, written):
    found = method.quality(written, 0)
    assert set(found) == {"own", "worse", 0.0, 0.5, 1.0, "tests"}
    assert set(found["own"]) == set(method.RULES) and set(found["worse"]) == set(method.TESTED)
    assert all(values.shape == (8,) for kind in ("own", "worse", 0.5) for values in found[kind].values())


def test_small_learns_from_demonstrations_and_judges_pairs_alone(checkpoint):
    given = {"model": str(checkpoint), "demonstration_steps": 1, "demonstration_batch_size": 2, "tasks": 3, "codes": 2}
    record = measure(SLUG, scale="small", tests=2, code_tokens=4, test_tokens=4, threads=1, **given)
    (judged,) = load_paper(SLUG).data["judged"]["small"].values()
    assert {claim["id"] for claim in record["claims"]} == set(judged)
    assert {claim["replicate"] for claim in record["claims"]} == {"problem"}
