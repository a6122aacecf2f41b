"""Samplers: from a policy and prompts to responses, and from responses to the best of them, or to pairs."""

from autodidact.models.sampling import Sample, sample
from autodidact.samplers.labelling import extreme_pairs
from autodidact.samplers.margins import margin_pairs
from autodidact.samplers.prefix_cache import PrefixCache
from autodidact.samplers.rain import rain, surroundings
from autodidact.samplers.selection import best_and_worst, best_of_n, win_rate_matrix
from autodidact.samplers.steps import Continuation, continue_answers, first_step, glue
from autodidact.samplers.tree_search import Found, SearchSettings, Task, sharpened_answers, tree_search

__all__ = [
    "Continuation",
    "Found",
    "PrefixCache",
    "Sample",
    "SearchSettings",
    "Task",
    "best_and_worst",
    "best_of_n",
    "continue_answers",
    "extreme_pairs",
    "first_step",
    "glue",
    "margin_pairs",
    "rain",
    "sample",
    "sharpened_answers",
    "surroundings",
    "tree_search",
    "win_rate_matrix",
]
