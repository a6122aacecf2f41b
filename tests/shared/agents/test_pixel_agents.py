"""Features, novelty, style, imitation, and the environment that PPO sees: small cases with known outcomes."""

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from autodidact.agents.imitation import Imitator, Walks, sampled
from autodidact.agents.novelty import Novelty
from autodidact.agents.pixels import AfterRollout, FeatureEnv, Logbook, PatchFeatures
from autodidact.agents.style import Style
from autodidact.environments import game


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def frames():
    vector, acts = game.make_vector(range(8), size=16, rooms=4), rng()
    seen = [vector.reset()[0]] + [vector.step(acts.integers(5, size=8))[0] for _ in range(40)]
    return np.concatenate(seen)


@pytest.fixture(scope="module")
def features(frames):
    return PatchFeatures(frames, rng(), patch=6, prototypes=16, components=24)


class TestFeatures:
    def test_activations_by_definition(self, frames, features):
        frame = frames[3]
        wanted = []
        for row in range(5):
            for column in range(5):
                patch = frame[1 + 6 * row : 7 + 6 * row, 1 + 6 * column : 7 + 6 * column].reshape(-1) / 255
                away = np.linalg.norm(patch - features.prototypes, axis=1)
                wanted.append(np.maximum(0, away.mean() - away))
        assert features._activations(frames[3:4])[0] == pytest.approx(
            np.concatenate(wanted), abs=2e-3
        )  # float32, near zero distance

    def test_components_are_centred_uncorrelated_and_ordered(self, frames, features):
        z = features(frames)
        assert z.shape == (len(frames), 24) == (len(frames), features.dim) and z.dtype == np.float32
        covariance = np.cov(z.T)
        assert z.mean(0) == pytest.approx(0, abs=1e-3)
        assert covariance - np.diag(np.diag(covariance)) == pytest.approx(0, abs=1e-2)
        assert (np.diff(np.diag(covariance)) < 1e-3).all() and np.diag(covariance).mean() == pytest.approx(1, abs=1e-2)
        assert 0.8 < features.kept_variance <= 1

    def test_same_generator_same_features(self, frames, features):
        again = PatchFeatures(frames, rng(), patch=6, prototypes=16, components=24)
        assert (again(frames[:5]) == features(frames[:5])).all()

    def test_too_few_frames(self, frames):
        with pytest.raises(ValueError, match="too few"):
            PatchFeatures(frames[:2], rng(), patch=6, prototypes=16, components=24)


class TestNovelty:
    def test_falls_where_one_has_been_and_not_elsewhere(self):
        data = rng(1).normal(size=(400, 6)).astype(np.float32)
        known, strange = data[:200], data[200:] + 4
        novelty = Novelty(6, rng(2))
        before = novelty.raw(known).mean(), novelty.raw(strange).mean()
        losses = [novelty.update(known, batch_size=50) for _ in range(60)]
        after = novelty.raw(known).mean(), novelty.raw(strange).mean()
        assert losses[-1] < 0.2 * losses[0] and after[0] < 0.2 * before[0]
        assert after[1] > 3 * after[0]

    def test_reward_is_the_error_over_the_running_deviation(self):
        novelty, parts = Novelty(3, rng(0)), rng(1).normal(size=(4, 50, 3)).astype(np.float32)
        rewards = [novelty.reward(z) for z in parts]
        raw = np.concatenate([novelty.raw(z) for z in parts])
        z = torch.as_tensor(parts[-1])
        assert novelty.raw(parts[-1]) == pytest.approx(
            ((novelty.predictor(z) - novelty.target(z)) ** 2).mean(1).detach().numpy()
        )
        assert novelty.deviation == pytest.approx(raw.std(), rel=1e-5)
        assert rewards[-1] == pytest.approx(raw[-50:] / raw.std(), rel=1e-5)

    def test_features_are_divided_by_their_scale_and_clipped(self):
        z, scale = rng(1).normal(size=(40, 3)).astype(np.float32), np.array([1.0, 10.0, 0.1])
        x = np.clip(z / scale, -5, 5).astype(np.float32)
        assert (np.abs(z / scale) > 5).any()
        assert Novelty(3, rng(0), scale=scale).raw(z) == pytest.approx(Novelty(3, rng(0)).raw(x), rel=1e-4)
        for wrong in (np.ones(2), np.zeros(3)):
            with pytest.raises(ValueError, match="scale of shape"):
                Novelty(3, rng(0), scale=wrong)

    def test_more_passes_learn_more_of_what_was_visited(self):
        z, raw = rng(1).normal(size=(200, 3)).astype(np.float32), {}
        for passes in (1, 8):
            novelty = Novelty(3, rng(0))
            novelty.update(z, passes=passes)
            raw[passes] = novelty.raw(z).mean()
        assert raw[8] < 0.5 * raw[1]

    def test_the_target_stays(self):
        novelty = Novelty(3, rng(0))
        before = [w.clone() for w in novelty.target.parameters()]
        novelty.update(np.ones((10, 3), np.float32))
        assert all((a == b).all() for a, b in zip(before, novelty.target.parameters(), strict=True))


