"""Step-DPO's pairs and measures as they stand in the notebook, on a scripted policy whose answers the world writes."""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.environments.arithmetic import FOREIGN, Arithmetic, recurrence
from autodidact.environments.arithmetic.vocabulary import cut_answer
from autodidact.lab import by_replicate, where_reached
from autodidact.models.begun import MARK, begun
from autodidact.samplers import Continuation
from autodidact.streams import stream
from autodidact.training import Pair, pairs_after

WORLD = Arithmetic.preset("steps", digits=3, jump=0.3, carry=0.2, wordings=3)
PARAMETERS = {"problems": 60, "samples": 4, "continuations": 8, "most_pairs": 2, "depth": [2, 4], "steps": 4}
PARAMETERS |= {"looks": [1], "heldout": 40, "heldout_samples": 2}
NAMES = ("step-dpo", "dpo", "tails", "foreign", "placed", "misplaced", "supervised")


def go_on(policy, questions, prefixes, n, rng, **over):
    """Demonstrations with their slips, written anew until they begin with the prefix's steps or from there rightly."""
    rows = []
    for x, prefix in zip(questions, prefixes, strict=True):
        begun = WORLD.steps(prefix)[:-1]
        row = []
        for _ in range(n):
            steps = WORLD.steps(WORLD.demonstrate(x, rng, clean=bool(begun) and rng.random() < 0.7))
            text = WORLD.join([*begun, *steps[len(begun) :]])[len(prefix) :]
            row.append(Continuation(prefix, text.strip(), len(text.split()), True))
        rows.append(row)
    return rows


