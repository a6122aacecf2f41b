"""Fitness evaluations a CPU second of a whole run of genetic programming: ours, DEAP's stock pattern, pyoperon.

Ours and DEAP's are one loop with the same draws, at the settings of `all-you-need-is-sex`; so both breed the same trees
and must give them the same fitness. pyoperon runs its own loop with the same primitives and sizes.
"""

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
from deap import gp, tools

from autodidact.environments.regression import Instance, Regression
from autodidact.evolution import (
    Forest,
    Individual,
    deap_draws,
    primitive_set,
    subtree_crossover,
    subtree_mutation,
    tournament,
)
from autodidact.streams import stream
from ci.bench.rates import cpu_rate

REPEATS = 3
PROBLEM, SEED = "koza-1", 100
POPULATION, GENERATIONS, TOURNAMENT, CROSSOVER, MUTATION, DEPTH = 100, 500, 5, 0.9, 0.05, 17
FIRST, MUTANT = (2, 6), (0, 2)


@dataclass(frozen=True)
class Engine:
    """What differs: how a tree is made, selected, varied (parents are left as they are) and evaluated."""

    pset: gp.PrimitiveSet
    plant: Callable[[list], Any]
    errors: Callable[[Sequence[Any]], Sequence[float]]
    select: Callable[[list[Individual]], Individual]
    mate: Callable[..., tuple]
    mutate: Callable[[Any], tuple]
    tidy: Callable[[Sequence[Any]], None]


def bench_evolution() -> dict[str, Any]:
    """Evaluations a second of the three, our `speedup` over DEAP and our rate as a share `of_pyoperon`.

    Medians over repeats in turn, and the largest `relative_difference` of any fitness between ours and DEAP's.
    pyoperon, which has no wheel on some machines, is skipped where it is not installed, its two figures None.
    """
    there = find_spec("pyoperon") is not None
    if not there:
        print("bench: pyoperon is not installed, so it is skipped; pip install autodidact[bench]", file=sys.stderr)
    world = Regression.preset(PROBLEM)
    instance = world.instance(stream(SEED, "instance"))
    ours, deap, operon, difference = [], [], [], 0.0
    for _ in range(REPEATS + 1):
        (fast, errors), (slow, stock) = _timed(_ours(world, instance)), _timed(_stock(world, instance))
        ours, deap = [*ours, fast], [*deap, slow]
        operon += [cpu_rate(lambda: _operon(instance))] if there else []
        difference = max(difference, _difference(errors, stock))
    fast, slow, peer = (median(rates[1:]) if rates else None for rates in (ours, deap, operon))  # the first warms up
    return {
        "ours_evaluations_per_second": fast,
        "deap_evaluations_per_second": slow,
        "pyoperon_evaluations_per_second": peer,
        "speedup": fast / slow,
        "of_pyoperon": fast / peer if there else None,
        "relative_difference": difference,
    }


def _timed(engine: Engine) -> tuple[float, np.ndarray]:
    """Evaluations a second of a run, and its errors."""
    history: list[np.ndarray] = []

    def run() -> int:
        history.append(_run(engine, stream(SEED, "evolve")))
        return history[0].size

    return cpu_rate(run), history[0]


def _difference(one: np.ndarray, two: np.ndarray) -> float:
    """Largest relative difference; infinite where only one of two errors is."""
    if (np.isinf(one) != np.isinf(two)).any():
        return float("inf")
    one, two = one[np.isfinite(one)], two[np.isfinite(two)]
    return float((np.abs(one - two) / np.maximum(np.abs(two), 1e-300)).max(initial=0.0))


