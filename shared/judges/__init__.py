"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do.

Beside them, what judges leave behind: implicit rewards of a policy, and how far two rankings agree.
"""

from shared.judges.consistency import ordinal_ranks, ranking_consistency
from shared.judges.implicit import implicit_rewards, mean_loglikelihoods
from shared.judges.reward_model import RewardModel, train_reward_model
from shared.judges.scalar import ScalarJudge

__all__ = [
    "RewardModel",
    "ScalarJudge",
    "implicit_rewards",
    "mean_loglikelihoods",
    "ordinal_ranks",
    "ranking_consistency",
    "train_reward_model",
]
