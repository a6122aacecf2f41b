"""Requests: a topic, two details in an asked order, a limit on content words, an ending."""

from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np

from autodidact.environments.judging.vocabulary import DETAILS, LIMITS, MARKS

HELD_OUT_PAIRS = 4  # of the 15 unordered detail pairs of a topic


@dataclass(frozen=True)
class Prompt:
    """One request; `text` is what a model reads."""

    topic: str
    first: str
    second: str
    limit: int
    ending: str

    @property
    def text(self) -> str:
        """The request in words, blanks between all tokens."""
        return (
            f"Write about the {self.topic} . Put the {self.first} before the {self.second} . "
            f"Use at most {self.limit} words . End with a {MARKS[self.ending]} ."
        )


def held_out(topic: str) -> frozenset[frozenset[str]]:
    """The unordered detail pairs of a topic that occur in held-out requests only, fixed for all seeds."""
    pairs = list(combinations(DETAILS[topic], 2))
    chosen = np.random.default_rng([15, sorted(DETAILS).index(topic)]).permutation(len(pairs))[:HELD_OUT_PAIRS]
    return frozenset(frozenset(pairs[i]) for i in chosen)


def all_requests(split: str) -> list[Prompt]:
    """Every request of a split, "train" (5,280) or "held-out" (1,920). Raises ValueError for another name."""
    if split not in ("train", "held-out"):
        raise ValueError(f"split={split!r} is unknown; it must be 'train' or 'held-out'")
    found = []
    for topic, details in DETAILS.items():
        kept = held_out(topic)
        for pair in permutations(details, 2):
            if (frozenset(pair) in kept) == (split == "held-out"):
                found += [Prompt(topic, *pair, limit, end) for limit, end in product(LIMITS, MARKS)]
    return found
