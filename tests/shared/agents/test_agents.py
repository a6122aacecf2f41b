"""Learners and the reward model against closed forms, finite differences and what may not influence them."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import expit

from autodidact.agents import Exp3, Reinforce, SoftActorCritic, TrajectoryReward
from autodidact.environments.control import Answers, Locomotion, PointMasses
from autodidact.games import exponential_weights


def rng(*seed):
    return np.random.default_rng(seed)


def reinforce(seed=0, **options):
    options = {"learning_rate": 0.03, "sigma": 0.5, "bumps": 4, **options}
    return Reinforce(PointMasses(horizon=8), rng=rng(seed), **options)


class TestExp3:
    """Exponential weights from samples."""

    def test_where_every_answer_is_sampled_as_often_as_its_probability_it_is_exponential_weights(self):
        agent, payoff = Exp3(1, 3, eta=0.4, explore=0.0, rng=rng(0)), np.array([0.2, -0.5, 0.9])
        every = Answers(np.arange(3)[:, None])
        agent.update(every, payoff[:, None, None])  # the uniform policy, each answer once
        expected = exponential_weights(np.full(3, 1 / 3), 1, 0.4, lambda p: payoff)[-1]
        np.testing.assert_allclose(agent.policy[0], expected)

    def test_the_payoff_estimate_is_unbiased(self):
        agent = Exp3(1, 3, eta=1.0, explore=0.2, rng=rng(1))
        agent._logits = np.log([[0.7, 0.2, 0.1]])
        payoff, start = np.array([0.3, -0.2, 0.8]), agent._logits.copy()
        batch = agent.rollout(200_000)
        agent.update(batch, payoff[batch.choices][:, None, :])
        np.testing.assert_allclose((agent._logits - start)[0], payoff, atol=0.02)

    def test_samples_follow_the_policy_and_the_average_is_over_rollouts(self):
        agent = Exp3(2, 3, eta=1.0, explore=0.1, rng=rng(2))
        with pytest.raises(ValueError, match="before the first rollout"):
            _ = agent.average
        agent._logits = np.log([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
        first, batch = agent.policy, agent.rollout(40_000)
        shares = (batch.choices[..., None] == np.arange(3)).mean(0)
        np.testing.assert_allclose(shares, 0.9 * first + 0.1 / 3, atol=0.01)
        agent._logits = np.zeros((2, 3))
        agent.rollout(1)
        np.testing.assert_allclose(agent.average, (first + 1 / 3) / 2)
        with pytest.raises(ValueError, match="explore=1"):
            Exp3(1, 3, eta=0.1, explore=1.0, rng=rng(0))


class TestReinforce:
    """The Gaussian policy."""

    def test_the_gradient_is_that_of_the_expected_return(self):
        """On a task whose reward is linear in the unclipped actions, against finite differences of the exact mean."""
        agent = reinforce(sigma=0.05, bumps=2, learning_rate=1e-12)
        steps = []
        agent._adam.step = lambda gradient: steps.append(gradient) or np.zeros_like(gradient)
        value = np.linspace(1, 2, 8)  # what a unit of the first action is worth at each step
        batch = agent.rollout(40_000)
        rewards = batch.actions[..., 0] * value
        ahead = rewards[:, ::-1].cumsum(1)[:, ::-1]
        agent.update(batch, rewards)
        features = np.stack([agent._features(batch.observations[:, h]) for h in range(8)])
        expected = np.einsum("h,hnf->f", value, features) / len(batch)  # d mean return / dW, first action
        found = steps[0][:, 0] * (ahead - ahead.mean(0)).std()
        np.testing.assert_allclose(found[[0, 3, 4]], expected[[0, 3, 4]], rtol=0.03)
        assert np.abs(steps[0][:, 1] * (ahead - ahead.mean(0)).std()).max() < 0.3

    def test_neither_scale_nor_offset_of_a_reward_matters_nor_the_environments_own(self):
        weights = []
        for scale, offset in ((1.0, 0.0), (50.0, 7.0)):
            agent = reinforce()
            batch = agent.rollout(6)
            blind = dataclasses.replace(batch, rewards=np.full_like(batch.rewards, np.nan))
            agent.update(blind, scale * batch.actions[..., 1] + offset)
            weights.append(agent.weights)
        np.testing.assert_allclose(*weights, rtol=1e-6)
        assert np.abs(weights[0]).max() == pytest.approx(0.03, rel=1e-3)

    def test_it_learns_what_it_is_paid_for(self):
        agent = reinforce(learning_rate=0.1)
        for _ in range(60):
            batch = agent.rollout(16)
            agent.update(batch, -batch.actions[..., 1])
        assert agent.rollout(50).actions[..., 1].mean() < -0.8
        act = agent.act(np.zeros((3, 3)), 0)
        assert act.shape == (3, 2) and np.abs(act).max() <= 1

    def test_episodes_may_be_played_one_after_the_other(self):
        class InTurn(PointMasses):
            def rollout(self, act, n, rng):
                first, *others = [super(InTurn, self).rollout(act, 1, rng) for _ in range(n)]
                return first.join(*others)

        agent = Reinforce(InTurn(horizon=8), learning_rate=0.1, sigma=0.5, bumps=4, rng=rng(3))
        agent.weights = rng(4).normal(size=agent.weights.shape)
        batch = agent.rollout(5)
        features, noise = agent.played
        assert len(np.unique(noise[0, :, 0])) == 5
        expected = np.clip(features @ agent.weights + 0.5 * noise, -1, 1)
        np.testing.assert_allclose(batch.actions.swapaxes(0, 1), expected)
        agent.update(batch, batch.rewards)

    def test_rewards_of_another_batch_are_refused(self):
        agent = reinforce()
        with pytest.raises(ValueError, match="latest rollout"):
            agent.update(agent.task.rollout(agent.act, 2, rng(0)), np.zeros((2, 8)))
        batch = agent.rollout(2)
        for wrong in (np.zeros((3, 8)), np.full((2, 8), np.nan)):
            with pytest.raises(ValueError, match="rewards of shape"):
                agent.update(batch, wrong)


class TestTrajectoryReward:
    """Bradley-Terry on sums over steps."""

    @staticmethod
    def data(seed=0, n=30, m=30, horizon=5):
        g = rng(seed)
        inputs, steps = g.normal(size=(n + m, horizon, 2)), g.random((n + m, horizon)) < 0.8
        return inputs, steps, n

    def test_the_linear_model_is_the_maximum_of_the_likelihood(self):
        inputs, steps, n = self.data()
        sums = (inputs * steps[..., None]).sum(1)
        gap = sums[:n, None] - sums[None, n:]
        labels = np.where(rng(1).random(gap.shape[:2]) < expit(gap @ [0.5, -0.3]), 1.0, -1.0)
        model = TrajectoryReward([], learning_rate=0.02, rng=rng(2))
        model.add((inputs[:n], steps[:n]), (inputs[n:], steps[n:]), labels)
        loss = model.fit(600)
        best = minimize(lambda w: np.logaddexp(0, -labels * (gap @ w)).mean(), np.zeros(2))
        weight, _ = model._layers
        np.testing.assert_allclose(weight.detach().numpy()[:, 0] / model._scale, best.x, atol=0.02)
        assert loss == pytest.approx(best.fun, abs=0.02)  # a constant for each step is one more parameter

    def test_loss_of_one_comparison_by_hand_and_pairs_that_were_not_asked(self):
        model = TrajectoryReward([], learning_rate=0.1, rng=rng(0))
        inputs, steps = np.array([[[1.0], [2.0]], [[4.0], [0.0]], [[0.0], [0.0]]]), np.ones((3, 2), bool)
        asked = np.array([[1.0, 0.0]])
        model.add((inputs[:1], steps[:1]), (inputs[1:], steps[1:]), np.array([[-1.0, 1.0]]), asked)
        with torch.no_grad():
            model._layers[0].fill_(float(model._scale[0]))  # r_hat(x) = x - mean
        assert float(model._loss(*model._rounds[0]).detach()) == pytest.approx(np.log(1 + np.exp(3 - 4)), rel=1e-5)
        rewards = model.rewards(inputs, np.array([[True, False]] * 3))
        assert not rewards[:, 1].any() and rewards[0, 0] - rewards[2, 0] == pytest.approx(1, rel=1e-5)

    def test_a_network_learns_what_no_linear_model_can(self):
        inputs, steps, n = self.data(horizon=1)
        truth = np.abs(inputs[:, 0, 0])
        labels = np.sign(truth[:n, None] - truth[None, n:])
        right = {}
        for hidden in ([], [32, 32]):
            model = TrajectoryReward(hidden, learning_rate=0.01, rng=rng(3))
            model.add((inputs[:n], steps[:n] | True), (inputs[n:], steps[n:] | True), labels)
            model.fit(300)
            rewards = model.rewards(inputs, steps | True)[:, 0]
            right[len(hidden)] = (np.sign(rewards[:n, None] - rewards[None, n:]) == labels).mean()
        assert right[2] > 0.95 > 0.75 > right[0]

    def test_it_repeats_and_leaves_the_global_generators_alone(self):
        inputs, steps, n = self.data()
        labels = np.sign(rng(4).normal(size=(n, n)))
        state, found = torch.random.get_rng_state(), []
        for _ in range(2):
            model = TrajectoryReward([8], learning_rate=0.01, rng=rng(5))
            model.add((inputs[:n], steps[:n]), (inputs[n:], steps[n:]), labels)
            model.fit(5)
            found.append(model.rewards(inputs, steps))
        np.testing.assert_array_equal(*found)
        assert torch.equal(state, torch.random.get_rng_state())
        with pytest.raises(ValueError, match="widths"):
            TrajectoryReward([0], learning_rate=0.1, rng=rng(0))


class TestSoftActorCritic:
    """stable-baselines3's SAC under somebody else's rewards."""

    def test_the_buffer_holds_the_given_rewards_and_the_ends(self):
        task = Locomotion("Hopper-v5", horizon=30)
        options = {"learning_rate": 1e-3, "hidden": [16], "batch_size": 8, "updates": 2, "reward_scale": 3.0}
        agent = SoftActorCritic(task, rng=rng(0), **options)
        batch = agent.rollout(2)
        before = [w.clone() for w in agent._sac.actor.parameters()]
        given = batch.steps * np.array([[0.5], [-0.25]])
        agent.update(batch, given)
        buffer, count = agent._sac.replay_buffer, batch.steps.sum()
        assert buffer.pos == count
        scaled = given[batch.steps] * 3.0 / np.std(given.sum(1))
        np.testing.assert_allclose(buffer.rewards[:count, 0], scaled, rtol=1e-5)
        lengths = batch.steps.sum(1)
        assert np.flatnonzero(buffer.dones[:count, 0]).tolist() == [lengths[0] - 1, count - 1]
        np.testing.assert_allclose(buffer.actions[:count, 0], batch.actions[batch.steps], atol=1e-6)
        assert any(not torch.equal(a, b) for a, b in zip(before, agent._sac.actor.parameters(), strict=True))
        with pytest.raises(ValueError, match="must be finite"):
            agent.update(batch, np.full(batch.steps.shape, np.nan))
        again = SoftActorCritic(task, rng=rng(0), **options).rollout(2)
        np.testing.assert_array_equal(again.actions, batch.actions)
