"""Mate choice as an operator: who is parent 2, given parent 1. `toolbox.register("mate_choice", ...)` is the method.

Every operator is called with the one who chooses and the population, and returns an individual of it (which may be the
chooser, as draws are with replacement in DEAP's selectors). What is bound beforehand is keyword-only. Draws are DEAP's,
from Python's global generator: use them within `deap_draws`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np

from autodidact.evolution.individuals import Individual
from autodidact.evolution.primitives import getrandbits
from autodidact.evolution.trees import Tree

PREFERENCES = "preference evaluations"
FARTHEST = 1e6  # two outputs differ by this at most; where one is not a number they differ by this
FITNESS = attrgetter("fitness")
Likeness = Callable[[np.ndarray, Sequence[Individual]], np.ndarray]


def drawn(population: Sequence[Individual], size: int) -> list[Individual]:
    """`size` random ones, with replacement: the draws of DEAP's `selRandom`, which calls `random.choice` for each.

    Raises ValueError for an empty population and for a size below 1.
    """
    count, bits = len(population), len(population).bit_length()
    if not count or size < 1:
        raise ValueError(f"population of {count} and size={size} must both be 1 or more")
    draw, some = getrandbits, []
    while len(some) < size:
        index = draw(bits)
        if index < count:
            some.append(population[index])
    return some


def tournament(chooser: Individual, population: Sequence[Individual], *, size: int) -> Individual:
    """The fittest of `size` random ones, whoever chooses: the standard method."""
    return max(drawn(population, size), key=FITNESS)


def uniform(chooser: Individual, population: Sequence[Individual]) -> Individual:
    """Anyone: random mate choice, without selection on parent 2."""
    return drawn(population, 1)[0]


def least_fit(chooser: Individual, population: Sequence[Individual], *, size: int) -> Individual:
    """The least fit of `size` random ones: selection against fitness, without any taste."""
    return min(drawn(population, size), key=FITNESS)


def most_alike(
    chooser: Individual,
    population: Sequence[Individual],
    *,
    size: int,
    taste: Callable[[Individual], Tree],
    counts: Counter,
    likeness: Likeness,
) -> Individual:
    """Of `size` random ones, blind to fitness, the one whose solution is most like the chooser's taste.

    taste: gives the tree to compare with: `own_ideal` (mating preferences as ideal mating partners, PIMP), `whim`
    or `own_solution`. likeness: outputs of the taste, (points,), and the candidates to distances, (size,), of which
    the least is chosen. A call counts one preference evaluation.
    """
    candidates = drawn(population, size)
    counts[PREFERENCES] += 1
    return candidates[int(likeness(taste(chooser).outputs, candidates).argmin())]


def by_outputs(wanted: np.ndarray, candidates: Sequence[Individual]) -> np.ndarray:
    """Sum over points of the candidates' distances from the wanted outputs, (candidates,), each distance bounded."""
    outputs = np.array([candidate.outputs for candidate in candidates])
    with np.errstate(all="ignore"):
        return np.fmin(np.abs(outputs - wanted), FARTHEST).sum(axis=1)  # fmin takes the bound where there is a NaN


def by_fitness(
    wanted: np.ndarray, candidates: Sequence[Individual], *, error: Callable[[np.ndarray], float]
) -> np.ndarray:
    """Distance of the candidates' errors from the error that the ideal would have as a solution, (candidates,)."""
    errors = -np.array([candidate.fitness for candidate in candidates])
    with np.errstate(all="ignore"):
        return np.fmin(np.abs(errors - error(wanted)), FARTHEST)


def unlike(wanted: np.ndarray, candidates: Sequence[Individual]) -> np.ndarray:
    """The distances by outputs turned round: the candidate furthest from the ideal counts as most alike."""
    return -by_outputs(wanted, candidates)


def own_ideal(chooser: Individual) -> Tree:
    """The ideal that the chooser inherited."""
    return chooser.ideal


def own_solution(chooser: Individual) -> Tree:
    """The chooser's own solution: assortative mating."""
    return chooser.solution


def whim(chooser: Individual, *, make: Callable[[], Tree]) -> Tree:
    """A random ideal of the chooser's own, by nobody inherited: `make` draws it when it is first asked for."""
    if chooser.whim is None:
        chooser.whim = make()
    return chooser.whim
