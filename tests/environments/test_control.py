"""The control world: gymnasium's checker, one against many, raters by hand, and antisymmetry of every one of them."""

import os
import subprocess
import sys
from ctypes.util import find_library

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from autodidact.environments import load_world
from autodidact.environments.control import (
    Answers,
    ByReturn,
    FinalPosition,
    Locomotion,
    Noisy,
    NonMarkovian,
    PointMass,
    PointMasses,
    Populations,
    Swimmer,
    Swimmers,
    Trajectories,
)
from autodidact.environments.control.point_mass import advance
from autodidact.games import check_antisymmetric, condorcet_winner, minimax_winner

RATERS = [
    ByReturn(),
    Noisy(ByReturn(), 0.2),
    Noisy(ByReturn(), 0.5),
    NonMarkovian(limit=0.5),
    Noisy(NonMarkovian(limit=-0.2, early=0.5), 0.1),
    FinalPosition(radius=1.0),
    Noisy(FinalPosition(radius=0.3, window=1.5, distance_weight=0.5), 0.4),
]
SHARES = ((0.4, 0.35, 0.25), (0.2, 0.6, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.0, 0.0, 1.0))
ids = [f"{type(r).__name__}-{i}" for i, r in enumerate(RATERS)]


def random_act(rng):
    return lambda observations, h: rng.uniform(-1, 1, size=(len(observations), 2))


def episodes(n, seed=0):
    rng = np.random.default_rng(seed)
    return PointMasses().rollout(random_act(rng), n, rng)


def handmade(rewards, ends=None):
    """Trajectories with these rewards (n, H) that end at these points (n, 2)."""
    rewards = np.asarray(rewards, dtype=float)
    n, horizon = rewards.shape
    positions = np.zeros((n, horizon + 1, 2))
    positions[:, -1] = np.zeros((n, 2)) if ends is None else ends
    return Trajectories(
        np.zeros((n, horizon + 1, 3)), np.zeros((n, horizon, 2)), rewards, positions, np.ones((n, horizon), bool)
    )


class TestPointMass:
    """The environment, alone and in batches."""

    def test_passes_gymnasiums_checker(self):
        check_env(PointMass(), skip_render_check=True)

    def test_one_and_many_agree_step_by_step(self):
        rng = np.random.default_rng(1)
        many = PointMasses()
        singles = [PointMass() for _ in range(5)]
        observations = many.reset(5, rng)
        for env, state in zip(singles, many.state, strict=True):
            env.reset(seed=0)
            env.many.state = state[None].copy()
        for h in range(many.horizon):
            actions = rng.uniform(-1, 1, size=(5, 2))
            observations, rewards = many.step(actions)
            for i, env in enumerate(singles):
                seen, reward, fallen, late, info = env.step(actions[i])
                np.testing.assert_allclose(seen, observations[i], rtol=0, atol=1e-15)
                np.testing.assert_allclose(info["position"], many.state[i, :2], rtol=0, atol=1e-15)
                assert reward == pytest.approx(rewards[i], abs=1e-15)
                assert not fallen and late == (h + 1 == many.horizon)

    def test_a_step_by_hand(self):
        state, reward = advance(np.array([1.0, 2.0, 0.5, -0.5]), np.array([1.0, -0.5]))
        np.testing.assert_allclose(state, [1 + 0.05 * 0.6, 2 - 0.05 * 0.5, 0.6, -0.5])
        assert reward == pytest.approx(0.6 - 0.1 * 1.25)

    def test_rollouts_record_what_was_done_and_repeat(self):
        a, b = episodes(4), episodes(4)
        np.testing.assert_array_equal(a.actions, b.actions)
        np.testing.assert_array_equal(a.observations, b.observations)
        assert a.observations.shape == (4, 41, 3) and a.positions.shape == (4, 41, 2) and a.steps.all()
        np.testing.assert_allclose(np.diff(a.positions, axis=1), 0.05 * a.observations[:, 1:, :2], atol=1e-12)
        np.testing.assert_allclose(a.observations[0, :, 2], np.arange(41) / 40)
        np.testing.assert_allclose(a.rewards, a.observations[:, 1:, 0] - 0.1 * (a.actions**2).sum(-1), atol=1e-12)

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            ([0.0, 0.0, 0.0], r"shape \(3,\), must be \(2,\)"),
            ([0.0, np.nan], "1 entries that are not finite"),
            ([0.0, -1.5], r"size 1.5, must lie in \[-1, 1\]"),
            ("left", "must be numbers of shape"),
        ],
    )
    def test_wrong_actions_are_named(self, action, message):
        env, many = PointMass(), PointMasses()
        env.reset(seed=0)
        many.reset(1, np.random.default_rng(0))
        with pytest.raises(ValueError, match=message):
            env.step(action)
        if not isinstance(action, str):
            with pytest.raises(ValueError, match="action has"):
                many.step([action])
        env.step([0.0, 0.0])  # nothing is lost

    def test_steps_out_of_season_are_refused(self):
        with pytest.raises(ValueError, match="reset"):
            PointMass().step([0, 0])
        with pytest.raises(ValueError, match="reset"):
            PointMasses().step(np.zeros((1, 2)))
        env = PointMass(horizon=4)
        env.reset(seed=0)
        assert [env.step([0, 0])[3] for _ in range(4)] == [False, False, False, True]
        with pytest.raises(ValueError, match="reset"):
            env.step([0, 0])
        with pytest.raises(ValueError, match="horizon=3"):
            PointMass(horizon=3)


