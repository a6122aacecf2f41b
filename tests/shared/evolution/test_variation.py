"""Limits that count, and draws that come from the caller's stream alone."""

import gc
import random
from collections import Counter

import numpy as np
import pytest
from deap import base, gp

from autodidact.environments.regression import OPERATORS
from autodidact.evolution import (
    Forest,
    deap_draws,
    depth_limit,
    primitive_set,
    subtree_crossover,
    subtree_mutation,
    unchanged,
)

PSET = primitive_set(OPERATORS, ["x"], [1.0])


def planted(*texts):
    forest = Forest(PSET, np.linspace(-1, 1, 5)[:, None])
    return [forest.plant(gp.PrimitiveTree.from_string(text, PSET)) for text in texts]


def test_a_child_too_deep_becomes_its_parent_and_is_counted():
    one, two = planted("sin(sin(x))", "cos(cos(1.0))")
    counts, toolbox, rng = Counter(), base.Toolbox(), np.random.default_rng(0)
    toolbox.register("mate", subtree_crossover, rng=rng)
    toolbox.decorate("mate", depth_limit(2, counts, "too deep"))
    kept = refused = 0
    for _ in range(200):
        for child, parent in zip(toolbox.mate(one, two), (one, two), strict=True):
            assert child.height <= 2
            kept, refused = kept + (child is not parent), refused + (child is parent)
    # Depths i and j of the cuts: a child is too deep where i + 2 - j > 2, that is for 3 of 9 pairs; equal never.
    assert counts["too deep"] == refused
    assert refused == pytest.approx(400 / 3, abs=40)


def test_mutation_too_deep_is_counted_as_well():
    (tree,) = planted("sin(x)")
    counts = Counter()
    mutate = depth_limit(1, counts, "too deep")(lambda t: subtree_mutation(t, PSET, min_=2, max_=2))
    with deap_draws(np.random.default_rng(0)):
        assert {str(*mutate(tree)) for _ in range(10)} == {"sin(x)"}
    assert counts == {"too deep": 10}


def test_a_child_too_deep_is_drawn_again_as_often_as_is_allowed():
    (tree,) = planted("sin(x)")
    made = iter(planted("sin(sin(x))", "sin(sin(sin(x)))", "cos(x)", "sin(sin(x))", "sin(sin(x))", "cos(x)"))
    counts = Counter()
    mutate = depth_limit(1, counts, "too deep", tries=3)(lambda t: (next(made),))
    assert str(*mutate(tree)) == "cos(x)" and counts == {"too deep": 2}
    mutate = depth_limit(1, counts, "too deep", tries=2)(lambda t: (next(made),))
    assert mutate(tree) == (tree,) and counts == {"too deep": 4}  # both were too deep: its parent, after all
    pairs = iter([planted("sin(sin(x))", "cos(x)"), planted("exp(x)", "exp(exp(x))")])
    other, counts["too deep"] = planted("log(x)")[0], 0
    first, second = depth_limit(1, counts, "too deep", tries=2)(lambda one, two: tuple(next(pairs)))(tree, other)
    assert str(first) == "exp(x)" and second is other and counts == {"too deep": 2}  # each has its own parent
    with pytest.raises(ValueError, match="tries=0 must be 1 or more"):
        depth_limit(1, counts, "too deep", tries=0)


def test_unchanged_hands_on_what_it_gets():
    one, two = planted("x", "1.0")
    assert unchanged(one, two) == (one, two) and unchanged(one) == (one,)


def test_deap_draws_from_the_stream_and_leaves_pythons_generator_alone():
    def drawn(seed):
        with deap_draws(np.random.default_rng(seed)):
            return [str(gp.PrimitiveTree(gp.genHalfAndHalf(PSET, 1, 4))) for _ in range(5)]

    before = random.getstate()
    assert drawn(1) == drawn(1) != drawn(2)
    with pytest.raises(RuntimeError), deap_draws(np.random.default_rng(0)):
        raise RuntimeError
    assert random.getstate() == before


@pytest.mark.parametrize("collecting", [True, False])
def test_the_search_for_cycles_rests_and_is_as_it_was_afterwards(collecting):
    try:
        gc.enable() if collecting else gc.disable()
        with pytest.raises(RuntimeError), deap_draws(np.random.default_rng(0)):
            assert not gc.isenabled()
            raise RuntimeError
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


def test_the_draws_are_uniform():
    with deap_draws(np.random.default_rng(7)):
        values = np.array([random.random() for _ in range(20_000)])
    assert np.histogram(values, 10, (0, 1))[0] == pytest.approx([2000] * 10, abs=200)