def _run(engine: Engine, rng: np.random.Generator) -> np.ndarray:
    """A run of the standard method: errors of every generation, (generations + 1, population)."""
    with deap_draws(rng):
        trees = [engine.plant(gp.genHalfAndHalf(engine.pset, *FIRST)) for _ in range(POPULATION)]
        population = _evaluated(engine, trees)
        history = [[-x.fitness for x in population]]
        for _ in range(GENERATIONS):
            children: list[Any] = []
            while len(children) < POPULATION - 1:
                pair = engine.select(population).solution, engine.select(population).solution
                if rng.random() < CROSSOVER:
                    pair = _limited(engine.mate(*pair, rng), pair)
                for tree in pair:
                    children.append(_limited(engine.mutate(tree), (tree,))[0] if rng.random() < MUTATION else tree)
            elite = max(population, key=lambda x: x.fitness)
            population = [elite, *_evaluated(engine, children[: POPULATION - 1])]
            engine.tidy([x.solution for x in population])
            history.append([-x.fitness for x in population])
    return np.array(history)


def _limited(children: Sequence[Any], parents: Sequence[Any]) -> list[Any]:
    return [c if c.height <= DEPTH else p for c, p in zip(children, parents, strict=True)]


def _evaluated(engine: Engine, trees: list[Any]) -> list[Individual]:
    return [Individual(t, t, -error) for t, error in zip(trees, engine.errors(trees), strict=True)]


def _ours(world: Regression, instance: Instance) -> Engine:
    pset = primitive_set(world.operators, world.variables, world.constants)
    forest = Forest(pset, instance.points)

    def mutate(tree: Any) -> tuple:
        return subtree_mutation(tree, pset, min_=MUTANT[0], max_=MUTANT[1])

    def errors(trees: Sequence[Any]) -> list[float]:
        return instance.error(forest.outputs(trees)).tolist()

    select = partial(tournament, None, size=TOURNAMENT)
    return Engine(pset, forest.plant, errors, select, subtree_crossover, mutate, forest.tidy)


def _stock(world: Regression, instance: Instance) -> Engine:
    """DEAP's pattern: copies by deepcopy, a lambda compiled for every tree, a loop over the points.

    The error of the outputs is taken by the same function as ours: a sum that is rounded in another order may turn a
    tournament, and the two runs would breed different trees.
    """
    pset = primitive_set(world.operators, world.variables, world.constants, scalar=True)
    points = instance.points.tolist()

    def error(tree: gp.PrimitiveTree) -> float:
        function = gp.compile(tree, pset)
        return float(instance.error(np.array([function(*point) for point in points])))

    def mate(one: gp.PrimitiveTree, two: gp.PrimitiveTree, rng: np.random.Generator) -> tuple:
        here, there = (t.searchSubtree(int(rng.random() * len(t))) for t in (one, two))
        first, second = copy.deepcopy(one), copy.deepcopy(two)
        first[here], second[there] = second[there], first[here]
        return first, second

    def mutate(tree: gp.PrimitiveTree) -> tuple:
        return gp.mutUniform(copy.deepcopy(tree), lambda pset, type_: gp.genFull(pset, *MUTANT, type_), pset)

    def errors(trees: Sequence[Any]) -> list[float]:
        return [error(tree) for tree in trees]

    def select(population: list[Individual]) -> Individual:
        return tools.selTournament(population, 1, TOURNAMENT)[0]

    return Engine(pset, gp.PrimitiveTree, errors, select, mate, mutate, lambda trees: None)


def _operon(instance: Instance) -> int:
    """A run of pyoperon's own loop on one thread, without local search: how many evaluations it made."""
    from pyoperon.sklearn import SymbolicRegressor

    model = SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,sin,cos,exp,logabs,constant,variable",
        symbolic_mode=True,  # constants are not tuned
        population_size=POPULATION,
        generations=GENERATIONS,
        max_evaluations=10**9,
        crossover_probability=CROSSOVER,
        mutation_probability=MUTATION,
        tournament_size=TOURNAMENT,
        max_depth=DEPTH,
        max_length=200,
        objectives=["mae"],
        optimizer_iterations=0,
        n_threads=1,
        random_state=SEED,
    )
    model.fit(instance.points, instance.targets)
    return model.stats_["evaluation_count"]