class TestSwimmer:
    """The wave that earns, by hand and by an independent computation."""

    def test_passes_gymnasiums_checker(self):
        check_env(Swimmer(), skip_render_check=True)

    def test_a_step_by_hand(self):
        many = Swimmers(joints=2)
        many.reset(1, np.random.default_rng(0))
        many.state = np.array([[0.4, -0.2, 0.8, 0.0, 3.0]])
        seen, rewards = many.step([[1.0, 0.5]])
        # speeds 0.85 * 0.8 + 0.25 * (1.2 - 1.6) and 0.25 * (0.6 + 0.8), angles 0.4 + 0.145 and -0.2 + 0.0875
        np.testing.assert_allclose(seen, [[0.545, -0.1125, 0.58, 0.35, 1 / 40]])
        thrust = (0.545 * 0.35 + 0.1125 * 0.58) / 2
        assert rewards[0] == pytest.approx(thrust - 0.2 * (1 + 0.25) / 2)
        np.testing.assert_allclose(many.positions, [[3 + 0.05 * thrust, 0.0]])

    @pytest.mark.parametrize("joints", [2, 5])
    def test_a_wave_from_head_to_tail_swims_and_the_same_wave_backwards_loses(self, joints):
        task = Swimmers(horizon=80, joints=joints)

        def wave(sign):
            phase = sign * np.arange(joints) * np.pi / 2
            act = lambda seen, h: np.tile(0.9 * np.sin(0.5 * h - phase), (len(seen), 1))  # noqa: E731
            return task.rollout(act, 20, np.random.default_rng(1))

        ahead, back = wave(1).returns.mean(), wave(-1).returns.mean()
        assert ahead > 10 > -10 > back
        still = task.rollout(lambda seen, h: np.zeros((len(seen), joints)), 400, np.random.default_rng(1)).returns
        assert abs(still.mean()) < 4 * still.std() / 20 < 0.1

    def test_no_state_and_no_action_is_good_by_itself(self):
        """The thrust of mirrored angles and speeds is the same, that of mirrored actions with them too."""
        many, rng = Swimmers(), np.random.default_rng(2)
        many.reset(50, rng)
        state, actions = rng.uniform(-1, 1, (50, 9)), rng.uniform(-1, 1, (50, 4))
        rewards = []
        for sign in (1, -1):
            many.state = sign * state
            rewards.append(many.step(sign * actions)[1])
            many._step = 0
        np.testing.assert_allclose(*rewards, atol=1e-12)

    def test_observations_stay_within_their_space_under_the_worst_actions(self):
        task, rng = Swimmers(horizon=400), np.random.default_rng(3)
        act = lambda seen, h: np.where(seen[:, 4:8] >= 0, 1.0, -1.0)  # noqa: E731, pushes with the motion
        assert np.abs(task.rollout(act, 5, rng).observations).max() < task.reach

    def test_a_film_shows_the_chain_move(self):
        pictures, shown = Swimmers().frames(lambda seen, h: np.full((1, 4), np.sin(h / 2)), 3, np.random.default_rng(4))
        assert pictures.shape == (3, 120, 160, 3) and pictures.dtype == np.uint8 and shown.tolist() == [0, 20, 40]
        assert all((picture == 0).all(-1).sum() > 300 for picture in pictures)  # a black chain
        assert (pictures[0] != pictures[1]).any()

    def test_too_few_joints_are_refused(self):
        with pytest.raises(ValueError, match="joints=1 must be 2"):
            load_world("control/swimmer-1")


