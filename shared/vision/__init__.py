"""Policies that see: the tiny one of a world of pictures, and vision-language models of the hub."""

from autodidact.vision.certainty import chair_at_recall, claim_logprobs
from autodidact.vision.load import load_vision_policy
from autodidact.vision.policy import VisionPolicy
from autodidact.vision.sight import DRAWING, TinySight, sight_of
from autodidact.vision.tower import Tower

__all__ = [
    "DRAWING",
    "TinySight",
    "Tower",
    "VisionPolicy",
    "chair_at_recall",
    "claim_logprobs",
    "load_vision_policy",
    "sight_of",
]
