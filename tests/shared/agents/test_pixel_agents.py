"""Features, what a policy is shown, novelty, style, imitation, PPO: small cases with known outcomes."""

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO as StableBaselinesPPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from autodidact.agents.imitation import Imitator, Walks, sampled
from autodidact.agents.novelty import Episode, Novelty
from autodidact.agents.pixels import Gaze, PatchFeatures, Remembered
from autodidact.agents.ppo import PPO, advantages
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


class TestRemembered:
    def test_looks_up_what_it_computed_and_computes_each_frame_once(self, frames, features):
        asked = []

        def counted(some):
            asked.append(len(some))
            return features(some)

        lookup, wanted = Remembered(counted, features.dim), features(frames)
        distinct = len({f.tobytes() for f in frames})
        for rows in (slice(0, 100), slice(50, 200), slice(None), slice(None, None, -1)):
            assert lookup(frames[rows]) == pytest.approx(wanted[rows], abs=1e-4)
        assert sum(asked) == distinct < len(frames)
        lookup.forget()
        lookup(frames[:1])
        assert sum(asked) == distinct + 1

    def test_two_equal_frames_at_once_and_more_than_it_keeps(self, frames, features):
        few = Remembered(features, features.dim, limit=3)
        some = np.unique(frames, axis=0)[[0, 1, 0, 1]]
        assert few(some) == pytest.approx(features(some), abs=1e-4) and (few(some)[0] == few(some)[2]).all()
        many = np.unique(frames, axis=0)[:10]
        assert (few(many) == features(many)).all() and few(some) == pytest.approx(features(some), abs=1e-4)


class TestGaze:
    def test_before_now_trace_and_last_action(self):
        gaze, z = Gaze(2, 3, decay=0.5), np.float32([[[1, 2]], [[3, 5]], [[7, 0]]])
        gaze.begin(z[0])
        assert gaze.width == 9 and gaze.last.tolist() == [-1]
        assert gaze.seen.tolist() == [[1, 2, 1, 2, 1, 2, 0, 0, 0]]  # twice the trace, which is half of the first frame
        gaze.step(np.array([2]), z[1])
        gaze.step(np.array([0]), z[2])
        trace = 2 * np.array([0.125 * 1 + 0.25 * 3 + 0.5 * 7, 0.125 * 2 + 0.25 * 5])
        assert gaze.seen.tolist() == [[3, 5, 7, 0, *trace, 1, 0, 0]] and gaze.seen.dtype == np.float32
        gaze.begin(z[1])
        assert gaze.seen.tolist() == [[3, 5, 3, 5, 3, 5, 0, 0, 0]]

    def test_a_decay_that_is_none(self):
        with pytest.raises(ValueError, match="decay=1"):
            Gaze(2, 3, decay=1)


class TestEpisode:
    def test_distance_to_the_nearest_frame_of_the_episode(self):
        episode, z = Episode(), rng().normal(size=(9, 3, 5)).astype(np.float32)
        for _ in range(2):  # the second episode knows nothing of the first
            episode.begin(z[0])
            for t in range(1, 9):
                away = np.linalg.norm(z[:t] - z[t], axis=2).min(0) / np.sqrt(5)
                assert episode.reward(z[t]) == pytest.approx(away, abs=1e-3)

    def test_who_stands_still_or_goes_to_and_fro_earns_nothing(self):
        episode, (here, there) = Episode(), rng(1).normal(size=(2, 4, 6)).astype(np.float32)
        episode.begin(here)
        assert episode.reward(here) == pytest.approx(0, abs=1e-3)
        assert (episode.reward(there) > 0.1).all()
        assert [episode.reward(z).max() for z in (here, there, here)] == pytest.approx([0, 0, 0], abs=1e-3)

    def test_another_batch(self):
        episode = Episode()
        episode.begin(np.zeros((2, 3), np.float32))
        episode.begin(np.zeros((4, 3), np.float32))
        assert episode.reward(np.ones((4, 3), np.float32)) == pytest.approx(1)


