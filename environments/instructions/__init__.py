"""Short responses under verifiable demands: the procedural world, sentences, IFEval's prompts, and those who rate."""

from autodidact.environments.instructions.ifeval import InstructionsIFEval
from autodidact.environments.instructions.prompts import Prompt, Truth
from autodidact.environments.instructions.raters import BradleyTerry, Checker, Cycle, Flipped, Grades, Voters
from autodidact.environments.instructions.scoring import style_frequencies
from autodidact.environments.instructions.sentences import Sentences
from autodidact.environments.instructions.world import Instructions

WORLDS = {"instructions": Instructions, "ifeval": InstructionsIFEval, "sentences": Sentences}

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
    "Sentences",
    "Truth",
    "Voters",
    "style_frequencies",
]
