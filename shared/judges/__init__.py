"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do.

Beside them, what judges leave behind: implicit rewards of a policy, and how far two rankings agree.
"""

from shared.judges.additive import AdditiveJudge, additive_score
from shared.judges.attention import response_attention
from shared.judges.consistency import ordinal_ranks, ranking_consistency
from shared.judges.implicit import implicit_rewards, mean_loglikelihoods
from shared.judges.options import OptionJudge
from shared.judges.pairwise import (
    both_orders,
    closed_labels,
    flipped_share,
    hard_labels,
    likelihood_outcomes,
    option_masses,
)
from shared.judges.reward_model import RewardModel, train_reward_model
from shared.judges.scalar import ScalarJudge
from shared.judges.self_preference import (
    bootstrap_dbg,
    corrected_score,
    dbg_score,
    gold_share,
    naive_score,
    pooled_gold,
    win_rate,
)

__all__ = [
    "AdditiveJudge",
    "OptionJudge",
    "RewardModel",
    "ScalarJudge",
    "additive_score",
    "bootstrap_dbg",
    "both_orders",
    "closed_labels",
    "corrected_score",
    "dbg_score",
    "flipped_share",
    "gold_share",
    "hard_labels",
    "implicit_rewards",
    "likelihood_outcomes",
    "mean_loglikelihoods",
    "naive_score",
    "option_masses",
    "ordinal_ranks",
    "pooled_gold",
    "ranking_consistency",
    "response_attention",
    "train_reward_model",
    "win_rate",
]
