"""Base models by name: pretrained ones, and tiny ones, each trained once and found by what it is trained on."""

from autodidact.bases.load import load_policy
from autodidact.models.tiny import TinyBase

__all__ = ["TinyBase", "load_policy"]
