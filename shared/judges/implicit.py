"""Rewards that a policy gives without being asked: its log-likelihoods, against a reference or by themselves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodidact.checks import finite

if TYPE_CHECKING:
    from autodidact.models.policy import Policy


def implicit_rewards(
    policy: "Policy", reference: "Policy", prompts: Sequence[str], responses: Sequence[Sequence[str]]
) -> np.ndarray:
    """The reward of which a policy is the DPO optimum: log pi(y|x) - log pi_ref(y|x), up to beta and the prompt.

    prompts: texts. responses: N for every prompt. Returns (prompts, N), nats a sequence: sums over the response tokens,
    the end token included, without beta (which moves no rank) and without regard to length.
    Raises ValueError where prompts and lists of responses differ in number, or these in length, and for
    log-probabilities that are not finite.

    Source: Rafailov et al. 2023, arXiv 2305.18290, equation (5).
    """
    x, y, shape = _flat(prompts, responses)
    own, other = policy.sequence_logprobs(x, y), reference.sequence_logprobs(x, y)
    return (finite("log pi", own) - finite("log pi_ref", other)).reshape(shape)


def mean_loglikelihoods(policy: "Policy", prompts: Sequence[str], responses: Sequence[Sequence[str]]) -> np.ndarray:
    """Mean log pi over the tokens of each response, the end token included: a score where there is no reference.

    Arguments and errors as in `implicit_rewards`. Returns (prompts, N), nats a token.
    """
    x, y, shape = _flat(prompts, responses)
    means = [float(logps.double().mean()) for logps in policy.logprobs(x, y)]
    return finite("mean log pi", means).reshape(shape)  # of a response without tokens it is NaN


def _flat(prompts: Sequence[str], responses: Sequence[Sequence[str]]) -> tuple[list[str], list[str], tuple[int, int]]:
    """Every response beside its prompt, and the shape that they came in."""
    if len(prompts) != len(responses):
        raise ValueError(f"prompts and responses must be as many: {len(prompts)} and {len(responses)} were given")
    counts = {len(row) for row in responses}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"responses must be equally many for every prompt, got {sorted(counts)}")
    (n,) = counts
    return [x for x in prompts for _ in range(n)], [y for row in responses for y in row], (len(prompts), n)
