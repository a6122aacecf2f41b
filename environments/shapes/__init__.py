"""Pictures of coloured shapes with captions, questions and exact answers: hallucination by co-occurrence, in little."""

from environments.shapes.captions import claim_true, claims, companion, is_companion_invention, mentions
from environments.shapes.chair import chair
from environments.shapes.choices import ask_review, parse_choice, review, type_table
from environments.shapes.corruptions import corrupt_image
from environments.shapes.drawings import densify_pair, perturb_prompt
from environments.shapes.facts import questions_of, satisfied
from environments.shapes.grid import along_text, grid_of, render_grid, text_of, true_mask, well_formed
from environments.shapes.prompts import Prompt, Truth
from environments.shapes.reader import read
from environments.shapes.rendering import patches, render
from environments.shapes.scenes import COLOURS, COMPANIONS, SHAPES, Object, Scene
from environments.shapes.small import code_of, distance_to_real, label_of, read_small, render_small
from environments.shapes.tools import TOOLS, shuffle_tools, tool_score, tools
from environments.shapes.world import Shapes

WORLDS = {"shapes": Shapes}

__all__ = [
    "COLOURS",
    "COMPANIONS",
    "SHAPES",
    "TOOLS",
    "WORLDS",
    "Object",
    "Prompt",
    "Scene",
    "Shapes",
    "Truth",
    "along_text",
    "ask_review",
    "chair",
    "claim_true",
    "claims",
    "code_of",
    "companion",
    "corrupt_image",
    "densify_pair",
    "distance_to_real",
    "grid_of",
    "is_companion_invention",
    "label_of",
    "mentions",
    "parse_choice",
    "patches",
    "perturb_prompt",
    "questions_of",
    "read",
    "read_small",
    "render",
    "render_grid",
    "render_small",
    "review",
    "satisfied",
    "shuffle_tools",
    "text_of",
    "tool_score",
    "tools",
    "true_mask",
    "type_table",
    "well_formed",
]
