"""Trees of which every distinct one is one object: the same as DEAP's own, before and after any operator."""

import copy
import math
import operator
import random
from functools import partial

import numpy as np
import pytest
from deap import gp

from autodidact.environments.regression import OPERATORS
from autodidact.evolution import (
    Forest,
    cut,
    deap_draws,
    graft,
    point_mutation,
    primitive_set,
    subtree_crossover,
    subtree_mutation,
)
from autodidact.evolution import trees as module
from autodidact.evolution.variation import mutation

POINTS = np.random.default_rng(5).uniform(-3, 3, (15, 2))
VECTOR = primitive_set(OPERATORS, ["x", "y"], [1.0, 0.5])
SCALAR = primitive_set(OPERATORS, ["x", "y"], [1.0, 0.5], scalar=True)


def stock(tree):
    """DEAP's pattern: compile to a lambda, loop over the points."""
    function = gp.compile(gp.PrimitiveTree.from_string(str(tree), SCALAR), SCALAR)
    return [function(*map(float, point)) for point in POINTS]


def grown(count, depth=6, seed=0):
    forest = Forest(VECTOR, POINTS)
    with deap_draws(np.random.default_rng(seed)):
        return forest, [forest.plant(gp.genHalfAndHalf(VECTOR, 1, depth)) for _ in range(count)]


def check(tree):
    """A tree is the one that its forest has for its symbols, and has size and height as DEAP counts them."""
    plain = gp.PrimitiveTree(tree.primitives())
    assert tree is tree.symbol.forest.plant(plain)
    assert (str(tree), len(tree), tree.height) == (str(plain), len(plain), plain.height)
    for place in range(len(plain)):
        way, subtree = cut(tree, place)
        assert subtree.primitives() == plain[plain.searchSubtree(place)]
        assert graft(way, subtree) is tree


def test_outputs_are_those_of_stock_deap():
    forest, trees = grown(200)
    wanted = np.array([stock(tree) for tree in trees])
    got = forest.outputs(trees)
    assert np.isfinite(wanted).mean() > 0.5
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    for tree, row in zip(trees, got, strict=True):
        np.testing.assert_array_equal(tree.outputs, row)


def test_children_are_the_trees_of_their_forest_and_parents_stay_as_they_were():
    rng = np.random.default_rng(1)
    forest, trees = grown(30)
    with deap_draws(rng):
        for _ in range(300):
            i, j = rng.choice(len(trees), 2, replace=False)
            before = str(trees[i]), str(trees[j])
            children = [*subtree_crossover(trees[i], trees[j], rng)]
            children += [*subtree_mutation(children[0], VECTOR), *point_mutation(children[1], VECTOR)]
            assert (str(trees[i]), str(trees[j])) == before
            for child in children:
                check(child)
            trees[i], trees[j] = (
                c if c.height <= 12 else t for c, t in zip(children, (trees[i], trees[j]), strict=False)
            )
    np.testing.assert_allclose(forest.outputs(trees), np.array([stock(tree) for tree in trees]), rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "deaps"),
    [
        (
            partial(subtree_mutation, pset=VECTOR, min_=0, max_=2),
            lambda t: gp.mutUniform(t, lambda pset, type_: gp.genFull(pset, 0, 2, type_), VECTOR),
        ),
        (partial(point_mutation, pset=VECTOR), partial(gp.mutNodeReplacement, pset=VECTOR)),
        (partial(mutation, operator=partial(gp.mutInsert, pset=VECTOR)), partial(gp.mutInsert, pset=VECTOR)),
        (partial(mutation, operator=gp.mutShrink), gp.mutShrink),
    ],
    ids=["subtree", "point", "insert", "shrink"],
)
def test_mutations_are_deaps_with_the_same_draws(ours, deaps):
    _, trees = grown(40)
    for seed, tree in enumerate(trees):
        plain, ends = gp.PrimitiveTree(tree.primitives()), []
        for mutate, of in ((ours, tree), (deaps, plain)):
            with deap_draws(np.random.default_rng(seed)):
                (mutant,) = mutate(of)
                ends.append((str(mutant), random.random()))
        assert ends[0] == ends[1]


def test_crossover_is_that_of_lists():
    _, trees = grown(40)
    for seed, (one, two) in enumerate(zip(trees[::2], trees[1::2], strict=True)):
        rng = np.random.default_rng(seed)
        lists = [gp.PrimitiveTree(tree.primitives()) for tree in (one, two)]
        here, there = (plain.searchSubtree(int(rng.random() * len(plain))) for plain in lists)
        lists[0][here], lists[1][there] = lists[1][there], lists[0][here]
        assert list(map(str, subtree_crossover(one, two, np.random.default_rng(seed)))) == list(map(str, lists))


