"""From a world's operators to DEAP's primitive set, and DEAP's draws from a stream of ours."""

import gc
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from deap import gp


class Operator(Protocol):
    """What a world says of an operator: `vector` takes arrays of one shape, `scalar` floats."""

    name: str
    arity: int

    def vector(self, *arrays: np.ndarray) -> np.ndarray:
        """The operator on arrays."""

    def scalar(self, *numbers: float) -> float:
        """The operator on numbers."""


def primitive_set(
    operators: Iterable[Operator], variables: Sequence[str], constants: Sequence[float] = (), *, scalar: bool = False
) -> gp.PrimitiveSet:
    """DEAP's primitive set of these operators, variables and constants, over arrays or (`scalar`) over numbers.

    Both kinds list the same symbols in the same order: the same draws give the same trees. Raises ValueError for a
    constant that is not finite.
    """
    pset = gp.PrimitiveSet("regression", len(variables))
    pset.renameArguments(**dict(zip(tuple(pset.arguments), variables, strict=True)))
    for operator in operators:
        pset.addPrimitive(operator.scalar if scalar else operator.vector, operator.arity, name=operator.name)
    for constant in constants:
        if not math.isfinite(constant):
            raise ValueError(f"constants: {constant} must be finite")
        pset.addTerminal(constant)
    return pset


# What DEAP draws with: for use within `deap_draws`, by those who make its draws without its calls.
getrandbits, randrange = random.getrandbits, random.randrange


@contextmanager
def deap_draws(rng: np.random.Generator) -> Iterator[None]:
    """Let DEAP, which draws from Python's global generator, draw from `rng`; afterwards that generator is as it was.

    Meanwhile Python's search for reference cycles rests. A run makes trees by the hundred thousand and drops none in a
    cycle; to look through all that live, time and again, took half of its time.
    """
    before, collecting = random.getstate(), gc.isenabled()
    words = rng.integers(2**32, size=624, dtype=np.uint32)
    random.setstate((3, (*words.tolist(), 624), None))
    gc.disable()
    try:
        yield
    finally:
        random.setstate(before)
        if collecting:
            gc.enable()
