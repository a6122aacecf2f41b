"""Tasks: what is asked for, how it is said, and what the right answer is."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from autodidact.environments.programs.grammar import OPERATIONS, PHRASES, REDUCERS, Numbers, Phrase

SPLITS = ("train", "held-out")
HELD_OUT = 5  # one ordered set of operations in five is held out, in all its wordings
HIDDEN = 8  # hidden tests of a task
_TRIED = 200  # inputs on which a task must not be constant


@dataclass(frozen=True, slots=True)
class Truth:
    """The names of the phrases in order (operations, then perhaps a reducer), and which of them are said vaguely."""

    phrases: tuple[str, ...]
    vague: tuple[bool, ...]

    def solve(self, xs: Sequence[int]) -> Numbers | int:
        """What a right program returns for `xs`."""
        return self.read(xs, (False,) * len(self.phrases))

    def read(self, xs: Sequence[int], misread: Sequence[bool]) -> Numbers | int:
        """What a program returns that misreads the phrases so marked."""
        return apply([PHRASES[name] for name in self.phrases], misread, list(xs))

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations, without the reducer."""
        return tuple(name for name in self.phrases if name in OPERATIONS)

    @property
    def hidden(self) -> tuple[tuple[int, ...], ...]:
        """The inputs of the hidden tests."""
        return hidden_inputs(self.phrases)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A task in words, and the truth behind it, for scorers only; `Programs.ask` asks for code or for a test."""

    text: str
    truth: Truth


def apply(phrases: Sequence[Phrase], misread: Sequence[bool], xs: Numbers) -> Numbers | int:
    """The phrases one after the other, each by its right or its wrong reading."""
    value = xs
    for phrase, wrong in zip(phrases, misread, strict=True):
        value = (phrase.run_wrong if wrong else phrase.run_right)(value)
    return value


@cache
def task_space(depth: tuple[int, int]) -> tuple[tuple[str, ...], ...]:
    """All tasks with so many operations, in a fixed order; constant ones are left out."""
    lists = [
        (*chosen, *reducer)
        for count in range(depth[0], depth[1] + 1)
        for chosen in itertools.permutations(OPERATIONS, count)
        for reducer in ((), *((name,) for name in REDUCERS))
    ]
    return tuple(names for names in lists if not _constant(names))


def belongs(phrases: tuple[str, ...], split: str) -> bool:
    """Whether a task lies in a split: cut by a stable hash of its ordered operations."""
    operations = " ".join(name for name in phrases if name in OPERATIONS)
    return (_stable(operations) % HELD_OUT == 0) == (split == "held-out")


@cache
def hidden_inputs(phrases: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Eight lists of three to six digits, one with a repeated number, one in order; the same for a task at all times.

    Of several draws the one that tells most misreadings of single phrases from the truth is taken.
    """
    rng = np.random.default_rng(_stable("hidden " + " ".join(phrases)))
    best: tuple[tuple[int, ...], ...] = ()
    for _ in range(20):
        inputs = _inputs(rng)
        if not best or len(told_apart(phrases, inputs)) > len(told_apart(phrases, best)):
            best = inputs
        if len(told_apart(phrases, best)) == len(phrases):
            break
    return best


def told_apart(phrases: tuple[str, ...], inputs: Sequence[Sequence[int]]) -> set[int]:
    """The phrases whose misreading alone shows on some of the inputs; a phrase not among them is no hazard here."""
    truth = Truth(phrases, (False,) * len(phrases))
    found = set()
    for i in range(len(phrases)):
        misread = tuple(j == i for j in range(len(phrases)))
        if any(truth.read(xs, misread) != truth.solve(xs) for xs in inputs):
            found.add(i)
    return found


def check_split(n: int, split: str) -> None:
    """ValueError, naming the parameter, for a negative n and an unknown split."""
    if n < 0:
        raise ValueError(f"n={n} must not be negative")
    if split not in SPLITS:
        raise ValueError(f"split={split!r} is unknown; known are {', '.join(map(repr, SPLITS))}")


def _inputs(rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    lists = [rng.integers(10, size=rng.integers(3, 7)).tolist() for _ in range(HIDDEN)]
    lists[0][-1] = lists[0][0]
    lists[1].sort()
    return tuple(tuple(xs) for xs in lists)


def _constant(phrases: tuple[str, ...]) -> bool:
    truth = Truth(phrases, (False,) * len(phrases))
    rng = np.random.default_rng(0)
    lists = (rng.integers(10, size=4).tolist() for _ in range(_TRIED))
    first = truth.solve(next(lists))
    return all(truth.solve(xs) == first for xs in lists)


def _stable(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
