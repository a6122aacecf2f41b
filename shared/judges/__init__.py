"""Judges: what turns answers into preferences. Every judge says `probability(prompt, a, b)`, as a world's raters do."""

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
    "OptionJudge",
    "RewardModel",
    "ScalarJudge",
    "bootstrap_dbg",
    "both_orders",
    "closed_labels",
    "corrected_score",
    "dbg_score",
    "flipped_share",
    "gold_share",
    "hard_labels",
    "likelihood_outcomes",
    "naive_score",
    "option_masses",
    "pooled_gold",
    "train_reward_model",
    "win_rate",
]
