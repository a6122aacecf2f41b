"""Training through TRL: its trainers, any of our losses, policies in and policies out."""

from autodidact.training.adapters import adapters
from autodidact.training.preference import PreferenceTrainer, extra_columns
from autodidact.training.preferences import Pair, train_preferences
from autodidact.training.run import Run
from autodidact.training.second_choice import train_second_choice
from autodidact.training.self_rewarding import self_rewarding
from autodidact.training.steps import pairs_after, train_after
from autodidact.training.supervised import train_supervised

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
