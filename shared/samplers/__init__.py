"""Samplers: from a policy and prompts to responses, and from responses to the best of them, or to pairs."""

from shared.samplers.labelling import extreme_pairs
from shared.samplers.sampling import Sample, sample
from shared.samplers.selection import best_and_worst, best_of_n, win_rate_matrix

__all__ = ["Sample", "best_and_worst", "best_of_n", "extreme_pairs", "sample", "win_rate_matrix"]
