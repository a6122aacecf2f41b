"""Raters: who prefers what, with exact probabilities.

Each is a frozen dataclass with `probability(prompt, a, b)` = P(a beats b); P(a, b) + P(b, a) = 1 unless a slot bias is
set. `utility(prompt, y)` exists where one number a response explains the preference.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autodidact.environments.instructions import scoring
from autodidact.environments.instructions.vocabulary import NOUNS, STYLES

CYCLE = ((0.5, 0.9, 0.4), (0.1, 0.5, 0.8), (0.6, 0.2, 0.5))  # A beats B 0.9, B beats C 0.8, C beats A 0.6
CYCLE_STYLES = ("A", "B", "C")
TOPICS = tuple(NOUNS)


class World(Protocol):
    """What a rater asks of a world."""

    def score(self, prompt: Any, response: str) -> float:
        """The gold score in [0, 1]."""

    def strict(self, prompt: Any, response: str) -> bool:
        """Whether every demand is met."""


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

    c: nats for a gold of 1. length: nats a word (0.15 turns a gap of one demand in four over at ten words' difference).
    style: style -> nats. slot: nats for standing first.
    """

    world: World
    c: float = 6.0
    length: float = 0.0
    style: Mapping[str, float] = field(default_factory=dict, hash=False)
    slot: float = 0.0

    def __post_init__(self) -> None:
        unknown = set(self.style) - set(STYLES)
        if unknown:
            raise ValueError(f"style={dict(self.style)} names {sorted(unknown)}; known are {', '.join(STYLES)}")

    def utility(self, prompt: Any, response: str) -> float:
        """Nats: what the Bradley-Terry model knows of a response."""
        value = self.c * self.world.score(prompt, response) + self.length * len(response.split())
        return value + self.style.get(scoring.style(response), 0.0) if self.style else value

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt), a standing first."""
        return _sigmoid(self.utility(prompt, a) - self.utility(prompt, b) + self.slot)


@dataclass(frozen=True)
class Voters(BradleyTerry):
    """`n` voters, each an independent draw of one Bradley-Terry rater; `probability` is that of one vote.

    n and c so that most true logits lie below ln(2n + 1): at n = 9 and c = 4 a gap of half the demands is 2 nats.
    """

    c: float = 4.0
    n: int = 9

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n={self.n} must be at least 1")

    def count(self, prompt: Any, a: str, b: str, rng: np.random.Generator) -> int:
        """Votes for `a` out of `n`."""
        return self.votes(prompt, a, b, self.n, rng)


@dataclass(frozen=True)
class Cycle(Votes):
    """P = (1 - weight) Bradley-Terry(c) + weight matrix[style a, style b]: intransitive where the matrix is.

    matrix: win probabilities among styles A, B, C; R and none win half of the time. by_topic turns the cycle round for
    half of the topics. weight: in [0, 1]. The exact game among styles is `matrix` itself: with the style frequencies f
    of a policy, style i beats it with probability (matrix @ f)[i].
    """

    world: World
    matrix: Sequence[Sequence[float]] = CYCLE
    weight: float = 1.0
    by_topic: bool = False
    c: float = 6.0

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix)
        if matrix.shape != (3, 3) or not np.allclose(matrix + matrix.T, 1, rtol=0, atol=1e-12):
            raise ValueError("matrix must be 3 x 3 win probabilities with matrix[i][j] + matrix[j][i] = 1")
        if matrix.min() < 0:
            raise ValueError(f"matrix={self.matrix} must hold probabilities in [0, 1]")
        _probability("weight", self.weight)

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
    """Grades 1 to `points`: clip(round(1 + (points - 1) gold + N(0, noise))); the higher grade wins, a tie is half.

    Halves are rounded up.
    """

    world: World
    points: int = 6
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.points < 2 or self.noise < 0:
            raise ValueError(f"points={self.points} must be at least 2 and noise={self.noise} not negative")

    def grade(self, prompt: Any, response: str, rng: np.random.Generator) -> int:
        """One grade, with noise."""
        raw = 1 + (self.points - 1) * self.world.score(prompt, response) + self.noise * rng.standard_normal()
        return min(max(math.floor(raw + 0.5), 1), self.points)

    def distribution(self, prompt: Any, response: str) -> np.ndarray:
        """The exact probabilities of grades 1..points, shape (points,)."""
        mean = 1 + (self.points - 1) * self.world.score(prompt, response)
        cuts = np.arange(1, self.points) + 0.5
        if self.noise == 0:
            below = (mean < cuts).astype(float)
        else:
            below = np.array([0.5 * (1 + math.erf((cut - mean) / (self.noise * math.sqrt(2)))) for cut in cuts])
        return np.diff(np.concatenate([[0.0], below, [1.0]]))

    def utility(self, prompt: Any, response: str) -> float:
        """The expected grade."""
        return float(self.distribution(prompt, response) @ np.arange(1, self.points + 1))

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(grade a > grade b) + P(equal) / 2."""
        first, second = self.distribution(prompt, a), self.distribution(prompt, b)
        return float(first @ (np.cumsum(second) - second / 2))


@dataclass(frozen=True)
class Checker(Votes):
    """Says yes or no to "is every demand met?", wrong with probability `flip`, independently at every call."""

    world: World
    flip: float = 0.1

    def __post_init__(self) -> None:
        _probability("flip", self.flip)

    def utility(self, prompt: Any, response: str) -> float:
        """P(the checker says yes)."""
        return 1 - self.flip if self.world.strict(prompt, response) else self.flip

    def check(self, prompt: Any, response: str, rng: np.random.Generator) -> bool:
        """One answer."""
        return bool(rng.random() < self.utility(prompt, response))

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(yes to a, no to b) + P(the same answer to both) / 2."""
        return 0.5 + (self.utility(prompt, a) - self.utility(prompt, b)) / 2


@dataclass(frozen=True)
class Flipped(Votes):
    """Any rater whose label is turned round with probability `rate`: P' = (1 - rate) P + rate (1 - P)."""

    rater: Any
    rate: float = 0.1

    def __post_init__(self) -> None:
        _probability("rate", self.rate)

    def utility(self, prompt: Any, response: str) -> float:
        """The rater's own utility, which the label noise does not touch; AttributeError if it has none."""
        return self.rater.utility(prompt, response)

    def probability(self, prompt: Any, a: str, b: str) -> float:
        """P(a beats b | prompt) after the flip."""
        clean = self.rater.probability(prompt, a, b)
        return (1 - self.rate) * clean + self.rate * (1 - clean)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie in [0, 1]")
