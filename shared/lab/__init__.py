"""What every notebook on a language policy needs: world, base, sampling, training and evaluation under usual names."""

from autodidact.lab.answers import Answers
from autodidact.lab.lab import Lab
from autodidact.lab.measures import arm_rows, measure_arms, measure_runs
from autodidact.lab.reach import where_reached
from autodidact.lab.replicates import by_replicate
from autodidact.lab.rounds import (
    labelled_pairs,
    mean_logprobs,
    pair_accuracy,
    pair_lengths,
    pair_logprobs,
    play,
    with_logprobs,
)

__all__ = [
    "Answers",
    "Lab",
    "arm_rows",
    "by_replicate",
    "labelled_pairs",
    "mean_logprobs",
    "measure_arms",
    "measure_runs",
    "pair_accuracy",
    "pair_lengths",
    "pair_logprobs",
    "play",
    "where_reached",
    "with_logprobs",
]
