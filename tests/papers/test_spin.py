"""SPIN's notebook: its opponents, rounds, controls and measures against values worked out by hand."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from autodidact.claims import papers_folder
from autodidact.environments.instructions import BradleyTerry, Instructions
from autodidact.lab import Answers, labelled_pairs, play
from autodidact.losses import dpo, spin
from autodidact.samplers import Sample
from autodidact.streams import stream
from autodidact.training import Pair

WORLD = Instructions.preset("plateau")
PRESET = {
    "lambdas": [0.1, 0.2, 5.0], "rates": [1.0, 0.5, 0.25], "union": True, "kind": "logistic", "learning_rate": 4e-4,
    "steps": 10, "batch_size": 8, "continued_learning_rate": 1e-3, "dpo_beta": 0.3, "dpo_learning_rate": 2e-4,
    "rater_certainty": 1e6, "preference_pairs": 40, "prompts": 30, "cut_tokens": 2, "long_learning_rate": 1e-4,
    "discriminator_prompts": 25, "discriminator_steps": 7, "discriminator_batch_size": 4,
    "discriminator_learning_rate": 2e-3,
}  # fmt: skip


class Scripted:
    """A lab that answers by a script and trains by writing down what it was asked to."""

    world = WORLD

    def __init__(self, answer=lambda policy, x, k: f"{policy} answer {k}"):
        self.answer, self.trained = answer, []

    def sample(self, policy, prompts, n, rng, **over):
        inputs = [getattr(x, "text", x) for x in prompts]
        rows = [[Sample(self.answer(policy, x, k), 0.0, 1, True) for k in range(n)] for x in prompts]
        return Answers(prompts, inputs, rows, WORLD)

    def train(self, policy, pairs, s, t, **how):
        self.trained.append(SimpleNamespace(policy=policy, pairs=pairs, s=s, t=t, **how))
        return f"{policy}'"

    def supervise(self, policy, data, s, t, **how):
        self.trained.append(SimpleNamespace(policy=policy, pairs=data, s=s, t=t, **how))
        return f"{policy}+"


@pytest.fixture
def notebook():
    """What the notebook's cells define, with a scripted lab and a preset of the test's own."""
    cells = json.loads((papers_folder() / "spin" / "spin.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    names = {
        "np": np, "torch": torch, "partial": partial, "stream": stream, "Pair": Pair, "BradleyTerry": BradleyTerry,
        "spin": spin, "dpo": dpo, "labelled_pairs": labelled_pairs, "lab": Scripted(), "ROUNDS": 3,
        "play": lambda step, base, s, rounds: play(step, [base], s, rounds),  # here a policy is its name
        "p": SimpleNamespace(**PRESET, table_responses=6, table_lambdas=[0.5, 1.0, 2.0], table_rounds=3),
    }  # fmt: skip
    for start in ("ORDER = ", "def two_answers(", "def log_normal(", "def demonstrated("):
        (source,) = [source for source in sources if source.startswith(start)]
        exec(source, names)
    (source,) = [source for source in sources if "def demonstrations_of(" in source]
    exec(source[source.index("def demonstrations_of(") : source.index("def fine_tuned(")], names)
    (source,) = [source for source in sources if source.startswith("def turn(")]
    exec(source[: source.index("runs = ")], names)
    (source,) = [source for source in sources if "def measured(" in source]
    exec(source[source.index("def measured(") : source.index("def experiment(")], names)
    return SimpleNamespace(**names)


DATA = [("x", "right"), ("y", "base answer 0"), ("z", "good")]


def test_an_opponent_answers_every_prompt_and_a_pair_of_equal_sides_is_dropped(notebook):
    pairs = notebook.opponent("base", DATA, 0, 0)
    assert [(q.prompt, q.chosen, q.rejected) for q in pairs] == [
        ("x", "right", "base answer 0"),
        ("z", "good", "base answer 0"),
    ]


def test_a_round_has_its_own_opponent_lambda_and_rate_and_the_union_reaches_back_one_round(notebook):
    path = notebook.self_play(7, "base", DATA, lambdas=PRESET["lambdas"], rates=PRESET["rates"], union=True)
    assert path == ["base", "base'", "base''", "base'''"]
    first, second, third = notebook.lab.trained
    assert [r.policy for r in (first, second, third)] == ["base", "base'", "base''"]
    assert [r.learning_rate for r in (first, second, third)] == [4e-4, 2e-4, 1e-4]
    assert [r.loss.keywords["beta"] for r in (first, second, third)] == [0.1, 0.2, 5.0]
    assert [r.t for r in (first, second, third)] == [0, 1, 2]
    assert [len(r.pairs) for r in (first, second, third)] == [2, 3 + 2, 3 + 3]
    assert {q.rejected for q in third.pairs} == {"base'' answer 0", "base' answer 0"}


def test_without_the_union_a_round_has_fresh_pairs_alone_and_another_order_another_number(notebook):
    fresh = notebook.players(7, "start", "base", DATA)["fresh pairs"]
    assert len(fresh(1)) == 3
    assert [r.t for r in notebook.lab.trained] == [notebook.ORDER, notebook.ORDER + 1]
    assert {q.rejected for q in notebook.lab.trained[1].pairs} == {"base' answer 0"}
    assert {(r.learning_rate, r.loss.keywords["beta"]) for r in notebook.lab.trained} == {(4e-4, 0.1)}


def test_arms_of_all_rounds_have_as_many_steps_and_sft_as_many_sequences(notebook):
    arms = notebook.players(7, "start", "base", DATA)
    for arm in ("one long round", "sft continued", "dpo", "swapped", "once"):
        arms[arm](0)
    long, sft, by_rater, swapped, once = notebook.lab.trained
    assert long.steps == sft.steps == by_rater.steps == 30 and not hasattr(once, "steps")
    assert sft.batch_size == 16
    assert [r.learning_rate for r in (long, sft, by_rater)] == pytest.approx([1e-4, 1e-3, 2e-4])
    assert by_rater.loss.func is dpo and by_rater.loss.keywords == {"beta": 0.3}
    assert [(q.chosen, q.rejected) for q in swapped.pairs] == [(q.rejected, q.chosen) for q in once.pairs]
    arms["once"](0, 0.25)
    assert notebook.lab.trained[-1].learning_rate == 1e-4


def test_gold_pairs_and_a_certain_rater_put_the_better_answer_first(notebook):
    def answer(policy, x, k):
        return WORLD.demonstrate(x, stream(k, "sample"), quality=(0.9, 0.2)[k])

    notebook.lab.answer = answer
    texts = {x.text: x for x in WORLD.prompts(30, stream(3, "train", 2), split="train")}
    pairs = notebook.gold_pairs("base", 3)
    assert len(pairs) > 15
    for q in pairs:
        assert WORLD.score(texts[q.prompt], q.chosen) > WORLD.score(texts[q.prompt], q.rejected)
    texts = {x.text: x for x in WORLD.prompts(40, stream(3, "train", 3), split="train")}
    pairs = notebook.preferences("start", 3)
    gaps = [WORLD.score(texts[q.prompt], q.chosen) - WORLD.score(texts[q.prompt], q.rejected) for q in pairs]
    assert len(pairs) == 40 and min(gaps) >= 0 and max(gaps) > 0


def test_a_rater_without_certainty_prefers_by_a_coin(notebook):
    notebook.p.rater_certainty, notebook.p.preference_pairs = 1e-9, 400
    notebook.lab.answer = lambda policy, x, k: WORLD.demonstrate(x, stream(k, "sample"), quality=(1.0, 0.0)[k])
    texts = {x.text: x for x in WORLD.prompts(400, stream(3, "train", 3), split="train")}
    pairs = notebook.preferences("start", 3)
    gaps = [WORLD.score(texts[q.prompt], q.chosen) - WORLD.score(texts[q.prompt], q.rejected) for q in pairs]
    assert 0.4 < np.mean(np.array(gaps) > 0) < 0.6


def test_cut_keeps_so_many_tokens_and_drops_what_is_then_the_data(notebook):
    policy = SimpleNamespace(encode_response=lambda y: [*y.split(), "<eos>"], decode=" ".join)
    pairs = [Pair("x", "a b", "c d e f"), Pair("y", "c d", "c d e"), Pair("z", "a", "b")]
    assert [q.rejected for q in notebook.cut(policy, pairs)] == ["c d", "b"]


def test_a_player_is_ahead_by_its_gain_on_the_data_minus_its_gain_on_the_sample(notebook):
    values = {"base": {"a": -2.0, "b": -1.0, "c": -4.0}, "player": {"a": -1.0, "b": -3.0, "c": -4.5}}
    base, player = (
        SimpleNamespace(sequence_logprobs=lambda x, y, v=values[name]: np.array([v[one] for one in y]))
        for name in ("base", "player")
    )
    pairs = [Pair("x", "a", "b"), Pair("x", "b", "c"), Pair("x", "a", "a")]
    ahead = notebook.advantage(player, base, pairs)
    assert ahead.tolist() == [1 - -2, -2 - -0.5, 0]
    assert notebook.told(ahead).tolist() == [1, 0, 0.5]


def test_a_round_that_takes_all_back_turns_by_minus_one_and_one_that_goes_on_by_one(notebook):
    def path(*rounds):
        values = [dict(zip("abcd", logps, strict=True)) for logps in rounds]
        return [SimpleNamespace(sequence_logprobs=lambda x, y, v=v: np.array([v[one] for one in y])) for v in values]

    pairs, first = [Pair("x", "a", "b"), Pair("y", "c", "d")], [0.0, -1.0, 2.0, 0.5]
    assert notebook.turn(path([0.0] * 4, first, [-0.5 * v for v in first]), pairs) == pytest.approx(-1)
    assert notebook.turn(path([0.0] * 4, first, [1.9 * v for v in first]), pairs) == pytest.approx(1)
    second = [0.0 + 1, -1.0 - 1, 2.0 - 1, 0.5 + 1]  # changes by 1, -1, -1, 1 after 0, -1, 2, 0.5
    expected = np.corrcoef(first, [1, -1, -1, 1])[0, 1]
    assert notebook.turn(path([0.0] * 4, first, second, [9.0] * 4), pairs) == pytest.approx(expected)


def test_what_is_measured_is_the_mean_over_orders_round_by_round(notebook):
    gold = {"base": [0.0, 1.0], "a": [1.0, 0.0], "b": [0.5, 0.5]}
    values = {"evaluate": lambda policy, s: {"gold": np.array(gold[policy])}, "np": np}
    measured = type(notebook.measured)(notebook.measured.__code__, values)
    rounds = measured([["base", "a"], ["base", "b"]], 0)
    assert [r["gold"].tolist() for r in rounds] == [[0.0, 1.0], [0.75, 0.25]]


def test_the_closed_form_is_the_policy_that_minimises_the_loss_of_a_table(notebook):
    rng = np.random.default_rng(0)
    data, start = (notebook.log_normal(rng.normal(size=5)) for _ in range(2))
    q, r = np.exp(data), np.exp(start)

    def expected_loss(logits, lam):
        ratio = lam * (notebook.log_normal(logits) - start)
        return sum(q[i] * r[j] * np.log1p(np.exp(ratio[j] - ratio[i])) for i in range(5) for j in range(5))

    for lam in (0.5, 2.0):
        best = notebook.closed_form(start, data, lam)
        assert np.exp(best).sum() == pytest.approx(1)
        left = (best - data) - (1 - 1 / lam) * (start - data)
        assert left == pytest.approx(np.full(5, left[0]))  # the log-ratio shrinks by that factor, up to the normaliser
        others = [notebook.log_normal(best + 0.05 * rng.normal(size=5)) for _ in range(20)]
        assert all(expected_loss(other, lam) > expected_loss(best, lam) for other in others)
        assert notebook.steepest(best, start, data, lam) < 1e-12
        steps = 1e-6 * np.eye(5)
        slopes = [(expected_loss(start + e, lam) - expected_loss(start - e, lam)) / 2e-6 for e in steps]
        assert notebook.steepest(start, start, data, lam) == pytest.approx(np.abs(slopes).max(), abs=1e-8)
        assert np.abs(slopes).max() == pytest.approx(lam / 2 * np.abs(q - r).max(), abs=1e-8)


def test_a_fresh_discriminator_starts_from_the_judge_and_knows_only_fresh_demonstrations(notebook):
    class Player:
        def sequence_logprobs(self, x, y):  # one nat more for whatever is no sample
            return np.array([float(" answer " not in one) for one in y])

    judge = SimpleNamespace(sequence_logprobs=lambda x, y: np.zeros(len(y)))
    prompts = WORLD.prompts(12, stream(0, "held-out"), split="held-out")
    notebook.lab.held_out = lambda policy, s: notebook.lab.sample(policy, prompts, 1, stream(s, "evaluate"))
    seen = []
    notebook.lab.train = lambda policy, pairs, s, t, **how: seen.append((policy, pairs, how)) or Player()
    assert notebook.fresh_discriminator(judge, "spin", 5, 1) == 1
    ((policy, pairs, how),) = seen
    assert policy is judge and how["loss"].keywords["beta"] == 0.1
    assert (how["learning_rate"], how["steps"], how["batch_size"]) == (pytest.approx(2e-3), 7, 4)
    assert len(pairs) == 25 and {q.rejected for q in pairs} == {"spin answer 0"}
    assert not {(q.prompt, q.chosen) for q in pairs} & set(notebook.demonstrations_of(5, 200, 1))
