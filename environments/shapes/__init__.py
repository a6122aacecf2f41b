"""Pictures of coloured shapes with captions, questions and exact answers: hallucination by co-occurrence, in little."""

from environments.shapes.captions import claim_true, claims, companion, is_companion_invention, mentions
from environments.shapes.chair import chair
from environments.shapes.corruptions import corrupt_image
from environments.shapes.reader import read
from environments.shapes.rendering import patches, render
from environments.shapes.scenes import COLOURS, COMPANIONS, SHAPES, Object, Scene
from environments.shapes.world import Prompt, Shapes, Truth

WORLDS = {"shapes": Shapes}

__all__ = [
    "COLOURS",
    "COMPANIONS",
    "SHAPES",
    "WORLDS",
    "Object",
    "Prompt",
    "Scene",
    "Shapes",
    "Truth",
    "chair",
    "claim_true",
    "claims",
    "companion",
    "corrupt_image",
    "is_companion_invention",
    "mentions",
    "patches",
    "read",
    "render",
]