class TestStyle:
    @staticmethod
    def transitions(seed, shift):
        z = rng(seed).normal(size=(600, 4)).astype(np.float32)
        return z, z + np.float32(shift)

    def test_tells_steps_apart_although_places_are_the_same(self):
        right, left = self.transitions(0, [1, 0, 0, 0]), self.transitions(1, [-1, 0, 0, 0])
        style = Style(right, rng(2), gradient_penalty=0.1)
        style.update(left, steps=300)
        held = self.transitions(5, [1, 0, 0, 0]), self.transitions(6, [-1, 0, 0, 0])
        rewards = [style.reward(*t).mean() for t in held]
        assert rewards[0] > 0.9 and rewards[1] < 0.2
        assert style.scores(*held[0]).mean() > 0.6 and style.scores(*held[1]).mean() < -0.6

    def test_who_does_as_demonstrated_cannot_be_told(self):
        style = Style(self.transitions(0, 1.0), rng(2))
        style.update(self.transitions(1, 1.0), steps=200)
        assert np.abs(style.scores(*self.transitions(2, 1.0))).mean() < 0.4

    def test_the_penalty_flattens(self):
        slopes = []
        for penalty in (0.0, 10.0):
            style = Style(self.transitions(0, 1.0), rng(2), gradient_penalty=penalty)
            style.update(self.transitions(1, -1.0), steps=100)
            z = torch.as_tensor(np.concatenate(self.transitions(0, 1.0), 1)).requires_grad_(True)
            slopes.append(float(torch.autograd.grad(style.network(z).sum(), z)[0].norm(dim=1).mean()))
        assert slopes[1] < 0.5 * slopes[0]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="transitions of shapes"):
            Style((np.zeros((3, 2)), np.zeros((4, 2))), rng())


class TestImitation:
    def test_memory_sees_the_past_and_only_the_past(self):
        z = torch.as_tensor(rng().normal(size=(1, 6, 3)).astype(np.float32))
        changed = z.clone()
        changed[0, 2] += 1
        for memory, later in ((True, True), (False, False)):
            model = Imitator(3, 5, rng(), memory=memory)
            differs = (model.remember(z)[0] != model.remember(changed)[0]).any(-1)[0]
            assert not differs[:2].any() and differs[2] and differs[3:].any() == later

    def test_acting_step_by_step_remembers_as_the_whole_does(self):
        model, z = Imitator(3, 5, rng()), rng(1).normal(size=(2, 4, 3)).astype(np.float32)
        whole, state = model.remember(torch.as_tensor(z))[0], None
        for t in range(4):
            _, state = model.act(z[:, t], state, rng())
        assert torch.allclose(state[0], whole[:, -1], atol=1e-6)

    def test_walks_are_padded_and_masked(self):
        walks = Walks([np.ones((3, 2), np.float32), np.ones((5, 2), np.float32)], [np.array([1, 2]), np.arange(4)])
        z, actions, mask = walks.take(np.array([0, 1]))
        assert z.shape == (2, 5, 2) and actions.tolist() == [[1, 2, 0, 0], [0, 1, 2, 3]]
        assert mask.tolist() == [[True, True, False, False], [True] * 4]
        with pytest.raises(ValueError, match="must have 3"):
            Walks([np.ones((2, 2), np.float32)], [np.array([1, 2])])

    def test_sampled_follows_the_probabilities(self):
        drawn = sampled(np.tile([0.2, 0.0, 0.8], (5000, 1)), rng())
        assert np.bincount(drawn, minlength=3) / 5000 == pytest.approx([0.2, 0, 0.8], abs=0.03)

    def test_prediction_depends_on_the_action(self):
        model, h = Imitator(3, 5, rng()), torch.zeros(1, 64)
        assert (model.predict(h, torch.tensor([0])) != model.predict(h, torch.tensor([1]))).any()


