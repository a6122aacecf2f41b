"""SPO's loop as it stands in the notebook: queue, win rate, even spread; and hedge against its library form."""

import json
from ctypes.util import find_library
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax

from autodidact.claims import papers_folder
from autodidact.environments.control import Answers, ByReturn, PointMasses, Trajectories
from autodidact.games import exponential_weights, random_games
from autodidact.streams import stream
from ci.form import cells_of, output_problems
from tests.papers.notebooks import execute, measure, seeds_stand_alone

SLUG = "minimaximalist-spo"


@pytest.fixture(scope="module")
def method():
    """What the notebook's cell of the method defines."""
    cells = json.loads((papers_folder() / SLUG / f"{SLUG}.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(c["source"]) for c in cells if "def self_play(" in "".join(c["source"])]
    names = {"np": np, "softmax": softmax, "stream": stream, "p": SimpleNamespace(batch=2, queue=5)}
    exec(source, names)
    return SimpleNamespace(**names)


class Scripted:
    """An agent whose answers count up, and which notes what it is paid."""

    def __init__(self):
        self.count, self.paid = 0, []

    def rollout(self, n):
        self.count += n
        return Answers(np.arange(self.count - n, self.count)[:, None])

    def update(self, batch, rewards):
        self.paid.append((batch.choices[:, 0], rewards[:, 0, 0]))


class Noted:
    """A rater that prefers every third answer, and notes whom it was asked about."""

    def __init__(self):
        self.asked = []

    def label(self, a, b, rng):
        self.asked.append((a.choices[:, 0].tolist(), b.choices[:, 0].tolist()))
        likes = [(x.choices % 3 == 0).astype(float) for x in (a, b)]
        return likes[0][:, None] - likes[1][None, :]


def test_fresh_trajectories_meet_the_last_ones_before_they_join_them(method):
    agent, rater = Scripted(), Noted()
    played = method.self_play(agent, rater, 4, 0)
    assert rater.asked[0] == ([5, 6], [0, 1, 2, 3, 4])
    assert rater.asked[1] == ([7, 8], [2, 3, 4, 5, 6])
    assert rater.asked[3] == ([11, 12], [6, 7, 8, 9, 10])
    assert [len(batch) for batch in played] == [2] * 4
    for (fresh, paid), (_, queue) in zip(agent.paid, rater.asked, strict=True):
        expected = [np.mean([float(x % 3 == 0) - float(q % 3 == 0) for q in queue]) for x in fresh]
        np.testing.assert_allclose(paid, expected)


def test_a_frozen_queue_stays_and_shuffling_deals_the_same_win_rates(method):
    rater = Noted()
    method.self_play(Scripted(), rater, 3, 0, frozen=True)
    assert [queue for _, queue in rater.asked] == [[0, 1, 2, 3, 4]] * 3
    plain, dealt = Scripted(), Scripted()
    method.self_play(plain, Noted(), 30, 0, batch=6)
    method.self_play(dealt, Noted(), 30, 0, batch=6, shuffled=True)
    rates = [np.array([paid for _, paid in agent.paid]) for agent in (plain, dealt)]
    np.testing.assert_allclose(*(np.sort(r, axis=1) for r in rates))
    assert not np.allclose(*rates)


def test_the_win_rate_is_spread_evenly_over_the_steps_that_were_taken(method):
    steps = np.array([[True] * 4, [True, True, False, False]])
    shapes = (2, 5, 1), (2, 4, 1), (2, 4), (2, 5, 2)
    spread = method.spread(np.array([0.8, -0.5]), Trajectories(*map(np.zeros, shapes), steps))
    np.testing.assert_allclose(spread, [[0.2] * 4, [-0.25, -0.25, 0, 0]])


def test_the_environments_reward_is_not_paid(method):
    """The same play, whatever the returns are, as long as their order is the same."""
    task, paid = PointMasses(horizon=8), []

    class Runner:
        def __init__(self, scale):
            self.scale, self.rng = scale, np.random.default_rng(0)

        def rollout(self, n):
            batch = task.rollout(lambda seen, h: self.rng.uniform(-1, 1, (n, 2)), n, self.rng)
            parts = {name: getattr(batch, name) for name in ("observations", "actions", "positions", "steps")}
            return Trajectories(rewards=self.scale * batch.rewards, **parts)

        def update(self, batch, rewards):
            paid.append(rewards)

    for scale in (1.0, 1000.0):
        method.self_play(Runner(scale), ByReturn(), 3, 0)
    np.testing.assert_array_equal(paid[:3], paid[3:])


def test_hedge_is_exponential_weights_in_every_game(method):
    games = random_games(3, 5, np.random.default_rng(0))
    average, last = method.hedge(games, 200)
    eta = np.sqrt(2 * np.log(5) / 200)
    for k, game in enumerate(games):
        path = exponential_weights(np.full(5, 1 / 5), 199, eta, lambda p, g=game: g @ p)
        np.testing.assert_allclose(average[k], path.mean(0), atol=1e-9)
        np.testing.assert_allclose(last[k], path[-1], atol=1e-9)


def test_one_trajectory_a_round_and_an_empty_queue_are_refused(method):
    with pytest.raises(ValueError, match="batch=1 must be 2 or greater"):
        method.self_play(Scripted(), Noted(), 1, 0, batch=1)
    with pytest.raises(ValueError, match="queue=0 must be 1 or greater"):
        method.self_play(Scripted(), Noted(), 1, 0, size=0)


# The least that the notebook can do and still reach its verdicts.
LEAST = {
    "games": 2, "answers": 4, "game_rounds": [10, 20], "grid": 2, "population_rounds": 5, "horizon": 8, "rounds": 4,
    "batch": 2, "queue": 3, "long_queue": 4, "noise": [0.0, 0.4], "reward_steps": 1, "linear_steps": 1, "segments": 2,
    "limited_horizon": 8, "limited_rounds": 4, "circle_horizon": 8, "circle_rounds": 3, "frames": 2, "threads": 1,
}  # fmt: skip


def test_seeds_together_are_seeds_apart_bit_for_bit(monkeypatch):
    monkeypatch.setenv("AUTODIDACT_WORKERS", "2")
    together, _ = seeds_stand_alone(lambda **seeds: measure(SLUG, **LEAST, **seeds))
    assert together["equal-trajectories", 100] != together["equal-trajectories", 101]


@pytest.mark.skipif(find_library("EGL") is None, reason="MuJoCo draws off screen by EGL")
def test_two_runners_in_one_record_and_their_film_strips_are_small(tmp_path, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "egl")
    runners = {"tasks": ["Hopper-v5", "Walker2d-v5"], "learner": "sac"}
    network = {"sac_hidden": [8], "sac_batch": 4, "sac_updates": 1}
    out = tmp_path / "out.ipynb"
    record = execute(SLUG, out, **(LEAST | runners | network | {"frames": 4}), seed=100, seeds=1)
    assert record["parameters"]["tasks"] == runners["tasks"]
    outputs = [output for cell in cells_of(out) for output in cell.get("outputs", ())]
    alts = [output["metadata"].get("autodidact", {}).get("alt", "") for output in outputs if "metadata" in output]
    films = [alt for alt in alts if alt.startswith("Film strips")]
    assert [name for name in runners["tasks"] if any(name in alt for alt in films)] == runners["tasks"]
    assert not [problem for problem in output_problems(out) if "kB" in problem]
