"""Samplers: from a policy and prompts to responses, and from responses to the best of them."""

from shared.samplers.prefix_cache import PrefixCache
from shared.samplers.sampling import Sample, sample
from shared.samplers.selection import best_and_worst, best_of_n, win_rate_matrix
from shared.samplers.tree_search import Found, SearchSettings, Task, sharpened_answers, tree_search

__all__ = [
    "Found",
    "PrefixCache",
    "Sample",
    "SearchSettings",
    "Task",
    "best_and_worst",
    "best_of_n",
    "sample",
    "sharpened_answers",
    "tree_search",
    "win_rate_matrix",
]
