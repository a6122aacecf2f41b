"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do.

Beside them, what judges leave behind: implicit rewards of a policy, and how far two rankings agree.
"""

from autodidact.judges.additive import AdditiveJudge, additive_score
from autodidact.judges.attention import response_attention
from autodidact.judges.consistency import ordinal_ranks, rank_correlation, ranking_consistency
from autodidact.judges.degree import DegreeHead, degree_accuracy, degree_draws, train_with_degree
from autodidact.judges.gap_model import (
    GapModel,
    antisymmetry_error,
    reference_sensitivity,
    self_gap_spread,
    train_gap_model,
)
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
    "DegreeHead",
    "GapModel",
    "OptionJudge",
    "RewardModel",
    "ScalarJudge",
    "additive_score",
    "antisymmetry_error",
    "bootstrap_dbg",
    "both_orders",
    "closed_labels",
    "corrected_score",
    "dbg_score",
    "degree_accuracy",
    "degree_draws",
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
    "reference_sensitivity",
    "response_attention",
    "self_gap_spread",
    "train_gap_model",
    "train_reward_model",
    "train_with_degree",
    "win_rate",
]
