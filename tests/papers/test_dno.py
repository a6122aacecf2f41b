"""DNO's notebook: its pairs, replay, rounds, the table of cycles and its measures, worked out by hand."""

import json
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import load_paper, papers_folder
from autodidact.environments.instructions import Grades
from autodidact.games import exploitability, exponential_weights
from autodidact.lab import Answers, play
from autodidact.losses import dno, dno_exact
from autodidact.models import Response, is_whole
from autodidact.samplers import Sample, margin_pairs
from autodidact.streams import stream
from autodidact.training import Pair

PARAMETERS = {
    "teacher_model": None, "teacher_quality": 0.75, "points": 6, "judge_noise": 0.0, "teacher_margin": 2,
    "student_margin": 1, "least_grade": 5, "replay": [0.3, 0.15], "rounds": 3, "steps": 2, "batch_size": 4, "beta": 0.1,
    "learning_rate": 1.0, "restrictive_learning_rate": 2.0, "spin_learning_rate": 3.0, "offline_learning_rate": 4.0,
    "lookahead_learning_rate": 5.0, "sft_learning_rate": 6.0, "exact_learning_rate": 7.0, "exact_beta": 0.2,
    "length_bias": 0.5, "orders": 2, "responses": 2, "heldout_pairs": 3, "table_rounds": 2000,
    "table_steps": [0.1, 0.5], "perfect_rates": [8.0, 9.0, 0.5], "margins": [0, 1, 2], "noises": [0.0, 1.5],
}  # fmt: skip
TEACHER, STUDENT = "teacher > student", "student > teacher"


class World:
    """Prompts are letters, an answer's gold is its first word over ten; the teacher says its quality."""

    def score(self, prompt, response):
        return float(response.split()[0]) / 10

    def demonstrate(self, prompt, rng, quality):
        return f"{10 * quality:g} taught"

    def prompts(self, n, rng, split):
        return [SimpleNamespace(text=x) for x in "xyz"[:n]]


