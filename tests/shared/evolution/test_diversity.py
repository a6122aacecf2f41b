"""Diversity and the papers' tests against counting by hand and SciPy's own examples."""

import math

import numpy as np
import pytest
from deap import gp

from autodidact.environments.regression import OPERATORS
from autodidact.evolution import (
    Forest,
    a12,
    class_entropy,
    deap_draws,
    distinct_outputs,
    distinct_trees,
    distinct_values,
    fisher,
    kruskal_wallis,
    mann_whitney,
    mean_rank,
    primitive_set,
    resemblance,
)


def test_distinct_trees_are_distinct_strings():
    pset = primitive_set(OPERATORS, ["x"], [1.0])
    forest = Forest(pset, np.zeros((2, 1)))
    with deap_draws(np.random.default_rng(0)):
        trees = [forest.plant(gp.genHalfAndHalf(pset, 0, 2)) for _ in range(200)]
    strings = {str(tree) for tree in trees}
    assert distinct_trees(trees) == len(strings) / 200 < 1


def test_distinct_outputs_round_and_take_nan_as_a_value():
    rows = [
        [0.0, 1.0],
        [-0.0, 1.0 + 1e-9],
        [0.0, 1.00001],
        [np.nan, 0.0],
        [-np.nan, 0.0],
        [np.inf, 0.0],
        [-np.inf, 0.0],
    ]
    assert distinct_outputs(np.array(rows)) == 5 / 7


def test_distinct_values_and_their_entropy():
    errors = np.array([0.1, 0.1 + 1e-8, 0.2, np.inf])
    assert distinct_values(errors) == 3 / 4
    assert class_entropy(errors) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(4))
    assert class_entropy(np.zeros(5)) == 0


def test_mean_rank_counts_the_fitter():
    fitness = np.array([3.0, 1.0, 1.0, 0.0])
    assert mean_rank(np.array([3.0]), fitness) == 1 / 8  # nobody is fitter, itself ties
    assert mean_rank(np.array([1.0]), fitness) == (1 + 2 / 2) / 4
    assert mean_rank(fitness, fitness) == 0.5  # everybody once is a blind choice
    rng = np.random.default_rng(0)
    population = rng.normal(size=500)
    best = rng.choice(population, (4000, 5)).max(1)
    assert mean_rank(best, population) == pytest.approx(1 / 6, abs=0.01)  # a tournament of five


def test_resemblance_is_one_for_copies_and_a_half_for_strangers():
    rng = np.random.default_rng(0)
    parents = rng.normal(size=(60, 4))
    assert resemblance(parents, parents) == 1
    assert resemblance(rng.normal(size=(60, 4)), parents) == pytest.approx(0.5, abs=0.08)
    assert resemblance(np.zeros((5, 3)), np.zeros((5, 3))) == 0.5
    broken = np.where(np.arange(60)[:, None] < 5, np.nan, parents)
    assert 0.5 < resemblance(broken, parents) < 1
    with pytest.raises(ValueError, match="two pairs"):
        resemblance(parents[:1], parents[:1])


def test_a12_is_the_share_of_pairs():
    assert a12([1, 2], [0, 1]) == (1 + 0.5 + 1 + 1) / 4
    assert a12([1, 1], [1, 1]) == 0.5 and a12([0], [1]) == 0


def test_kruskal_wallis_by_its_formula():
    groups = {"a": [1.0, 4.0, 9.0], "b": [2.0, 5.0, 8.0], "c": [3.0, 6.0, 7.0, 10.0]}
    ranks = {name: np.array(values) for name, values in groups.items()}  # the values are 1 to 10: their own ranks
    n = 10
    h = 12 / (n * (n + 1)) * sum(r.sum() ** 2 / len(r) for r in ranks.values()) - 3 * (n + 1)
    assert kruskal_wallis(groups) == pytest.approx(math.exp(-h / 2))  # chi-square with two degrees of freedom
    assert kruskal_wallis({"a": [1, 1], "b": [1, 1]}) == 1


def test_mann_whitney_is_corrected_for_the_number_of_pairs():
    groups = {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0], "c": [1.5, 4.5, 5.5]}
    p_values = mann_whitney(groups)
    assert list(p_values) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert p_values["a", "b"] == pytest.approx(3 * 2 / 20)  # exact: 1 of 20 orders is as extreme on either side
    assert p_values["b", "c"] == 1


def test_fisher_by_counting():
    # 3 of 3 against 0 of 3: two of the 20 ways to place three successes are as extreme
    assert fisher([1, 1, 1], [0, 0, 0]) == pytest.approx(2 / 20)
    assert fisher([1, 0], [1, 0]) == 1
