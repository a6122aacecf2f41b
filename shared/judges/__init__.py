"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do."""

from shared.judges.options import OptionJudge
from shared.judges.reward_model import RewardModel, train_reward_model
from shared.judges.scalar import ScalarJudge

__all__ = ["OptionJudge", "RewardModel", "ScalarJudge", "train_reward_model"]
