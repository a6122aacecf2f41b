"""The self-rewarding loop: a policy answers, labels its own answers and is trained on its labels, round after round."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from autodidact.models.policy import Policy
    from autodidact.training.pairs import Pair

Answers = TypeVar("Answers")


def self_rewarding(
    policies: "Sequence[Policy]",
    rounds: int,
    *,
    ask: "Callable[[Policy, int], Answers]",
    label: "Callable[[Sequence[Policy], Answers, int], list[Pair]]",
    train: "Callable[[Policy, list[Pair], int], Policy]",
) -> "list[Policy]":
    """Play `rounds` rounds from the last of `policies` on; returns all policies, the given ones first.

    ask: (policy, round) to whatever it answered. label: (all policies so far, answers, round) to pairs, the weights of
    their labels in `Pair.columns`; the last policy is the one that answered, the one before it the previous one, the
    first one the usual reference of implicit rewards. train: (policy, pairs, round) to the next policy. Rounds count
    from 0. A round without pairs leaves the policy as it is.
    Raises ValueError for no policy and for a negative number of rounds.
    """
    path = list(policies)
    if not path or rounds < 0:
        raise ValueError(f"policies and rounds: {len(path)} and {rounds} were given; at least 1 and 0 are needed")
    for t in range(rounds):
        pairs = label(path, ask(path[-1], t), t)
        path.append(train(path[-1], pairs, t) if pairs else path[-1])
    return path
