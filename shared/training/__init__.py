"""Training through TRL: its trainers, any of our losses, policies in and policies out."""

from shared.training.adapters import adapters
from shared.training.preference import PreferenceTrainer, extra_columns
from shared.training.preferences import Pair, train_preferences
from shared.training.run import Run
from shared.training.second_choice import train_second_choice
from shared.training.self_rewarding import self_rewarding
from shared.training.steps import pairs_after, train_after
from shared.training.supervised import train_supervised

__all__ = [
    "Pair",
    "PreferenceTrainer",
    "Run",
    "adapters",
    "extra_columns",
    "pairs_after",
    "self_rewarding",
    "train_after",
    "train_preferences",
    "train_second_choice",
    "train_supervised",
]
