"""Multi-step problems with checkable answers: worked arithmetic whose every step is judged, and the real `GSM8K`."""

from autodidact.environments.arithmetic.calculator import Calculator, branch_points, calls, own_words, told
from autodidact.environments.arithmetic.gsm8k import GSM8K, Problem
from autodidact.environments.arithmetic.mistakes import KINDS
from autodidact.environments.arithmetic.problems import HAZARDS, Instruction, Operation, Prompt, Truth
from autodidact.environments.arithmetic.vocabulary import FOREIGN
from autodidact.environments.arithmetic.world import Arithmetic, call_rates, recurrence

WORLDS = {"arithmetic": Arithmetic, "gsm8k": GSM8K}

__all__ = [
    "FOREIGN",
    "HAZARDS",
    "KINDS",
    "WORLDS",
    "GSM8K",
    "Arithmetic",
    "Calculator",
    "Instruction",
    "Operation",
    "Problem",
    "Prompt",
    "Truth",
    "branch_points",
    "call_rates",
    "calls",
    "own_words",
    "recurrence",
    "told",
]
