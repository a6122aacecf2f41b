"""Policies: one object for the tiny model, SmolLM2 and any model of the hub; those that see are in `vision`."""

from autodidact.models.begun import BegunPolicy, begun
from autodidact.models.cache import cache_folder
from autodidact.models.load import load_policy
from autodidact.models.policy import Policy
from autodidact.models.tiny import TinyBase

__all__ = ["BegunPolicy", "Policy", "TinyBase", "begun", "cache_folder", "load_policy"]
