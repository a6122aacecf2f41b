"""Pictures of coloured shapes with captions, questions and exact answers: hallucination by co-occurrence, in little."""

from autodidact.environments.shapes.captions import claim_true, claims, companion, is_companion_invention, mentions
from autodidact.environments.shapes.chair import chair, chair_at_recall
from autodidact.environments.shapes.choices import ask_review, parse_choice, review, type_table
from autodidact.environments.shapes.corruptions import corrupt_image
from autodidact.environments.shapes.drawings import densify_pair, perturb_prompt
from autodidact.environments.shapes.facts import questions_of, satisfied
from autodidact.environments.shapes.grid import along_text, grid_of, render_grid, text_of, true_mask, well_formed
from autodidact.environments.shapes.prompts import Prompt, Truth, spoil, swapped
from autodidact.environments.shapes.reader import read
from autodidact.environments.shapes.rendering import patches, render
from autodidact.environments.shapes.scenes import COLOURS, COMPANIONS, SHAPES, Object, Scene
from autodidact.environments.shapes.small import code_of, distance_to_real, label_of, read_small, render_small
from autodidact.environments.shapes.tools import TOOLS, shuffle_tools, tool_score, tools
from autodidact.environments.shapes.world import Shapes

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
    "chair_at_recall",
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
    "spoil",
    "swapped",
    "text_of",
    "tool_score",
    "tools",
    "true_mask",
    "type_table",
    "well_formed",
]
