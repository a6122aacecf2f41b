"""Contexts of a choice: who chooses what, and the five attributes that options have."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

ATTRIBUTES = 5

_ROLES = (
    "a baker", "a sailor", "a painter", "a farmer", "a dancer", "a judge", "a pilot", "a tailor", "a gardener",
    "a nurse", "a miner", "a poet", "a cook", "a clown", "a spy", "a monk", "a potter", "a surgeon", "a weaver",
    "a fisherman",
)  # fmt: skip
_ITEMS = (
    "kettle", "lamp", "chair", "tent", "bicycle", "clock", "coat", "guitar", "knife", "mirror", "pillow", "rug",
    "stove", "suitcase", "table", "telescope", "umbrella", "vase", "wallet", "watch",
)  # fmt: skip
_COMMON = (
    ("price", "coins", 10.0, 90.0),
    ("weight", "kilograms", 1.0, 4.0),
    ("durability", "years", 1.0, 20.0),
    ("brightness", "shades", 0.0, 10.0),
    ("softness", "points", 0.0, 0.5),
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One of the five: its name, its unit, and the range of its values."""

    name: str
    unit: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"attribute {self.name!r}: low={self.low} must be below high={self.high}")

    @property
    def digits(self) -> int:
        """Decimals to which values are rounded: some for ranges below 1, one below 5, else none."""
        size = self.high - self.low
        return abs(math.floor(math.log10(size))) + 1 if size < 1 else 1 if size < 5 else 0


@dataclass(frozen=True, slots=True)
class Context:
    """A chooser's question, such as "Imagine you are a baker. Which kettle would you prefer?", and its attributes."""

    name: str
    question: str
    attributes: tuple[Attribute, ...]

    def __post_init__(self) -> None:
        if len(self.attributes) != ATTRIBUTES:
            raise ValueError(f"context {self.name!r} has {len(self.attributes)} attributes, must have {ATTRIBUTES}")


def procedural_contexts(count: int) -> tuple[Context, ...]:
    """The first of 400 pairs of a role and an item, in an order fixed once; all have the same five attributes.

    Raises ValueError for a count outside 1 to 400.
    """
    pairs = list(itertools.product(_ROLES, _ITEMS))
    if not 1 <= count <= len(pairs):
        raise ValueError(f"count={count} must lie in 1 to {len(pairs)}: there are no more contexts")
    attributes = tuple(Attribute(*one) for one in _COMMON)
    order = np.random.default_rng(0).permutation(len(pairs))[:count]  # fixed: the contexts are the same in every study
    return tuple(_context(*pairs[i], attributes) for i in order)


def _context(role: str, item: str, attributes: tuple[Attribute, ...]) -> Context:
    question = f"Imagine you are {role}. Which {item} would you prefer?"
    return Context(f"{role.split()[-1]}_{item}", question, attributes)
