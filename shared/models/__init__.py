"""Policies: one object for the tiny model, SmolLM2 and any model of the hub."""

from shared.models.begun import BegunPolicy, begun
from shared.models.cache import cache_folder
from shared.models.load import load_policy
from shared.models.policy import Policy
from shared.models.sight import load_vision_policy
from shared.models.tiny import TinyBase
from shared.models.tiny_sight import TinySight
from shared.models.vision import VisionPolicy

__all__ = [
    "BegunPolicy",
    "Policy",
    "TinyBase",
    "TinySight",
    "VisionPolicy",
    "begun",
    "cache_folder",
    "load_policy",
    "load_vision_policy",
]
