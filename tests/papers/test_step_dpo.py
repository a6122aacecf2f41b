"""Step-DPO's pair builder as it stands in the notebook, on a scripted policy whose answers the world itself writes."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from autodidact.claims import papers_folder
from autodidact.environments.arithmetic import FOREIGN, Arithmetic, recurrence
from autodidact.environments.arithmetic.vocabulary import cut_answer
from autodidact.models.begun import MARK
from autodidact.samplers import Continuation
from autodidact.streams import stream
from autodidact.training import pairs_after

WORLD = Arithmetic.preset("steps", digits=3, jump=0.3, carry=0.2, wordings=3)
PARAMETERS = {"problems": 60, "samples": 4, "continuations": 8, "most_pairs": 2, "judge_off": [0.4], "depth": [2, 4]}


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


@pytest.fixture(scope="module")
def method():
    """What the notebook's cells of the method and of the arms define."""
    cells = json.loads((papers_folder() / "step-dpo" / "step-dpo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    names = {"np": np, "stream": stream, "p": SimpleNamespace(**PARAMETERS), "pairs_after": pairs_after}
    names |= {
        "WORLDS": {"wide": WORLD},
        "first_header": WORLD.join([], 1),
        "lab": SimpleNamespace(world=WORLD),
        "go_on": go_on,
        "cut_answer": cut_answer,
    }
    names |= {"ask": lambda world, n, rng, split: world.prompts(n, rng, split=split, depth=(2, 4))}
    for start in ("def collect(", "def beside(", "def make_arms("):
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source, names)
    return SimpleNamespace(**names)


@pytest.fixture(scope="module")
def arms(method):
    return method.make_arms(None, WORLD, 0, 0)


def problems(method):
    """Question -> problem, and question -> (steps of its wrong answer, place of the mistake)."""
    errors = method.collect(None, WORLD, 0, "train", PARAMETERS["problems"], 0)
    return {x.text: x for x, *_ in errors}, {x.text: (y, k) for x, y, k, _ in errors}


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


def test_whole_answers_weigh_problems_alike_and_are_whole(method, arms):
    by_text, _ = problems(method)
    pairs, end = arms["dpo"]
    own = Counter(q.prompt.partition(MARK)[0] for q in arms["step-dpo"][0])
    whole = Counter(q.prompt.partition(MARK)[0] for q in pairs)
    assert end is True and whole and all(count <= own[question] for question, count in whole.items())
    for q in pairs:
        question, _, prefix = q.prompt.partition(MARK)
        x = by_text[question]
        assert WORLD.score(x, prefix + q.chosen) == 1 and WORLD.score(x, prefix + q.rejected) == 0
        assert WORLD.well_formed(x, prefix + q.chosen)


def test_tails_share_the_prefix_of_the_step(method, arms):
    by_text, _ = problems(method)
    assert {q.prompt for q in arms["tails"][0]} <= {q.prompt for q in arms["step-dpo"][0]}
    for q in arms["tails"][0]:
        question, _, prefix = q.prompt.partition(MARK)
        assert WORLD.score(by_text[question], f"{prefix}{q.chosen}") == 1 and "answer" in q.rejected


def test_the_controls_are_what_they_are_called(method, arms):
    by_text, wrong = problems(method)
    assert {WORLD.wording(q.chosen) for q in arms["foreign"][0]} == {FOREIGN}
    assert arms["misplaced"][0] and not any(arms[name][1] for name in ("foreign", "misplaced", "judge off 0.4"))
    for q in arms["misplaced"][0]:
        question, _, prefix = q.prompt.partition(MARK)
        before = WORLD.steps(prefix)[:-1]
        assert len(before) < wrong[question][1] - 1
        assert WORLD.step_correct(by_text[question], before, q.rejected)
    right = [q.prompt in {o.prompt for o in arms["step-dpo"][0]} for q in arms["judge off 0.4"][0]]
    assert 0.3 < np.mean(right) < 1


def test_the_same_seed_gives_the_same_pairs(method, arms):
    again = method.make_arms(None, WORLD, 0, 0)
    assert {name: pairs for name, (pairs, _) in again.items()} == {name: pairs for name, (pairs, _) in arms.items()}
    assert recurrence([q.chosen for q in again["dpo"][0]], [q.chosen for q in arms["dpo"][0]]) == 1


def test_arms_without_pairs_leave_the_base_and_without_material_nothing_moves():
    cells = json.loads((papers_folder() / "step-dpo" / "step-dpo.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    rates = dict.fromkeys(("dpo_learning_rate", "tails_learning_rate", "foreign_learning_rate"), 1e-4)
    names = {"np": np, "p": SimpleNamespace(**rates)}
    for start in ("RATES = ", "def log_pi("):
        (source,) = [s for s in sources if s.startswith(start)]
        exec(source, names)
    base = object()
    assert names["train"](base, [], False, 0, "step-dpo") is base
    nothing = [[], [], []]
    still = names["moves"](base, nothing, [np.zeros(0)] * 3)
    assert still == {"right steps": 0.0, "told": 0.5, "margin": 0.0}


def test_what_moves_is_the_log_likelihood_and_a_pair_is_told_by_its_larger_gain():
    cells = json.loads((papers_folder() / "step-dpo" / "step-dpo.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = [s for s in ("".join(c["source"]) for c in cells) if s.startswith("def log_pi(")]
    names = {"np": np}
    exec(source, names)
    names["log_pi"] = lambda policy, texts: np.array(texts, float)
    after, before = [[-1.0, -3.0], [-1.0, -2.0, -5.0], [-2.0, -9.0, -6.0]], [[-2.0, -1.0], [-2.0] * 3, [-4.0] * 3]
    measured = names["moves"](None, after, [np.array(row) for row in before])
    assert measured["right steps"] == pytest.approx((1 - 2) / 2)
    assert measured["told"] == pytest.approx(1 / 3)  # gains 1 against 2, 0 against -5, -3 against -2
    assert measured["margin"] == pytest.approx(((1 - 2) + (0 + 5) + (-3 + 2)) / 3)
