"""How children differ from their parents: subtree crossover, mutation, and a depth limit that counts what it refuses.

As in DEAP, operators return a tuple of trees, and mutations draw from Python's global generator: use them within
`deap_draws`. Unlike DEAP's they leave their arguments as they are, since trees never change.
"""

from collections import Counter
from collections.abc import Callable
from functools import wraps

import numpy as np
from deap import gp

from autodidact.evolution.primitives import randrange
from autodidact.evolution.trees import Tree, cut, graft

Operator = Callable[..., tuple[Tree, ...]]


def subtree_crossover(one: Tree, two: Tree, rng: np.random.Generator) -> tuple[Tree, Tree]:
    """Each tree with a random subtree of the other in the place of a random one of its own.

    All places are equally likely, the root included. DEAP's `cxOnePoint` spares the root and leaves trees of one symbol
    alone, so that no tree could ever become a single symbol, and none that is one could grow.
    """
    here, from_one = cut(one, int(rng.random() * one.size))
    there, from_two = cut(two, int(rng.random() * two.size))
    return graft(here, from_two), graft(there, from_one)


def subtree_mutation(tree: Tree, pset: gp.PrimitiveSet, *, min_: int = 0, max_: int = 2) -> tuple[Tree]:
    """A random subtree replaced by a full random one of depth `min_` to `max_`: the draws of DEAP's `mutUniform`."""
    way, old = cut(tree, randrange(tree.size))
    content = gp.genFull(pset, min_, max_, old.symbol.primitive.ret)
    return (graft(way, tree.symbol.forest.plant(content)),)


def point_mutation(tree: Tree, pset: gp.PrimitiveSet) -> tuple[Tree]:
    """A random symbol below the root replaced by another of as many arguments (DEAP's `mutNodeReplacement`)."""
    return mutation(tree, lambda t: gp.mutNodeReplacement(t, pset))


def mutation(tree: Tree, operator: Callable[..., tuple]) -> tuple[Tree]:
    """A mutant of a tree by any of DEAP's operators, such as `gp.mutInsert` with its arguments bound."""
    (mutant,) = operator(gp.PrimitiveTree(tree.primitives()))
    return (tree.symbol.forest.plant(mutant),)


def unchanged(*trees: Tree) -> tuple[Tree, ...]:
    """The trees as they are: neither crossed nor mutated."""
    return trees


def depth_limit(limit: int, counts: Counter, name: str, tries: int = 1) -> Callable[[Operator], Operator]:
    """A decorator for `toolbox.decorate`: no child is deeper than `limit`.

    The operator is drawn again until all children fit, `tries` times in all; what is too deep then is replaced by its
    parent (the first child's is the first tree, and so on; DEAP's `staticLimit` draws one of them). Such copies are
    duplicates and lower diversity. Every child that was too deep is counted, in `counts[name]`. ValueError for tries
    below 1.
    """
    if tries < 1:
        raise ValueError(f"tries={tries} must be 1 or more")

    def decorator(operator: Operator) -> Operator:
        @wraps(operator)
        def limited(*trees: Tree, **arguments: object) -> tuple[Tree, ...]:
            for _ in range(tries):
                children = operator(*trees, **arguments)
                kept = [child.height <= limit for child in children]
                if all(kept):
                    return children
                counts[name] += len(kept) - sum(kept)
            return tuple(c if good else p for c, p, good in zip(children, trees, kept, strict=False))

        return limited

    return decorator
