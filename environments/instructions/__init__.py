"""Short responses under verifiable demands: the procedural world, IFEval's real prompts, and those who rate."""

from environments.instructions.ifeval import InstructionsIFEval
from environments.instructions.prompts import Prompt, Truth
from environments.instructions.raters import BradleyTerry, Checker, Cycle, Flipped, Grades, Voters
from environments.instructions.scoring import style_frequencies
from environments.instructions.world import Instructions

WORLDS = {"instructions": Instructions, "ifeval": InstructionsIFEval}

__all__ = [
    "WORLDS",
    "BradleyTerry",
    "Checker",
    "Cycle",
    "Flipped",
    "Grades",
    "Instructions",
    "InstructionsIFEval",
    "Prompt",
    "Truth",
    "Voters",
    "style_frequencies",
]