class TestRaters:
    """Every rater is antisymmetric, and its labels are draws of its expectation."""

    @pytest.mark.parametrize("rater", RATERS, ids=ids)
    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 10**6))
    def test_antisymmetry(self, rater, seed):
        a, b = episodes(7, seed), episodes(5, seed + 1)
        np.testing.assert_allclose(rater.expected(a, b), -rater.expected(b, a).T, atol=1e-12)
        check_antisymmetric(rater.expected(a, a))
        np.testing.assert_allclose(rater.probability(a, b) + rater.probability(b, a).T, 1, atol=1e-12)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=6), st.floats(0.1, 3.1))
    def test_antisymmetry_of_end_points_anywhere(self, points, window):
        ends, rater = np.array(points), FinalPosition(radius=1.0, window=window)
        check_antisymmetric(rater.between(ends, ends))

    @settings(max_examples=30, deadline=None)
    @given(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda s: sum(s) > 0.1))
    def test_antisymmetry_of_populations(self, shares):
        rater = Populations((tuple(np.array(shares) / sum(shares)),))
        every = Answers(np.arange(3)[:, None])
        check_antisymmetric(rater.matrices)
        np.testing.assert_allclose(rater.expected(every, every)[..., 0], rater.matrices[0])

    @pytest.mark.parametrize("rater", RATERS, ids=ids)
    def test_labels_are_draws_of_the_expectation(self, rater):
        a, b, rng = episodes(3), episodes(4, 1), np.random.default_rng(0)
        labels = np.array([rater.label(a, b, rng) for _ in range(4000)])
        assert set(np.unique(labels)) <= {-1.0, 1.0}
        np.testing.assert_allclose(labels.mean(0), rater.expected(a, b), atol=4.5 / np.sqrt(4000))

    def test_by_return_and_noise_by_hand(self):
        a = handmade([[0, 0, 0, 3], [1, 0, 0, 0], [0, 1, 0, 0]])
        np.testing.assert_array_equal(ByReturn().expected(a, a), [[0, 1, 1], [-1, 0, 0], [-1, 0, 0]])
        np.testing.assert_allclose(Noisy(ByReturn(), 0.2).expected(a, a)[0], [0, 0.6, 0.6])

    def test_non_markovian_by_hand(self):
        rater = NonMarkovian(limit=1.0)
        a = handmade([[1, 1, 1, 1], [5, 5, 5, 1.1], [2, 1, 1, 0], [9, 9, 9, 3]])
        np.testing.assert_array_equal(rater.obeys(a), [True, False, True, False])
        wins = rater.expected(a, a)
        order = np.argsort(-wins.sum(1))
        np.testing.assert_array_equal(order, [2, 0, 1, 3])  # early return among who obey, small excess among others
        np.testing.assert_array_equal(wins[2], [1, 1, 0, 1])

    def test_final_position_by_hand(self):
        turn = lambda degrees, r: (r * np.cos(np.radians(degrees)), r * np.sin(np.radians(degrees)))  # noqa: E731
        rater = FinalPosition(radius=1.0)
        a = handmade(np.zeros((4, 4)), [turn(0, 2), turn(30, 3), turn(90, 0.5), turn(-170, 1)])
        b = handmade(np.zeros((1, 4)), [turn(170, 1)])
        wins = rater.expected(a, a)
        assert wins[1, 0] == pytest.approx(0.7)  # equally far, leads by 30 degrees
        assert wins[0, 2] == pytest.approx(0.3)  # farther, angles too far apart
        assert rater.expected(a[3:], b)[0, 0] == pytest.approx(0.7)  # across the cut of the angle
        assert rater.expected(b, a[3:])[0, 0] == pytest.approx(-0.7)

    def test_end_points_on_a_circle_have_no_winner(self):
        angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        ring = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        game = FinalPosition(radius=1.0).between(ring, ring)
        assert condorcet_winner(game) == -1
        np.testing.assert_allclose(game @ np.full(12, 1 / 12), 0, atol=1e-12)

    def test_populations_have_the_closed_form_of_the_linear_programme(self):
        rater = Populations(SHARES)
        for shares, matrix, winner in zip(SHARES, rater.matrices, rater.winners, strict=True):
            np.testing.assert_allclose(minimax_winner(matrix), winner, atol=1e-7)
            assert winner.sum() == pytest.approx(1)
            orders = ("abc", "bca", "cab")
            for i, j in ((0, 1), (1, 2), (2, 0)):
                fond = sum(
                    s for s, order in zip(shares, orders, strict=True) if order.index("abc"[i]) < order.index("abc"[j])
                )
                assert matrix[i, j] == pytest.approx(2 * fond - 1)

    def test_bad_parameters_are_named(self):
        with pytest.raises(ValueError, match="rate=0.6"):
            Noisy(ByReturn(), 0.6)
        with pytest.raises(ValueError, match="early=1.5"):
            NonMarkovian(limit=0, early=1.5)
        with pytest.raises(ValueError, match="window=4"):
            FinalPosition(radius=1.0, window=4.0)
        with pytest.raises(ValueError, match="sum to 1"):
            Populations(((0.5, 0.6, 0.1),))


