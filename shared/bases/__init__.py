"""Base models by name: pretrained ones, and tiny ones, each trained once and found by what it is trained on."""

from autodidact.bases.load import load_policy

__all__ = ["load_policy"]