class TestFeatureEnv:
    @staticmethod
    def env(features, reward=lambda before, after: np.abs(after - before).sum(1), horizon=6):
        vector = game.make_vector(range(4), size=16, rooms=4, horizon=horizon)
        return FeatureEnv(vector, features, reward, actions=5)

    def test_observes_two_frames_and_rewards_transitions(self, features):
        env, twin = self.env(features), game.make_vector(range(4), size=16, rooms=4, horizon=6)
        first = features(twin.reset()[0])
        assert isinstance(env, VecEnv)
        assert (env.reset() == np.concatenate([first, first], 1)).all()
        actions = rng().integers(5, size=(6, 4))
        for t, a in enumerate(actions):
            z = features(twin.step(a)[0])
            obs, rewards, dones, infos = env.step(a)
            assert rewards == pytest.approx(np.abs(z - first).sum(1), rel=1e-5)
            seen = obs if t < 5 else np.stack([i["terminal_observation"] for i in infos])
            assert (seen == np.concatenate([first, z], 1)).all()
            first = z
        assert dones.all() and all(i["TimeLimit.truncated"] for i in infos)
        assert (obs == env.reset()).all()
        before, after = env.take()
        assert before.shape == after.shape == (24, features.dim)

    def test_position_is_not_observed(self, features):
        env = self.env(features)
        assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (48,), np.float32)

    def test_ppo_learns_a_reward_of_ours(self, features):
        """Pressing `interact` changes nothing in view: a penalty on change teaches it."""
        env, taken = self.env(features, lambda b, a: -1.0 * (np.abs(a - b).max(1) > 1e-4), 16), []
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=8, learning_rate=1e-2, seed=0, device="cpu")
        model.learn(64 * 40, callback=AfterRollout(lambda: taken.append(len(env.take()[0]))))
        assert taken == [64] * 40
        obs, still = env.reset(), []
        for _ in range(16):
            obs, rewards, *_ = env.step(model.predict(obs, deterministic=False)[0])
            still.append(rewards == 0)
        assert np.mean(still) > 0.8


def test_the_logbook_notes_bugs_in_view_at_the_start_and_all_of_a_step():
    class Played:
        batch = 1

        def reset(self):
            return None, {"bugs": np.array([[True, False, False]])}

        def step(self, actions):
            return None, {"position": np.zeros((1, 2)), "bugs": np.array([[False, True, True]])}

    log = Logbook(Played())
    log.reset()
    for _ in range(2):
        log.step(np.zeros(1, int))
    assert np.array(log.bugs)[:, 0].tolist() == [[True, True, True], [False, True, True]]


def test_the_slope_of_the_discriminator_is_that_of_automatic_differentiation():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(20, 5)).astype(np.float32)
    style, x = Style((z[:-1], z[1:]), rng, hidden=7), torch.randn(6, 10, requires_grad=True)
    d, slope = style._with_slope(x)
    d_auto = style.network(x)[:, 0]
    (wanted,) = torch.autograd.grad(d_auto.sum(), x, create_graph=True)
    assert torch.allclose(d, d_auto) and torch.allclose(slope, wanted, atol=1e-6)
    weights = list(style.network.parameters())
    penalties = [torch.autograd.grad((s**2).sum(), weights, allow_unused=True) for s in (slope, wanted)]
    for ours, auto in zip(*penalties, strict=True):
        assert (ours is None and auto is None) or torch.allclose(
            torch.zeros_like(auto) if ours is None else ours, auto, atol=1e-5
        )


def test_a_batch_of_walks_is_as_long_as_its_longest():
    walks = Walks([np.ones((n + 1, 2), np.float32) for n in (2, 5, 3)], [np.zeros(n, int) for n in (2, 5, 3)])
    z, actions, mask = walks.take(np.array([0, 2]))
    assert z.shape == (2, 4, 2) and actions.shape == (2, 3) and mask.sum(1).tolist() == [2, 3]
