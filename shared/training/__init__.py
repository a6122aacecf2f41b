"""Training with any of our losses, policies in and policies out: a lean loop for tiny models, else TRL's trainers.

TRL is loaded when a training first needs it, and with the name `PreferenceTrainer`.
"""

from typing import Any

from autodidact.divergence import Diverged
from autodidact.training.adapters import adapters
from autodidact.training.pairs import Pair, extra_columns, whole_pairs
from autodidact.training.preferences import train_preferences
from autodidact.training.revisions import train_revisions, with_drafts
from autodidact.training.run import Run
from autodidact.training.second_choice import train_second_choice
from autodidact.training.steps import pairs_after, train_after
from autodidact.training.supervised import train_supervised

__all__ = [
    "Diverged",
    "Pair",
    "PreferenceTrainer",
    "Run",
    "adapters",
    "extra_columns",
    "pairs_after",
    "train_after",
    "train_preferences",
    "train_revisions",
    "train_second_choice",
    "train_supervised",
    "whole_pairs",
    "with_drafts",
]


def __getattr__(name: str) -> Any:
    if name == "PreferenceTrainer":
        from autodidact.training.preference_trainer import PreferenceTrainer

        return PreferenceTrainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