def test_crossover_may_take_roots_and_so_give_and_grow_single_nodes():
    forest, _ = grown(0)
    one, two = (forest.plant(gp.PrimitiveTree.from_string(text, VECTOR)) for text in ("x", "add(y, 1.0)"))
    rng = np.random.default_rng(0)
    first, second = zip(*(map(str, subtree_crossover(one, two, rng)) for _ in range(200)), strict=True)
    assert set(first) == {"y", "1.0", "add(y, 1.0)"}
    assert set(second) == {"x", "add(x, 1.0)", "add(y, x)"}
    assert 40 < first.count("y") < 95  # a third of 200


def test_equal_expressions_are_one_tree_and_constants_count():
    forest, _ = grown(0)
    texts = ["add(x, 1.0)", "add(x, 1.0)", "add(1.0, x)", "add(x, 0.5)"]
    trees = [forest.plant(gp.PrimitiveTree.from_string(text, VECTOR)) for text in texts]
    assert trees[0] is trees[1] and len(set(trees)) == 3
    assert copy.deepcopy(trees[0]) is trees[0]


def test_a_subtree_is_evaluated_once_however_many_trees_contain_it():
    pset, called = primitive_set(OPERATORS, ["x"]), []
    pset.context["sin"] = lambda a: called.append(1) or np.sin(a)
    forest = Forest(pset, POINTS[:, :1])
    for text in ("sin(x)", "add(sin(x), sin(x))", "mul(x, sin(x))"):
        assert forest.outputs([forest.plant(gp.PrimitiveTree.from_string(text, pset))]).shape == (1, len(POINTS))
    assert called == [1]


def test_tidying_forgets_the_dead_and_keeps_the_living_apart(monkeypatch):
    monkeypatch.setattr(module, "TREES", 10)
    forest, trees = grown(50)
    living, before = trees[:5], len(forest)
    outputs = forest.outputs(living)
    forest.tidy(living)
    assert len(forest) == len({str(cut(tree, i)[1]) for tree in living for i in range(len(tree))}) < before
    for tree in living:
        check(tree)
    replanted = [forest.plant(tree.primitives()) for tree in trees]
    assert replanted[:5] == living and list(map(str, replanted)) == list(map(str, trees))
    np.testing.assert_array_equal(forest.outputs(replanted[:5]), outputs)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_constant_that_is_not_finite_is_named(value):
    pset = primitive_set(OPERATORS, ["x"])
    pset.addEphemeralConstant(f"broken{value}", partial(float, value))
    forest = Forest(pset, POINTS[:, :1])
    constant = pset.mapping[f"broken{value}"]()
    with pytest.raises(ValueError, match=rf"terminal {value} of the tree add\(x, {value}\) must be a finite number"):
        forest.plant([pset.mapping["add"], pset.mapping["x"], constant])
    with pytest.raises(ValueError, match=f"constants: {value} must be finite"):
        primitive_set(OPERATORS, ["x"], [value])


def test_named_and_ephemeral_constants_have_their_value():
    pset = primitive_set(OPERATORS, ["x"])
    pset.addTerminal(math.pi, name="pi")
    pset.addEphemeralConstant("quarter", partial(float, 0.25))
    forest = Forest(pset, POINTS[:, :1])
    tree = forest.plant([pset.mapping["add"], pset.mapping["pi"], pset.mapping["quarter"]()])
    assert tree.outputs == pytest.approx([math.pi + 0.25] * len(POINTS))


@pytest.mark.parametrize(
    ("points", "message"),
    [(np.zeros((4, 1)), "a column each for x, y"), (np.full((4, 2), np.nan), "finite"), (np.zeros(4), r"\(4,\)")],
)
def test_points_that_do_not_fit_are_named(points, message):
    with pytest.raises(ValueError, match=message):
        Forest(VECTOR, points)


@pytest.mark.parametrize(
    ("names", "message"), [(["add", "x"], "add lacks arguments"), (["x", "y"], "2 trees, must be one")]
)
def test_incomplete_trees_are_refused(names, message):
    forest, _ = grown(0)
    with pytest.raises(ValueError, match=message):
        forest.plant([VECTOR.mapping[name] for name in names])


def test_both_primitive_sets_draw_the_same_trees():
    def drawn(pset):
        with deap_draws(np.random.default_rng(3)):
            return [str(gp.PrimitiveTree(gp.genHalfAndHalf(pset, 1, 5))) for _ in range(20)]

    assert drawn(VECTOR) == drawn(SCALAR)
    assert VECTOR.context["add"] is np.add and SCALAR.context["add"](1, 2) == operator.add(1, 2)