def cells(*starts, **names):
    """What the notebook's cells that begin so define, with these names."""
    found = json.loads((papers_folder() / "step-dpo" / "step-dpo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in found if c["cell_type"] == "code"]
    for start in starts:
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source, names)
    return names


@pytest.fixture(scope="module")
def method():
    """What the notebook's cells of the method and of the arms define."""
    claims = [SimpleNamespace(id=name, treatment=name, control="base") for name in NAMES]
    study = SimpleNamespace(paper=SimpleNamespace(claims=claims), judged=NAMES)
    rates = {f"{name}_learning_rate": 1e-4 for name in NAMES} | {"learning_rate": 1e-4}
    names = {"np": np, "stream": stream, "p": SimpleNamespace(**PARAMETERS, **rates), "pairs_after": pairs_after}
    names |= {"world": WORLD, "first_header": WORLD.join([], 1), "go_on": go_on, "replace": replace, "study": study}
    names |= {"ask": lambda n, rng, split: WORLD.prompts(n, rng, split=split, depth=(2, 4)), "begun": begun}
    starts = ("def collect(", "def equal(", "ARMS = ", "RATES = ", "def log_pi(")
    return SimpleNamespace(**cells(*starts, **names))


@pytest.fixture(scope="module")
def arms(method):
    return method.make_arms(None, 0)


def problems(method):
    """Question -> problem, and question -> (steps of its wrong answer, place of the mistake)."""
    errors = method.collect(None, 0, "train", PARAMETERS["problems"], PARAMETERS["samples"], 0)
    return {x.text: x for x, *_ in errors}, {x.text: (y, k) for x, y, k, _ in errors}


def by_problem(pairs):
    return Counter(q.prompt.partition(MARK)[0] for q in pairs)


def test_a_pair_is_a_right_against_the_first_wrong_step_after_a_right_prefix(method, arms):
    by_text, wrong = problems(method)
    pairs, end = arms["step-dpo"]
    assert len(pairs) > 15 and end is False
    for q in pairs:
        question, _, prefix = q.prompt.partition(MARK)
        x, (steps, k) = by_text[question], wrong[question]
        assert prefix == WORLD.join(steps, k) and prefix.endswith(f"Step{k}:")
        before = WORLD.steps(prefix)[:-1]
        assert all(WORLD.step_correct(x, before[:j], before[j]) for j in range(k - 1))
        assert WORLD.step_correct(x, before, q.chosen) and not WORLD.step_correct(x, before, q.rejected)
        assert "Step" not in q.chosen + q.rejected
    assert max(Counter(q.prompt for q in pairs).values()) <= PARAMETERS["most_pairs"]


def test_an_answer_with_a_step_too_many_or_too_few_has_no_wrong_step(method):
    (x,) = method.ask(1, stream(0, "train"), "train")
    steps = WORLD.steps(WORLD.demonstrate(x, stream(0, "demonstrate"), clean=True))
    bare, last = [cut_answer(step)[0] for step in steps], WORLD.right_step(x, 1, 0)
    long, short, wrong = [*bare, last], bare[:-1], [last.replace("answer", "")] * len(steps)
    assert WORLD.first_error(x, WORLD.join(long))[0] == len(steps) + 1
    given = {"np": np, "stream": stream, "p": method.p, "world": WORLD, "first_header": "Step1:", "ask": lambda *_: [x]}
    for answer, found in ((long, 0), (short, 0), (wrong, 1)):
        row = [Continuation("Step1:", WORLD.join(answer).removeprefix("Step1:"), 9, True)]
        names = cells("def collect(", **given, pairs_after=pairs_after, go_on=lambda *_, row=row, **__: [row])
        assert len(names["collect"](None, 0, "train", 1, 1, 0)) == found


def test_whole_answers_are_whole(method, arms):
    by_text, _ = problems(method)
    pairs, end = arms["dpo"]
    assert end is True
    for q in pairs:
        question, _, prefix = q.prompt.partition(MARK)
        x = by_text[question]
        assert WORLD.score(x, prefix + q.chosen) == 1 and WORLD.score(x, prefix + q.rejected) == 0
        assert WORLD.well_formed(x, prefix + q.chosen)


def test_arms_that_are_compared_have_as_many_pairs_of_each_problem(arms):
    own = by_problem(arms["step-dpo"][0])
    for name in ("dpo", "tails", "foreign", "supervised"):
        assert by_problem(arms[name][0]) == own, name
    fewer = by_problem(arms["placed"][0])
    assert fewer and by_problem(arms["misplaced"][0]) == fewer
    assert all(count <= own[question] for question, count in fewer.items())
    assert all(q in arms["step-dpo"][0] for q in arms["placed"][0])


def test_equal_cuts_every_problem_to_what_all_arms_have(method):
    assert method.equal([[1, 2], [3], []], [[4], [5, 6], [7]]) == [[[1], [3], []], [[4], [5], []]]


def test_tails_share_the_prefix_of_the_step(method, arms):
    by_text, _ = problems(method)
    assert {q.prompt for q in arms["tails"][0]} <= {q.prompt for q in arms["step-dpo"][0]}
    for q in arms["tails"][0]:
        question, _, prefix = q.prompt.partition(MARK)
        assert WORLD.score(by_text[question], f"{prefix}{q.chosen}") == 1 and "answer" in q.rejected


def test_the_controls_are_what_they_are_called(method, arms):
    by_text, wrong = problems(method)
    assert arms["supervised"][0] == arms["step-dpo"][0]
    for q, own in zip(arms["foreign"][0], arms["step-dpo"][0], strict=True):
        assert WORLD.wording(q.chosen) == FOREIGN and (q.prompt, q.rejected) == (own.prompt, own.rejected)
        assert WORLD.reword(q.chosen, 0).split() == WORLD.reword(own.chosen, 0).split()
    assert not any(arms[name][1] for name in ("foreign", "misplaced", "placed", "supervised"))
    for q in arms["misplaced"][0]:
        question, _, prefix = q.prompt.partition(MARK)
        before = WORLD.steps(prefix)[:-1]
        assert len(before) < wrong[question][1] - 1
        assert WORLD.step_correct(by_text[question], before, q.rejected)


def test_the_same_seed_gives_the_same_pairs(method, arms):
    assert method.make_arms(None, 0) == arms


def test_arms_without_pairs_leave_the_base_and_without_material_nothing_moves(method):
    base = object()
    assert method.train(base, [], False, 0, "step-dpo") is base
    held = [[], [], []], np.zeros(0), [np.zeros(0)] * 3
    policy, path = method.followed(base, ([], False), 0, "step-dpo", 0, held)
    assert policy is base
    assert {name: values.tolist() for name, values in path.items()} == {
        "right steps": [[0.0]] * 3,
        "gap": [[0.0]] * 3,
    }
    _, path = method.followed(base, ([], False), 0, "tails", 0, held)
    assert path["gap"].tolist() == [[0.0]] * 2  # looked at before and after only


def test_held_out_errors_are_scored_by_right_steps_before_and_by_right_against_wrong_step(method):
    errors = method.collect(None, 0, "held-out", PARAMETERS["heldout"], PARAMETERS["heldout_samples"], 1)
    (before, right, wrong), counts = method.likelihoods(None, 0)
    late = [(x, y, k) for x, y, k, _ in errors if k > 1]
    assert late and len(right) == len(wrong) == len(errors) and counts.tolist() == [k - 1 for *_, k in late]
    for (x, y, k), (prompt, text) in zip(late, before, strict=True):
        assert prompt == begun(x.text, "Step1:") and f"Step1:{text}" == WORLD.join(y[: k - 1])
    for (x, y, k, _), (prompt, win), (same, lose) in zip(errors, right, wrong, strict=True):
        assert prompt == same == begun(x.text, WORLD.join(y, k)) and lose == f" {y[k - 1]}"
        assert WORLD.step_correct(x, y[: k - 1], win) and not WORLD.step_correct(x, y[: k - 1], lose)
        assert WORLD.wording(win) == (WORLD.wording(lose) or 0)


def test_what_moves_is_the_log_likelihood(method):
    names = cells("def log_pi(", np=np)
    names["log_pi"] = lambda policy, texts: np.array(texts, float)
    after, before = [[-1.0, -3.0], [-1.0, -2.0, -5.0], [-2.0, -9.0, -6.0]], [[-2.0, -1.0], [-2.0] * 3, [-4.0] * 3]
    moved = names["moves"](None, after, np.array([1, 2]), [np.array(row) for row in before])
    assert moved["right steps"].tolist() == [1.0, -1.0]  # two right steps lost 2 nats between them
    assert moved["gap"].tolist() == [1 - 2, 0 + 5, -3 + 2]


@pytest.fixture(scope="module")
def measures():
    return SimpleNamespace(**cells("def last(", np=np, where_reached=where_reached, runs={}, PAIR=("step-dpo", "dpo")))


def path(gaps, right):
    return {"gap": np.array(gaps, float), "right steps": np.array(right, float)}


def test_right_steps_are_read_at_the_gap_that_both_arms_reach(measures):
    far = path([[0, 0], [2, 4], [6, 6]], [[0, 0, 0], [-1, 0, 1], [-4, 0, 1]])  # mean gaps 0, 3, 6
    near = path([[0, 0], [1, 1], [4, 5]], [[0, 0, 0], [0, 0, 0], [0.2, 0, 0]])  # mean gaps 0, 1, 4.5
    r = {"step-dpo": [near, near], "dpo": [far, near]}
    assert measures.reach(r) == 4.5
    assert measures.right_steps(r, "dpo").tolist() == [(-2.5 + 0.2) / 2, 0, 0.5]  # far: half-way from gap 3 to gap 6
    assert measures.right_steps(r, "step-dpo", 0.5).tolist() == pytest.approx([0.2 * 1.25 / 3.5, 0, 0])
    shrinking = {"step-dpo": [near], "dpo": [path([[0, 0], [-1, -1], [-2, 0]], [[0], [-3], [-9]])]}
    assert measures.reach(shrinking) == 0 and measures.right_steps(shrinking, "dpo").tolist() == [0]


def test_a_pair_is_told_apart_by_a_positive_gap_at_the_end(measures):
    r = {"dpo": [path([[0, 0, 0], [1, -1, 0]], [[0], [0]]), path([[0, 0, 0], [2, 3, -1]], [[0], [0]])]}
    assert measures.told(r, "dpo").tolist() == [1, 0.5, 0.25]
    assert measures.mean_of(r, "dpo", "gap").tolist() == [1.5, 1, -0.5]


def test_orders_are_compared_by_what_each_says_of_the_two_arms(measures):
    step = [path([[0, 0], [4, 6]], [[0], [1]]), path([[0, 0], [2, 2]], [[0], [3]])]  # mean gaps 5 and 2
    whole = [path([[0, 0], [1, 3]], [[0], [-2]]), path([[0, 0], [3, 1]], [[0], [1]])]  # mean gaps 2 and 2
    r, undrawn = {"step-dpo": step, "dpo": whole}, {"COMPARED": False, "BY_FORM": False}
    names = cells("def effect(", **(vars(measures) | undrawn), p=SimpleNamespace(**PARAMETERS))
    assert names["effect"](r, 0, names["opened"]).tolist() == [3, 3]
    assert names["effect"](r, 1, names["opened"]).tolist() == [-1, 1]
    assert names["effect"](r, 0, measures.right_steps).tolist() == pytest.approx([1 * 2 / 5 + 2])  # at gap 2
    assert names["narrower"](r).tolist() == [2, 2]


def test_points_are_drawn_by_seed_or_by_error(measures):
    one, two = [[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]], [[1.0, 2.0], [3.0, 5.0]]  # (looks, errors)
    scope = measures.drawn.__globals__
    for kind, runs, drawn in (
        ("error", {0: one}, [[1, 4], [2, 5], [3, 9]]),
        ("seed", {0: one, 1: two}, [[2, 6], [1.5, 4]]),
    ):
        study = SimpleNamespace(replicate_kinds={"told": kind})
        scope |= {"runs": runs, "by_replicate": by_replicate, "study": study}
        assert measures.drawn("told", np.array).tolist() == drawn


def test_a_right_step_is_scored_a_token_in_its_own_and_in_the_foreign_form():
    x = WORLD.prompts(1, stream(0, "held-out"), split="held-out", depth=(2, 4))[0]
    due = [(f"at {k}", f" {WORLD.right_step(x, k)}") for k in (1, len(x.truth.values))]

    class Scored:
        """A policy that gives every token minus its place, and double that in the foreign form."""

        def __init__(self, policy, end):
            assert policy == "base" and end is False

        def logprobs(self, prompts, responses):
            assert list(prompts) == ["at 1", f"at {len(x.truth.values)}"]
            foreign = [1 + (WORLD.wording(WORLD.steps(f"Step1:{y}")[0]) == FOREIGN) for y in responses]
            return [-f * np.arange(1.0, 1 + len(y.split())) for f, y in zip(foreign, responses, strict=True)]

    said = lambda text: f" {text.strip()}"  # noqa: E731
    names = cells("def log_pi(", np=np, BegunPolicy=Scored, world=WORLD, said=said)
    forms = names["by_form"]("base", due)
    own = [-(len(y.split()) + 1) / 2 for _, y in due]
    foreign = [-(len(WORLD.reword(y).split()) + 1) for _, y in due]
    assert forms["own form"].tolist() == own and forms["foreign form"].tolist() == foreign


def test_what_is_seen_does_not_depend_on_the_wording(method):
    study = SimpleNamespace(map=lambda experiment: None, judged=())
    given = {"np": np, "world": WORLD, "p": method.p, "ask": method.ask, "stream": stream, "first_header": "Step1:"}
    names = cells("def experiment(", study=study, recurrence=recurrence, cut_answer=cut_answer, **given)
    questions = method.ask(PARAMETERS["heldout"], stream(0, "held-out"), "held-out")
    x = questions[0]
    pairs = [Pair("", f" {WORLD.right_step(x, 1, wording=2)}", f" {WORLD.right_step(x, 2, wording=1)}")]
    due = [WORLD.right_step(y, k) for y in questions for k in range(1, len(y.truth.values) + 1)]
    bare = [step.partition(" answer")[0] for step in due]
    hits = sum(step in (bare[0], bare[1]) for step in bare)
    assert hits >= 2 and names["seen"](pairs, 0) == pytest.approx(hits / len(due))
