"""Training with any of our losses, policies in and policies out: a lean loop for tiny models, else TRL's trainers.

TRL is loaded when a training first needs it, and with the names `PreferenceTrainer`, `train_rloo`, `leave_one_out`.
"""

from typing import Any

from autodidact.divergence import Diverged
from autodidact.training.adapters import adapters
from autodidact.training.beside import train_beside
from autodidact.training.pairs import Pair, extra_columns, whole_pairs
from autodidact.training.preferences import train_preferences
from autodidact.training.revisions import train_revisions, with_drafts
from autodidact.training.run import Run
from autodidact.training.second_choice import train_second_choice
from autodidact.training.steps import pairs_after, train_after
from autodidact.training.supervised import train_supervised
from autodidact.training.third import OwnResponses, response_logps
from autodidact.training.token_rewards import TokenRewards, per_token

__all__ = [
    "Diverged",
    "OwnResponses",
    "Pair",
    "PreferenceTrainer",
    "Run",
    "TokenRewards",
    "adapters",
    "extra_columns",
    "leave_one_out",
    "pairs_after",
    "per_token",
    "response_logps",
    "train_after",
    "train_beside",
    "train_preferences",
    "train_revisions",
    "train_rloo",
    "train_second_choice",
    "train_supervised",
    "whole_pairs",
    "with_drafts",
]


def __getattr__(name: str) -> Any:
    if name in ("leave_one_out", "train_rloo"):
        from autodidact.training import rloo

        return getattr(rloo, name)
    if name == "PreferenceTrainer":
        from autodidact.training.preference_trainer import PreferenceTrainer

        return PreferenceTrainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
