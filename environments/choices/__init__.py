"""Choices between options of several attributes, made by choosers whose weights are known, and what they report."""

from autodidact.environments.choices.contexts import ATTRIBUTES, Attribute, Context
from autodidact.environments.choices.decisions import Decisions
from autodidact.environments.choices.prompts import SYSTEM, parse_report
from autodidact.environments.choices.release import FIGURES, RERUNS, Release, Reports
from autodidact.environments.choices.world import Choices, draw_weights

WORLDS = {"choices": Choices}

__all__ = [
    "ATTRIBUTES",
    "FIGURES",
    "RERUNS",
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
