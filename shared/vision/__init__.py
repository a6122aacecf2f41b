"""Policies that see: the tiny one of a world of pictures, and vision-language models of the hub."""

from shared.vision.load import load_vision_policy
from shared.vision.policy import VisionPolicy
from shared.vision.tiny import DRAWING, TinySight
from shared.vision.tower import Tower

__all__ = ["DRAWING", "TinySight", "Tower", "VisionPolicy", "load_vision_policy"]
