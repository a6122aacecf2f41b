"""What is taught with far too high a rate says so; nothing of it comes back as if it were good."""

import numpy as np
import pytest

from autodidact import generative
from autodidact.agents import SoftActorCritic, TrajectoryReward
from autodidact.agents.novelty import Novelty
from autodidact.agents.style import Style
from autodidact.divergence import Diverged
from autodidact.environments.control import Locomotion

FAR = 1e30


def rng(seed=0):
    return np.random.default_rng(seed)


def rows(*shape):
    return rng(1).normal(size=shape).astype(np.float32)


def flow():
    start = generative.new_flow(generative.velocity_field("mlp", (2,), 8, 1, rng()), (2,))
    return generative.train_flow(
        start, rows(64, 2), steps=5, batch_size=32, learning_rate=FAR, decay=0.9, rng=rng(), clip=FAR
    )


def classifier():
    labels = rng().integers(2, size=64)
    return generative.train_classifier(
        rows(64, 1, 8, 8), labels, kind="mlp", steps=9, rng=rng(), learning_rate=FAR, batch_size=8
    )


def novelty():
    return Novelty(3, rng(), learning_rate=FAR).update(rows(600, 3), passes=4)


def style():
    parts = rows(50, 3), rows(50, 3)
    return Style(parts, rng(), learning_rate=FAR).update(parts, steps=9)


def reward():
    model, half = TrajectoryReward([8], learning_rate=FAR, rng=rng()), (rows(4, 3, 2), np.ones((4, 3), bool))
    model.add(half, half, np.sign(rows(4, 4)))
    return model.fit(9)


def actor_critic():
    options = {"hidden": [8], "batch_size": 8, "updates": 9, "reward_scale": FAR}
    agent = SoftActorCritic(Locomotion("Hopper-v5", horizon=8), learning_rate=FAR, rng=rng(), **options)
    batch = agent.rollout(3)
    return agent.update(batch, batch.steps * 1.0)


@pytest.mark.parametrize("teach", [flow, classifier, novelty, style, reward, actor_critic], ids=lambda f: f.__name__)
def test_what_diverges_says_so(teach):
    with pytest.raises(Diverged, match="^step [0-9]+: .* so training has diverged"):
        teach()


def test_no_steps_are_no_fit():
    with pytest.raises(ValueError, match="steps=0 must be at least 1"):
        TrajectoryReward([8], learning_rate=0.1, rng=rng()).fit(0)
