"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do.

Beside them, what judges leave behind: implicit rewards of a policy, and how far two rankings agree.
"""

from autodidact.judges.additive import AdditiveJudge, additive_score
from autodidact.judges.attention import response_attention
from autodidact.judges.consistency import ordinal_ranks, rank_correlation, ranking_consistency
from autodidact.judges.implicit import implicit_rewards, mean_loglikelihoods
from autodidact.judges.options import OptionJudge
from autodidact.judges.pairwise import (
    both_orders,
    closed_labels,
    flipped_share,
    hard_labels,
    likelihood_outcomes,
    option_masses,
)
from autodidact.judges.reward_model import RewardModel, train_reward_model
from autodidact.judges.scalar import ScalarJudge
from autodidact.judges.self_preference import (
    bootstrap_dbg,
    corrected_score,
    dbg_score,
    gold_share,
    logistic_fit,
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
    "logistic_fit",
    "mean_loglikelihoods",
    "naive_score",
    "option_masses",
    "ordinal_ranks",
    "pooled_gold",
    "rank_correlation",
    "ranking_consistency",
    "response_attention",
    "train_reward_model",
    "win_rate",
]
