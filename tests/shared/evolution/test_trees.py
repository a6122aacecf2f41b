"""Trees that are evaluated once a subtree: the same as DEAP's own, before and after any operator."""

import math
import operator
from functools import partial

import numpy as np
import pytest
from deap import gp

from autodidact.environments.regression import OPERATORS
from autodidact.evolution import Forest, deap_draws, point_mutation, primitive_set, subtree_crossover, subtree_mutation
from autodidact.evolution import trees as module

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
    """A tree's nodes are those that its own symbols, read afresh, would give it."""
    plain = gp.PrimitiveTree([node.symbol for node in tree])
    assert list(tree) == tree.forest.nodes(plain)
    assert (str(tree), tree.height) == (str(plain), plain.height)
    assert [node.size for node in tree] == [plain.searchSubtree(i).stop - i for i in range(len(plain))]
    assert [node.height for node in tree] == [
        gp.PrimitiveTree(plain[plain.searchSubtree(i)]).height for i in range(len(plain))
    ]


def test_outputs_are_those_of_stock_deap():
    forest, trees = grown(200)
    wanted = np.array([stock(tree) for tree in trees])
    got = forest.outputs(trees)
    assert np.isfinite(wanted).mean() > 0.5
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    assert all((tree.outputs is forest_row) or np.array_equal(tree.outputs, forest_row, equal_nan=True)
               for tree, forest_row in zip(trees, got, strict=True))  # fmt: skip


def test_variation_keeps_nodes_and_symbols_together_and_parents_as_they_were():
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
    "vary",
    [
        gp.cxOnePoint,
        lambda a, b: gp.mutUniform(a, partial(gp.genFull, min_=0, max_=2), VECTOR),
        lambda a, b: gp.mutNodeReplacement(a, VECTOR),
        lambda a, b: gp.mutInsert(a, VECTOR),
    ],
    ids=["cxOnePoint", "mutUniform", "mutNodeReplacement", "mutInsert"],
)
def test_deaps_own_operators_work_in_place_and_draw_the_same(vary):
    _, trees = grown(40)
    plain = [gp.PrimitiveTree([node.symbol for node in tree]) for tree in trees]
    for seed, a in enumerate(range(0, 40, 2)):
        for some in (trees, plain):
            with deap_draws(np.random.default_rng(seed)):
                vary(some[a], some[a + 1])
    assert [str(tree) for tree in trees] == [str(tree) for tree in plain]
    for tree in trees:
        check(tree)


def test_crossover_may_take_roots_and_so_give_and_grow_single_nodes():
    forest, _ = grown(0)
    one, two = (forest.plant(gp.PrimitiveTree.from_string(text, VECTOR)) for text in ("x", "add(y, 1.0)"))
    rng = np.random.default_rng(0)
    first, second = zip(*(map(str, subtree_crossover(one, two, rng)) for _ in range(200)), strict=True)
    assert set(first) == {"y", "1.0", "add(y, 1.0)"}
    assert set(second) == {"x", "add(x, 1.0)", "add(y, x)"}
    assert 40 < first.count("y") < 95  # a third of 200


def test_equal_expressions_are_one_node_and_constants_count():
    forest, _ = grown(0)
    texts = ["add(x, 1.0)", "add(x, 1.0)", "add(1.0, x)", "add(x, 0.5)"]
    trees = [forest.plant(gp.PrimitiveTree.from_string(text, VECTOR)) for text in texts]
    roots = [tree[0] for tree in trees]
    assert roots[0] is roots[1] and len(set(roots)) == 3
    assert trees[0] == trees[1] != trees[2]


def test_tidying_forgets_the_dead_and_keeps_the_living_apart(monkeypatch):
    monkeypatch.setattr(module, "NODES", 10)
    forest, trees = grown(50)
    living, before = trees[:5], len(forest.known)
    forest.tidy(living)
    assert len(forest.known) == len({node for tree in living for node in tree}) < before
    for tree in living:
        check(tree)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_constant_that_is_not_finite_is_named(value):
    pset = primitive_set(OPERATORS, ["x"])
    pset.addEphemeralConstant(f"broken{value}", partial(float, value))
    forest = Forest(pset, POINTS[:, :1])
    constant = pset.mapping[f"broken{value}"]()
    tree = forest.plant([pset.mapping["sin"], pset.mapping["x"]])
    with pytest.raises(ValueError, match=rf"terminal {value} of the tree add\(x, {value}\) must be a finite number"):
        forest.plant([pset.mapping["add"], pset.mapping["x"], constant])
    with pytest.raises(ValueError, match=f"terminal {value}"):
        tree[1:2] = [constant]
    assert str(tree) == "sin(x)"  # nothing is lost
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
