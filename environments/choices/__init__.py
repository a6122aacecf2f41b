"""Choices between options of several attributes, made by choosers whose weights are known, and what they report."""

from environments.choices.contexts import ATTRIBUTES, Attribute, Context
from environments.choices.prompts import SYSTEM, parse_report
from environments.choices.release import FIGURES, Release, Reports
from environments.choices.world import Choices, Decisions, draw_weights

WORLDS = {"choices": Choices}

__all__ = [
    "ATTRIBUTES",
    "FIGURES",
    "SYSTEM",
    "WORLDS",
    "Attribute",
    "Choices",
    "Context",
    "Decisions",
    "Release",
    "Reports",
    "draw_weights",
    "parse_report",
]