class TestPPO:
    OPTIONS = {"learning_rate": 1e-2, "discount": 0.9, "entropy": 0.01, "epochs": 1, "minibatch": 10**6, "gae": 0.8}

    def test_advantages_by_hand(self):
        found = advantages(np.array([[1.0], [0.0]]), np.array([[0.5], [1.0], [2.0]]), 0.9, 0.5)
        second = 0 + 0.9 * 2.0 - 1.0
        assert found[:, 0] == pytest.approx([1 + 0.9 * 1.0 - 0.5 + 0.45 * second, second])

    def test_steps_are_those_of_stable_baselines3(self):
        """Three updates on the same rollouts, from the same weights: all of a rollout in one minibatch."""
        steps, players, inputs, draw = 6, 5, 4, rng(7)
        ppo = PPO(inputs, 3, rng(1), hidden=8, **self.OPTIONS)
        spaces = gymnasium.spaces.Box(-9, 9, (inputs,)), gymnasium.spaces.Discrete(3)
        peer = StableBaselinesPPO(
            "MlpPolicy", _Idle(players, *spaces), n_steps=steps, batch_size=steps * players, n_epochs=1, gamma=0.9,
            gae_lambda=0.8, ent_coef=0.01, learning_rate=1e-2, device="cpu", seed=0,
            policy_kwargs={"net_arch": [8], "optimizer_kwargs": {"eps": 1e-5}},
        )  # fmt: skip
        peer.set_logger(Logger(folder=None, output_formats=[]))
        theirs = peer.policy
        pairs = [(theirs.mlp_extractor.policy_net[0], ppo.policy[0]), (theirs.action_net, ppo.policy[2])]
        pairs += [(theirs.mlp_extractor.value_net[0], ppo.value[0]), (theirs.value_net, ppo.value[2])]
        for one, other in pairs:
            one.load_state_dict(other.state_dict())
        for _ in range(3):
            buffer = peer.rollout_buffer
            buffer.reset()
            for _ in range(steps):
                seen, reward = draw.normal(size=(players, inputs)).astype(np.float32), draw.normal(size=players)
                actions = ppo.act(seen)
                ppo.reward(reward)
                value, chance, _ = theirs.evaluate_actions(torch.as_tensor(seen), torch.as_tensor(actions))
                buffer.add(seen, actions[:, None], reward, np.zeros(players), value.detach(), chance.detach())
            last = draw.normal(size=(players, inputs)).astype(np.float32)
            buffer.compute_returns_and_advantage(
                theirs.predict_values(torch.as_tensor(last)).detach(), np.zeros(players)
            )
            peer.train()
            ppo.update(last)
        for one, other in pairs:
            assert torch.allclose(one.weight, other.weight, atol=1e-5)
            assert torch.allclose(one.bias, other.bias, atol=1e-5)

    def test_learns_what_pays(self):
        """Two players who see which of two actions pays."""
        ppo, draw = PPO(2, 2, rng(0), **(self.OPTIONS | {"epochs": 4, "discount": 0.0})), rng(1)
        for _ in range(60):
            for _ in range(16):
                pays = draw.integers(2, size=2)
                ppo.reward((ppo.act(np.eye(2, dtype=np.float32)[pays]) == pays) * 1.0)
            ppo.update(np.zeros((2, 2), np.float32))
        pays = draw.integers(2, size=500)
        assert (ppo.act(np.eye(2, dtype=np.float32)[pays], draw) == pays).mean() > 0.9

    def test_what_is_acted_for_a_test_is_no_part_of_a_rollout(self):
        ppo, seen = PPO(2, 2, rng(0), **self.OPTIONS), np.zeros((3, 2), np.float32)
        ppo.act(seen, rng())
        with pytest.raises(ValueError, match="0 steps has 0 rewards"):
            ppo.update(seen)
        ppo.act(seen)
        with pytest.raises(ValueError, match="1 steps has 0 rewards"):
            ppo.update(seen)


class _Idle(VecEnv):
    """Spaces for stable-baselines3 to know; it is never stepped."""

    def reset(self):
        return np.zeros((self.num_envs, *self.observation_space.shape), np.float32)

    def get_attr(self, attr_name, indices=None):
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * self.num_envs

    close = set_attr = step_async = step_wait = env_method = lambda self, *args, **kwargs: None


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
