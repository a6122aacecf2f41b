"""Rounds of an arm, and pairs that carry log-probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autodidact.checks import finite
from autodidact.samplers import extreme_pairs

if TYPE_CHECKING:
    from autodidact.lab.answers import Answers
    from autodidact.models.policy import Policy
    from autodidact.training import Pair


def play(
    step: "Callable[[list[Policy], int, int], Policy]", path: "Policy | Sequence[Policy]", s: int, rounds: int
) -> "list[Policy]":
    """The policies of one arm after every round, those of `path` (the base, or an arm's first rounds) before them.

    step(policies so far, seed, round) gives the next policy. `rounds` counts from the base: an arm that comes with its
    first round played plays one round fewer.
    """
    policies = list(path) if isinstance(path, Sequence) else [path]
    for t in range(len(policies) - 1, rounds):
        policies.append(step(policies, s, t))
    return policies


def labelled_pairs(answers: "Answers", scores: np.ndarray, **columns: np.ndarray) -> "list[Pair]":
    """Best against worst answer of every prompt by `scores`, (prompts, n); columns: (prompts,), for the loss."""
    return extreme_pairs(answers.inputs, answers.texts, scores, columns)[0]


def with_logprobs(pairs: "Sequence[Pair]", **policies: "Policy") -> "list[Pair]":
    """The pairs with columns <name>_chosen and <name>_rejected: log pi of both sides under each policy.

    Nats a sequence; for a loss that asks for them. `ref=` gives pairs a reference of their own.
    """
    prompts, columns = [q.prompt for q in pairs], {}
    for name, policy in policies.items():
        columns[f"{name}_chosen"] = policy.sequence_logprobs(prompts, [q.chosen for q in pairs]).tolist()
        columns[f"{name}_rejected"] = policy.sequence_logprobs(prompts, [q.rejected for q in pairs]).tolist()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [replace(q, columns={**q.columns, **row}) for q, row in zip(pairs, rows, strict=True)]


def pair_lengths(policy: "Policy", pairs: "Sequence[Pair]") -> np.ndarray:
    """Mean tokens of the chosen and of the rejected responses, (2,), as they are trained on; 0 without any pair."""
    counted = [[len(policy.encode_response(y)) for y in (q.chosen, q.rejected)] for q in pairs]
    return np.mean(counted or [[0, 0]], axis=0)


def pair_logprobs(policy: "Policy", pairs: "Sequence[Pair]") -> np.ndarray:
    """log pi of the chosen and of the rejected response of every pair, (2, pairs), nats a sequence."""
    prompts, sides = [q.prompt for q in pairs], ([q.chosen for q in pairs], [q.rejected for q in pairs])
    return np.array([policy.sequence_logprobs(prompts, side) for side in sides])


def mean_logprobs(policy: "Policy", pairs: "Sequence[Pair]") -> np.ndarray:
    """Mean log pi of the chosen and of the rejected responses, (2,), nats a sequence."""
    return pair_logprobs(policy, pairs).mean(axis=1)


def pair_accuracy(score: "Callable[[Sequence[str], Sequence[str]], Sequence[float]]", pairs: "Sequence[Pair]") -> float:
    """How often score(prompts, responses) is higher for the chosen than for the rejected side, ties counting one half.

    score: a number a response, such as `RewardModel.rewards` or a difference of two policies' `sequence_logprobs`.
    Raises ValueError where there are no pairs, and for a score that is no finite number.
    """
    if not pairs:
        raise ValueError("pairs is empty: there is no accuracy of nothing")
    prompts = [q.prompt for q in pairs]
    chosen = finite("score of chosen", score(prompts, [q.chosen for q in pairs]))
    rejected = finite("score of rejected", score(prompts, [q.rejected for q in pairs]))
    return float(np.mean(np.sign(np.subtract(chosen, rejected)) + 1) / 2)