@pytest.fixture
def notebook():
    """What the cells of the world, the method, the arms, the table and the measures define."""
    cells = json.loads((papers_folder() / "dno" / "dno.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {
        "np": np, "partial": partial, "cache": cache, "SimpleNamespace": SimpleNamespace, "Grades": Grades, "dno": dno,
        "dno_exact": dno_exact, "play": play, "margin_pairs": margin_pairs, "stream": stream, "Pair": Pair,
        "is_whole": is_whole, "exploitability": exploitability, "exponential_weights": exponential_weights,
        "p": SimpleNamespace(**PARAMETERS), "lab": SimpleNamespace(world=World()),
    }  # fmt: skip
    for start in (
        "HELD = ",
        "KINDS = ",
        "def all_pairs(",
        "ARMS = ",
        "def cycle(",
        "FIRST = ",
        "def student_wins(",
        "def numbers(",
    ):
        (source,) = [s for s in sources if s.startswith(start)]
        defined = source.split("\nshown = ")[0].split("\nGOLD = ")[0]
        exec(defined, names)
    return SimpleNamespace(names=names, **{name: value for name, value in names.items() if callable(value)})


def answered(texts):
    rows = [[Sample(Response(y, (1,), True, "v"), 0.0, 1, True) for y in row] for row in texts]
    prompts = [SimpleNamespace(text=x) for x in "xyz"[: len(rows)]]
    return Answers(prompts, [x.text for x in prompts], rows, World())


SIX = (["x", "y"], [["t", "a", "b"], ["t", "c", "d"]], np.array([[5.0, 6, 4], [6, 4, 5]]))


def test_the_judge_rounds_gold_to_six_points_and_may_like_length(notebook):
    exact, liking = notebook.judge_with(0.0), notebook.judge_with(0.0, bias=0.5)
    rng = np.random.default_rng(0)
    assert [exact.grade("x", f"{g} word", rng) for g in (0, 4, 5, 8, 10)] == [1, 3, 4, 5, 6]  # 3.5 is rounded up
    assert liking.grade("x", "4 " + "w " * 8, rng) == 4  # two words beyond seven: a point
    assert liking.grade("x", "4 " + "w " * 4, rng) == 2  # two short of seven: a point less
    assert notebook.taught([1, 2], 3, 0) == ["7.5 taught"] * 2 and notebook.taught([1], 3, 0, 0.4) == ["4 taught"]


def test_a_round_grades_the_teacher_first_and_every_answer_once(notebook):
    notebook.names["lab"].ask = lambda policy, s, t: answered([["4 a", "9 b"], ["1 c", "2 d"]])
    inputs, texts, grades = notebook.asked("policy", 3, 0, quality=0.6)
    assert inputs == ["x", "y"] and texts == [["6 taught", "4 a", "9 b"], ["6 taught", "1 c", "2 d"]]
    assert grades.tolist() == [[4, 3, 6], [4, 2, 2]]  # 1 + 5 gold, halves up


def test_every_kind_of_pair_has_its_own_margin(notebook):
    kinds = {kind: [(q.chosen, q.rejected) for q in pairs] for kind, pairs in notebook.by_kind(*SIX).items()}
    # x: b is one point below the teacher, too little for it, and two below a; y: c is two below the teacher
    assert kinds == {TEACHER: [("t", "c")], STUDENT: [("a", "t")], "student > student": [("a", "b"), ("d", "c")]}


def test_arms_differ_in_which_pairs_they_keep(notebook):
    sides = lambda make, rng=None: [(q.chosen, q.rejected) for q in make(*SIX, rng)]  # noqa: E731
    everything = [("t", "c"), ("a", "t"), ("a", "b"), ("d", "c")]
    arms = {name: arm["make"] for name, arm in (notebook.names["ARMS"] | notebook.names["ONCE"]).items()}
    assert sides(arms["dno"]) == everything and sides(arms["restrictive"]) == [("t", "c")]
    assert sides(arms["students alone"]) == [("a", "b"), ("d", "c")]
    assert sides(arms["spin"]) == [("t", "a"), ("t", "b"), ("t", "c"), ("t", "d")]
    (one,) = sides(arms["as many pairs"], np.random.default_rng(0))
    assert one in everything
    coins = sides(arms["shuffled"], np.random.default_rng(1))
    assert [set(pair) for pair in coins] == [set(pair) for pair in everything] and coins != everything
    rates = [arm.get("learning_rate", 1.0) for arm in notebook.names["ARMS"].values()]
    assert rates == [1.0, 2.0, 3.0, 7.0, 1.0, 1.0]


def test_algorithm_one_has_every_two_answers_once_with_win_rates_against_the_student(notebook):
    grades = np.array([[5.0, 6, 4], [6, 5, 5]])
    pairs = notebook.with_win_rates(*SIX[:2], grades, None)
    sides = [(q.chosen, q.rejected, q.columns["r_chosen"], q.columns["r_rejected"]) for q in pairs]
    # x: the teacher beats b alone, a ties itself and beats b; y: the teacher beats both, c and d tie
    assert sides == [("t", "b", 0.5, 0.25), ("a", "t", 0.75, 0.5), ("a", "b", 0.75, 0.25),
                     ("t", "c", 1.0, 0.5), ("t", "d", 1.0, 0.5), ("c", "d", 0.5, 0.5)]  # fmt: skip


def test_gaps_are_filtered_and_ties_broken_by_a_coin(notebook):
    grades = np.array([[5.0, 6, 4], [6, 5, 5]])

    def sides(margin, seed=0):
        pairs = notebook.by_gap(margin, *SIX[:2], grades, np.random.default_rng(seed))
        return {(q.chosen, q.rejected) for q in pairs}

    clear = {("t", "b"), ("a", "t"), ("a", "b"), ("t", "c"), ("t", "d")}
    assert sides(1) == clear and sides(2) == {("a", "b")}
    coins = [sides(0, seed) - clear for seed in range(10)]
    assert {frozenset(c) for c in coins} == {frozenset({("c", "d")}), frozenset({("d", "c")})}


def test_replay_is_at_most_a_share_of_what_is_trained_on(notebook):
    played = [[f"a{k}" for k in range(50)], [f"b{k}" for k in range(9)], [f"c{k}" for k in range(55)]]
    rng = np.random.default_rng(0)
    assert notebook.replayed(played[:1], rng) == []
    second = notebook.replayed(played[:2], rng)  # 9 new pairs are 70 % of 12.86: 3.86 from the first round
    assert len(second) == len(set(second)) == 3 and {x[0] for x in second} == {"a"}
    third = notebook.replayed(played, rng)  # 55 are 55 % of 100: 30 of the last round, of which there are 9, and 15
    assert [x[0] for x in third] == ["b"] * 9 + ["a"] * 15 and len(set(third)) == 24
    assert notebook.replayed([["a"], []], rng) == []


def test_every_round_asks_its_own_policy_and_trains_from_it(notebook):
    asked, trained = [], []

    def ask(policy, s, t):
        asked.append((policy, t))
        return answered([[f"{4 + policy:g} a", "1 b"]])

    def train(policy, pairs, s, t, **how):
        trained.append((policy, t, how["learning_rate"], how["loss"].keywords, [(q.chosen, q.rejected) for q in pairs]))
        return policy + how["learning_rate"]

    notebook.names["lab"].ask, notebook.names["lab"].train = ask, train
    path, played = notebook.self_play(5, 0.0, notebook.all_pairs, quality=0.75)
    assert path == [0, 1, 2, 3] and asked == [(0, 0), (1, 1), (2, 2)]
    assert [(policy, t) for policy, t, *_ in trained] == [(0, 0), (1, 1), (2, 2)]
    # grades of the teacher 5, of the student 3, 4, 4 and 2: teacher over b, by two points; in round 1 over a, too
    assert [len(pairs) for pairs in played] == [2, 1, 1]
    assert trained[0][2:] == (1.0, {"beta": 0.1}, [("7.5 taught", "4 a"), ("7.5 taught", "1 b")])
    other = notebook.self_play(5, 0.0, rounds=1, **notebook.names["ARMS"]["algorithm 1"])[0]
    assert other == [0, 7] and trained[-1][3] == {"beta": 0.2}


def test_a_first_round_is_trained_in_every_order_of_batches(notebook):
    said = []
    notebook.names["lab"].train = lambda base, pairs, s, t, **how: said.append((base, len(pairs), t, how)) or t
    assert notebook.first_rounds("base", 5, "spin", SIX) == [0, 90]
    assert [(base, n, how["learning_rate"]) for base, n, _, how in said] == [("base", 4, 3.0)] * 2
    notebook.first_rounds("base", 5, "dno", SIX)
    assert said[-1][1] == 4 and said[-1][3]["learning_rate"] == 1.0 and said[-1][3]["loss"].keywords == {"beta": 0.1}


def test_arms_without_rounds_take_the_steps_of_all_rounds(notebook):
    said = {}
    notebook.names["lab"].ask = lambda policy, s, t: answered([[f"{t} a", "1 b"]])
    notebook.names["lab"].train = lambda base, pairs, **how: said.update(pairs=pairs, **how) or "trained"
    notebook.names["lab"].supervise = lambda base, told, s, t, **how: said.update(told=told, **how) or "tuned"
    arms = notebook.offline(3, "base", [["p"], ["q", "r"]])
    assert arms["lookahead"]() == "trained" and said["pairs"] == ["p", "q", "r"] and said["learning_rate"] == 5.0
    arms["offline dpo"]()
    assert [q.rejected for q in said["pairs"]] == ["0 a", "1 b", "1 a", "1 b", "2 a", "1 b"] and said["steps"] == 6
    assert arms["sft"]() == "tuned" and said["batch_size"] == 8 and said["learning_rate"] == 6.0
    assert said["told"] == [("x", "7.5 taught")] * 3


def test_the_table_has_the_averages_of_the_card(notebook):
    """Computed elsewhere beforehand, over 2000 rounds from (0.6, 0.3, 0.1)."""
    first, second = notebook.cycle(0.9, 0.8, 0.6), notebook.cycle(0.95, 0.6, 0.55)
    assert first.tolist() == [[0.5, 0.9, 0.4], [pytest.approx(0.1), 0.5, 0.8], [0.6, pytest.approx(0.2), 0.5]]
    end = lambda *which: notebook.averages(*which)[0][-1]  # noqa: E731
    for game, step, exact, hard in ((first, 0.1, 0.010, 0.049), (first, 0.5, 0.004, 0.074),
                                    (second, 0.1, 0.011, 0.083), (second, 0.5, 0.001, 0.102)):  # fmt: skip
        assert end(game, step, "algorithm 1") == pytest.approx(exact, abs=6e-4)
        assert end(game, step, "algorithm 2") == pytest.approx(hard, abs=6e-4)
        assert end(game, step, "algorithm 1") < notebook.bound(step) < end(game, step, "algorithm 2")
    assert notebook.bound(0.5) == pytest.approx(np.log(10) / 1000 + 0.0625)


def test_hard_labels_count_how_many_are_beaten(notebook):
    assert notebook.higher(np.array([0.3, 0.6, 0.3])).tolist() == [[0.5, 0, 0.5], [1, 0.5, 1], [0.5, 0, 0.5]]
    rates = notebook.names["RATES"]
    game, pi = notebook.cycle(0.9, 0.8, 0.6), np.array([0.6, 0.3, 0.1])
    assert rates["algorithm 1"](game, pi) == pytest.approx([0.61, 0.29, 0.47])
    assert rates["algorithm 2"](game, pi) == pytest.approx([0.3 + 0.4, 0.15, 0.05 + 0.3])


def test_what_a_round_gains_is_eta_times_the_divergence_both_ways(notebook):
    game, pi, eta = notebook.cycle(0.9, 0.8, 0.6), np.array([0.6, 0.3, 0.1]), 0.2
    advantage, moved = notebook.exact_round(game, pi, eta)
    after = pi * np.exp(game @ pi / eta)
    after /= after.sum()
    assert moved == pytest.approx(eta * (after * np.log(after / pi)).sum())
    assert advantage - moved == pytest.approx(eta * (pi * np.log(pi / after)).sum())


def test_pairs_that_the_student_has_won(notebook):
    lab = notebook.names["lab"]
    lab.sample = lambda base, prompts, n, rng: answered([["8 a", "9 b"], ["7 c", "1 d"], ["7.5 e", "0 f"]])
    pairs = notebook.student_wins("base", 3)
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [("x", "9 b", "7.5 taught")]  # a tie is no win
    notebook.names["pair_logprobs"] = lambda policy, pairs: np.array([[policy, 2.0 * policy], [1.0, -policy]])
    assert notebook.margin_growth(1.0, [2.0, 4.0], pairs).tolist() == [[1, 3], [3, 9]]


def test_a_perfect_teacher_calls_for_rates_of_its_own(notebook):
    assert notebook.dosed("spin", 0.45)["learning_rate"] == 3.0 and "learning_rate" not in notebook.dosed("dno", 0.45)
    assert [notebook.dosed(name, 1.0)["learning_rate"] for name in ("dno", "restrictive", "spin")] == [8.0, 9.0, 0.5]
    assert notebook.dosed("restrictive", 0.6)["quality"] == 0.6


def test_claims_that_are_more_than_two_arms(notebook):
    r = {
        "growth": {
            "dno": np.array([[1.0, 2], [3, 4]]), "spin": np.array([[-1.0, 0], [0, 1]]), "restrictive": np.zeros((2, 2)),
        },
        "arms": {"dno": [{"gold": np.array([x, x + 0.1])} for x in (0.5, 0.6, 0.55, 0.7)]},
        "kinds": np.array([[30, 10, 5], [9, 9, 9], [0, 0, 7]]),
        "slack": [(0.2, 0.5), (0.1, 0.1), (0.05, 0.4)],
        "dose": {"dno": [0.7, 0.8, 0.9], "spin": [0.4, 0.6, 0.88], "restrictive": [0.6, 0.7, 0.89],
                 "teacher": [0.5, 0.65, 1.0]},
        "filter": np.array([[0.6, 0.61, 0.59], [0.5, 0.52, 0.55]]),
    }  # fmt: skip
    said = {claim: [np.asarray(side).tolist() for side in sides] for claim, sides in notebook.numbers(r).items()}
    expected = {
        "student-wins": ([2, 3], [-0.5, 0.5]), "student-wins-restricted": ([2, 3], [0, 0]),
        "orders-agree": ([2, 2], [3, 3]), "every-round-adds": (-0.05, 0), "student-overtakes": (0, 0.25),
        "monotone-learned": (0.05, 0), "perfect-teacher": (0.9, 0.88),
        "perfect-teacher-restrictive": (0.9, 0.89), "lead-falls-with-quality": (0.3, 0.02),
        "passes-poorer-teacher": (0.8, 0.65), "filter-under-noise": (0.55, 0.5), "noise-is-why": (0.05, -0.01),
    }  # fmt: skip
    assert said.keys() == expected.keys()
    for claim, sides in expected.items():
        for one, other in zip(said[claim], sides, strict=True):
            assert one == pytest.approx(other), claim
    assert notebook.numbers({}) == {}


def test_gates_are_judged_with_what_needs_them():
    paper = load_paper("dno")
    assert {c.id for c in paper.claims_at("small")} == {"student-wins", "student-wins-restricted", "orders-agree"}
    assert all(c.whose == "paper" for c in paper.claims if c.role == "central")
