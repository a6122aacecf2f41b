"""Mate choice against brute force: who is taken, by which likeness, and how often each rule takes whom."""

import random
from collections import Counter
from functools import partial

import numpy as np
import pytest
from deap import gp, tools

from autodidact.environments.regression import OPERATORS
from autodidact.evolution import (
    Forest,
    Individual,
    by_fitness,
    by_outputs,
    deap_draws,
    least_fit,
    most_alike,
    own_ideal,
    own_solution,
    primitive_set,
    tournament,
    uniform,
    unlike,
    whim,
)
from autodidact.evolution.mating import drawn

PSET = primitive_set(OPERATORS, ["x"], [1.0])
POINTS = np.linspace(0.5, 2, 7)[:, None]
FOREST = Forest(PSET, POINTS)


def planted(text):
    return FOREST.plant(gp.PrimitiveTree.from_string(text, PSET))


def individual(solution, ideal="x", fitness=0.0):
    tree = planted(solution)
    return Individual(tree, planted(ideal), fitness, tree.outputs)


POPULATION = [individual(s, fitness=-i) for i, s in enumerate(["x", "sin(x)", "add(x, x)", "exp(x)", "log(x)", "1.0"])]
RULE = partial(most_alike, size=3, taste=own_ideal, likeness=by_outputs, counts=Counter())


def candidates_of(seed, size):
    with deap_draws(np.random.default_rng(seed)):
        return tools.selRandom(POPULATION, size)


def chosen(rule, chooser, seed):
    with deap_draws(np.random.default_rng(seed)):
        return rule(chooser, POPULATION)


def distance(one, two):
    return np.mean([abs(a - b) for a, b in zip(one, two, strict=True)])


@pytest.mark.parametrize("seed", range(20))
def test_the_ideal_mate_is_the_candidate_that_behaves_most_like_the_ideal(seed):
    chooser = individual("x", ideal="mul(x, x)")
    wanted = POINTS[:, 0] ** 2
    candidates = candidates_of(seed, 3)
    by_distance = sorted(candidates, key=lambda c: distance(c.outputs, wanted))
    assert chosen(RULE, chooser, seed) is by_distance[0]
    assert chosen(partial(RULE, likeness=unlike), chooser, seed) is by_distance[-1]
    itself = chosen(partial(RULE, taste=own_solution), POPULATION[1], seed)
    assert itself is min(candidates, key=lambda c: distance(c.outputs, np.sin(POINTS[:, 0])))


@pytest.mark.parametrize("seed", range(10))
def test_likeness_by_fitness_compares_errors(seed):
    def error(outputs):
        return np.abs(outputs - 2.2).mean()

    chooser = individual("x", ideal="1.0")  # as a solution the ideal would have an error of 1.2
    rule = partial(RULE, likeness=partial(by_fitness, error=error))
    wanted = min(candidates_of(seed, 3), key=lambda c: abs(-c.fitness - 1.2))
    assert chosen(rule, chooser, seed) is wanted


def test_outputs_that_are_no_numbers_are_furthest_and_no_warning_is_given():
    rows = [[np.nan, 0.0], [np.inf, 0.0], [1e9, 0.0], [5.0, 5.0]]
    population = [Individual(None, None, 0.0, np.array(row)) for row in rows]
    assert by_outputs(np.zeros(2), population).tolist() == [1e6, 1e6, 1e6, 10.0]
    assert by_outputs(np.array([np.inf, 0.0]), population).tolist() == [1e6, 1e6, 1e6, 1e6 + 5]
    assert by_fitness(np.zeros(2), [Individual(None, None, -np.inf)], error=lambda o: np.inf).tolist() == [1e6]


def test_a_whim_is_drawn_once_and_is_nobody_elses():
    made = []

    def make():
        made.append(planted("cos(x)"))
        return made[-1]

    one, two = individual("x"), individual("x")
    assert whim(one, make=make) is whim(one, make=make) is made[0]
    assert whim(two, make=make) is made[1] and len(made) == 2
    assert one.ideal is planted("x")  # the inherited ideal is not touched


def test_preference_evaluations_are_counted_apart():
    counts = Counter()
    for seed in range(7):
        chosen(partial(RULE, counts=counts), POPULATION[0], seed)
        chosen(uniform, POPULATION[0], seed)
    assert counts == {"preference evaluations": 7}


@pytest.mark.parametrize("count", [1, 2, 3, 64, 100])
def test_who_is_met_is_whom_deap_would_draw(count):
    population = [individual("x", fitness=i) for i in range(count)]

    def met(draw):
        with deap_draws(np.random.default_rng(count)):
            return [draw(population, size) for size in (5, 1, 7)], random.random()

    assert met(drawn) == met(tools.selRandom)
    with deap_draws(np.random.default_rng(count)):
        (wanted,) = tools.selTournament(population, 1, 5)
    with deap_draws(np.random.default_rng(count)):
        assert tournament(None, population, size=5) is wanted


@pytest.mark.parametrize(("population", "size"), [([], 5), (POPULATION, 0)])
def test_nobody_to_meet_is_refused(population, size):
    with pytest.raises(ValueError, match=f"population of {len(population)} and size={size} must both be 1 or more"):
        tournament(None, population, size=size)


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        (uniform, [1 / 6] * 6),
        # the best of two: P(index <= i) is 1 - ((5 - i) / 6)^2, the worst of two the other way round
        (partial(tournament, size=2), [11 / 36, 9 / 36, 7 / 36, 5 / 36, 3 / 36, 1 / 36]),
        (partial(least_fit, size=2), [1 / 36, 3 / 36, 5 / 36, 7 / 36, 9 / 36, 11 / 36]),
    ],
    ids=["uniform", "tournament", "least fit"],
)
def test_who_is_taken_how_often(rule, shares):
    with deap_draws(np.random.default_rng(0)):
        taken = Counter(POPULATION.index(rule(POPULATION[0], POPULATION)) for _ in range(6000))
    assert [taken[i] / 6000 for i in range(6)] == pytest.approx(shares, abs=0.025)
