"""Policies: one object for the tiny model, SmolLM2 and models of the hub. `bases` loads them, `vision` what sees."""

from autodidact.models.arithmetic import extrapolate
from autodidact.models.begun import BegunPolicy, begun
from autodidact.models.cache import cache_folder
from autodidact.models.policy import Policy
from autodidact.models.response import Response, is_whole
from autodidact.models.tiny import TinyBase

__all__ = ["BegunPolicy", "Policy", "Response", "TinyBase", "begun", "cache_folder", "extrapolate", "is_whole"]
