"""Samplers: from a policy and prompts to responses, and from responses to the best of them."""

from shared.samplers.sampling import Sample, sample
from shared.samplers.selection import best_and_worst, best_of_n, win_rate_matrix
from shared.samplers.steps import Continuation, continue_answers, first_step, glue

__all__ = [
    "Continuation",
    "Sample",
    "best_and_worst",
    "best_of_n",
    "continue_answers",
    "first_step",
    "glue",
    "sample",
    "win_rate_matrix",
]
