"""Policies: one object for the tiny model, SmolLM2 and any model of the hub; those that see are in `shared.vision`."""

from shared.models.begun import BegunPolicy, begun
from shared.models.cache import cache_folder
from shared.models.load import load_policy
from shared.models.policy import Policy
from shared.models.tiny import TinyBase

__all__ = ["BegunPolicy", "Policy", "TinyBase", "begun", "cache_folder", "load_policy"]
