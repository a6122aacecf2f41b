"""Raters: who prefers what, with exact probabilities.

Each is a frozen dataclass with `probability(prompt, a, b)` = P(a beats b); P(a, b) + P(b, a) = 1 unless a slot bias is
set. `utility(prompt, y)` exists where one number a response explains the preference.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from environments.instructions import scoring
from environments.instructions.vocabulary import NOUNS

CYCLE = ((0.5, 0.9, 0.4), (0.1, 0.5, 0.8), (0.6, 0.2, 0.5))  # A beats B 0.9, B beats C 0.8, C beats A 0.6
CYCLE_STYLES = ("A", "B", "C")
TOPICS = tuple(NOUNS)


class World(Protocol):
    """What a rater asks of a world."""

    def score(self, prompt: Any, response: str) -> float:
        """The gold score in [0, 1]."""


class Votes:
    """Votes drawn from a rater's probability."""

    def votes(self, prompt: Any, a: str, b: str, n: int, rng: np.random.Generator) -> int:
        """How many of `n` independent votes `a` wins against `b`."""
        return int(rng.binomial(n, self.probability(prompt, a, b)))

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt)."""
        raise NotImplementedError


@dataclass(frozen=True)
class BradleyTerry(Votes):
    """P(a beats b) = sigmoid(utility(a) - utility(b) + slot), utility = c gold + length words + bonus of the style.

    c: nats for a gold of 1. length: nats a word. style: style -> nats. slot: nats for standing first.
    """

    world: World
    c: float = 6.0
    length: float = 0.0
    style: Mapping[str, float] = field(default_factory=dict)
    slot: float = 0.0

    def utility(self, prompt: Any, response: str) -> float:
        """Nats: what the Bradley-Terry model knows of a response."""
        value = self.c * self.world.score(prompt, response) + self.length * len(response.split())
        return value + self.style.get(scoring.style(response), 0.0) if self.style else value

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt), a standing first."""
        return _sigmoid(self.utility(prompt, a) - self.utility(prompt, b) + self.slot)


@dataclass(frozen=True)
class Voters(BradleyTerry):
    """`n` voters, each a Bradley-Terry rater of its own draw; `count` says how many of them prefer a."""

    n: int = 9

    def count(self, prompt: Any, a: str, b: str, rng: np.random.Generator) -> int:
        """Votes for `a` out of `n`."""
        return self.votes(prompt, a, b, self.n, rng)


@dataclass(frozen=True)
class Cycle(Votes):
    """P = (1 - weight) Bradley-Terry(c) + weight matrix[style a, style b]: intransitive where the matrix is.

    matrix: win probabilities among styles A, B, C; R and none win half of the time. by_topic turns the cycle round for
    half of the topics. weight: in [0, 1].
    """

    world: World
    matrix: Sequence[Sequence[float]] = CYCLE
    weight: float = 1.0
    by_topic: bool = False
    c: float = 6.0

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix)
        if matrix.shape != (3, 3) or not np.allclose(matrix + matrix.T, 1):
            raise ValueError("matrix must be 3 x 3 win probabilities with matrix[i][j] + matrix[j][i] = 1")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight={self.weight} must lie in [0, 1]")

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt)."""
        styles = scoring.style(a), scoring.style(b)
        cyclic = 0.5
        if all(style in CYCLE_STYLES for style in styles):
            i, j = (CYCLE_STYLES.index(style) for style in styles)
            turned = self.by_topic and TOPICS.index(prompt.truth.topic) % 2 == 1
            cyclic = self.matrix[j][i] if turned else self.matrix[i][j]
        if self.weight == 1:
            return cyclic
        graded = _sigmoid(self.c * (self.world.score(prompt, a) - self.world.score(prompt, b)))
        return (1 - self.weight) * graded + self.weight * cyclic


@dataclass(frozen=True)
class Grades(Votes):
    """Grades 1 to `points`: clip(round(1 + (points - 1) gold + N(0, noise))); the higher grade wins, a tie is half."""

    world: World
    points: int = 6
    noise: float = 0.0

    def grade(self, prompt: Any, response: str, rng: np.random.Generator) -> int:
        """One grade, with noise."""
        raw = 1 + (self.points - 1) * self.world.score(prompt, response) + self.noise * rng.standard_normal()
        return int(np.clip(math.floor(raw + 0.5), 1, self.points))

    def distribution(self, prompt: Any, response: str) -> np.ndarray:
        """The exact probabilities of grades 1..points."""
        mean = 1 + (self.points - 1) * self.world.score(prompt, response)
        cuts = np.arange(1, self.points) + 0.5
        if self.noise == 0:
            below = (mean < cuts).astype(float)
        else:
            below = np.array([0.5 * (1 + math.erf((cut - mean) / (self.noise * math.sqrt(2)))) for cut in cuts])
        return np.diff(np.concatenate([[0.0], below, [1.0]]))

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(grade a > grade b) + P(equal) / 2."""
        first, second = self.distribution(prompt, a), self.distribution(prompt, b)
        return float(first @ (np.cumsum(second) - second / 2))


@dataclass(frozen=True)
class Checker(Votes):
    """Says yes or no to "is every demand met?", wrong with probability `flip`, independently at every call."""

    world: Any
    flip: float = 0.1

    def yes(self, prompt: Any, response: str) -> float:
        """P(the checker says yes)."""
        return 1 - self.flip if self.world.strict(prompt, response) else self.flip

    def check(self, prompt: Any, response: str, rng: np.random.Generator) -> bool:
        """One answer."""
        return bool(rng.random() < self.yes(prompt, response))

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(yes to a, no to b) + P(the same answer to both) / 2."""
        return 0.5 + (self.yes(prompt, a) - self.yes(prompt, b)) / 2


@dataclass(frozen=True)
class Flipped(Votes):
    """Any rater whose label is turned round with probability `rate`."""

    rater: Any
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate={self.rate} must lie in [0, 1]")

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt) after the flip."""
        clean = self.rater.probability(prompt, a, b)
        return (1 - self.rate) * clean + self.rate * (1 - clean)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