def test_batches_join_and_are_cut_in_order():
    a, b = episodes(3), episodes(2, 1)
    queue = a.join(b)[-4:]
    assert len(queue) == 4
    np.testing.assert_array_equal(queue.returns, np.append(a.returns[1:], b.returns))
    np.testing.assert_allclose(a.until(0.75), a.rewards[:, :30].sum(1))
    assert len(Answers(np.zeros((3, 2), int)).join(Answers(np.ones((4, 2), int)))) == 7


class TestTasks:
    """The world's presets, and MuJoCo behind the same interface."""

    def test_presets(self):
        assert isinstance(load_world("control/point-mass"), PointMasses)
        assert [load_world(f"control/{name}").action_size for name in ("swimmer", "swimmer-7")] == [4, 7]
        with pytest.raises(ValueError, match="'Hoppper-v5' is unknown to gymnasium"):
            load_world("control/Hoppper-v5")
        assert isinstance(load_world("control/Swimmer-v5"), Locomotion)
        with pytest.raises(ValueError, match="'swimmer-two' is unknown to gymnasium"):
            load_world("control/swimmer-two")
        with pytest.raises(ValueError, match="one of MuJoCo's"):
            load_world("control/CartPole-v1")

    @pytest.mark.parametrize("name", ["Hopper-v5", "Walker2d-v5", "Ant-v5"])
    def test_mujoco_gives_whole_trajectories_of_unequal_length(self, name):
        task, rng = Locomotion(name, horizon=60), np.random.default_rng(0)
        batch = task.rollout(lambda seen, h: rng.uniform(-1, 1, (1, task.action_size)), 3, np.random.default_rng(1))
        assert batch.observations.shape == (3, 61, task.observation_size)
        lengths = batch.steps.sum(1)
        for i, length in enumerate(lengths):
            assert batch.steps[i, :length].all()
            assert not batch.rewards[i, length:].any() and not batch.actions[i, length:].any()
            assert batch.observations[i, length, -1] == pytest.approx(length / 60)
            np.testing.assert_array_equal(
                batch.positions[i, length:], np.tile(batch.positions[i, length], (61 - length, 1))
            )
        check_antisymmetric(NonMarkovian(limit=1.0).expected(batch, batch))
        with pytest.raises(ValueError, match="shape"):
            task.rollout(lambda seen, h: np.zeros((1, 1 + task.action_size)), 1, rng)

    def test_mujoco_rewards_are_gymnasiums(self):
        import gymnasium

        task = Locomotion("Hopper-v5", horizon=30)
        batch = task.rollout(lambda seen, h: np.full((1, 3), 0.1), 1, np.random.default_rng(5))
        env = gymnasium.make("Hopper-v5", max_episode_steps=30)
        seen, _ = env.reset(seed=int(np.random.default_rng(5).integers(2**31)))
        for h in range(batch.steps.sum()):
            np.testing.assert_allclose(batch.observations[0, h, :-1], seen)
            seen, reward, *_ = env.step(np.full(3, 0.1, dtype=np.float32))
            assert batch.rewards[0, h] == pytest.approx(reward)

    def test_a_model_with_words_that_mujoco_deprecates_is_built_in_silence_and_warnings_come_back(self, capfd):
        load_world("control/HalfCheetah-v5")
        assert capfd.readouterr().err == ""
        import mujoco  # not before a task has chosen how to draw

        assert mujoco.get_mju_user_warning() is None

    def test_a_film_that_cannot_be_drawn_says_so_in_its_pictures_and_ends_no_run(self, monkeypatch):
        task = Locomotion("Hopper-v5", horizon=8)
        monkeypatch.setattr(task.env, "render", lambda: 1 / 0)
        pictures, shown = task.frames(lambda seen, h: np.zeros((1, 3)), 2, np.random.default_rng(6))
        assert pictures.shape == (2, 120, 160, 3) and pictures.dtype == np.uint8 and shown.tolist() == [0, 7]
        assert pictures.min() < 100 < pictures.max() and (pictures[0] == pictures[1]).all()  # dark words, the same

    @pytest.mark.skipif(find_library("EGL") is None, reason="MuJoCo draws off screen by EGL")
    def test_a_film_is_drawn_where_nothing_says_how(self):
        code = (
            "import numpy as np; from autodidact.environments.control import Locomotion\n"
            "act = lambda seen, h: np.zeros((1, 3))\n"
            "film, _ = Locomotion('Hopper-v5', horizon=8).frames(act, 2, np.random.default_rng(0))\n"
            "assert len(np.unique(film)) > 100, 'nothing to be seen'"
        )
        bare = {name: value for name, value in os.environ.items() if name not in ("MUJOCO_GL", "DISPLAY")}
        done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def test_a_film_draws_the_steps_that_it_shows_and_no_others(self, monkeypatch):
        task, drawn = Locomotion("Hopper-v5", horizon=30), []

        def render():
            drawn.append(task.env.unwrapped.data.time)
            return np.full((2, 2, 3), len(drawn), dtype=np.uint8)

        def act(seen, h):
            return np.full((1, 3), 0.1)

        monkeypatch.setattr(task.env, "render", render)
        length = task.rollout(act, 1, np.random.default_rng(5)).steps.sum()
        pictures, shown = task.frames(act, 4, np.random.default_rng(5))
        np.testing.assert_array_equal(shown, np.linspace(0, length - 1, 4).round())
        np.testing.assert_allclose(drawn, shown * task.env.unwrapped.dt, atol=1e-12)
        assert pictures[:, 0, 0, 0].tolist() == [1, 2, 3, 4]
