"""Learners that take whatever reward they are given for each step, and a reward model of trajectories.

Every learner has `rollout(n)`, n fresh trajectories of its present policy, and `update(batch, rewards)`, one update on
them. None of them reads a reward of the environment's own.
"""

from autodidact.agents.exp3 import Exp3
from autodidact.agents.reinforce import Reinforce
from autodidact.agents.reward import TrajectoryReward
from autodidact.agents.soft_actor_critic import SoftActorCritic

__all__ = ["Exp3", "Reinforce", "SoftActorCritic", "TrajectoryReward"]
