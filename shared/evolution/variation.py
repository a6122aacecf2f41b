"""How children differ from their parents: subtree crossover, mutation, and a depth limit that counts what it refuses.

As in DEAP, operators return a tuple of trees. Unlike DEAP's they make new trees and leave their arguments as they are.
"""

from collections import Counter
from collections.abc import Callable
from functools import wraps

import numpy as np
from deap import gp

from autodidact.evolution.trees import Tree

Operator = Callable[..., tuple[Tree, ...]]


def subtree_crossover(one: Tree, two: Tree, rng: np.random.Generator) -> tuple[Tree, Tree]:
    """Each tree with a random subtree of the other in the place of a random one of its own.

    All nodes are equally likely, the root included. DEAP's `cxOnePoint` spares the root and leaves trees of one node
    alone, so that no tree could ever become a single node, and none that is one could grow.
    """
    here, there = _subtree(one, rng), _subtree(two, rng)
    return one.grafted(here, two[there]), two.grafted(there, one[here])


def mutation(tree: Tree, operator: Callable[..., tuple]) -> tuple[Tree]:
    """A mutant of a tree by one of DEAP's operators, such as `gp.mutUniform` with its arguments bound."""
    mutant = tree.copy()
    operator(mutant)
    return (mutant,)


def subtree_mutation(tree: Tree, pset: gp.PrimitiveSet, *, min_: int = 0, max_: int = 2) -> tuple[Tree]:
    """A random subtree replaced by a full random one of depth `min_` to `max_` (DEAP's `mutUniform`)."""
    return mutation(tree, lambda t: gp.mutUniform(t, lambda pset, type_: gp.genFull(pset, min_, max_, type_), pset))


def point_mutation(tree: Tree, pset: gp.PrimitiveSet) -> tuple[Tree]:
    """A random symbol below the root replaced by another of as many arguments (DEAP's `mutNodeReplacement`)."""
    return mutation(tree, lambda t: gp.mutNodeReplacement(t, pset))


def unchanged(*trees: Tree) -> tuple[Tree, ...]:
    """The trees as they are: neither crossed nor mutated."""
    return trees


def depth_limit(limit: int, counts: Counter, name: str) -> Callable[[Operator], Operator]:
    """A decorator for `toolbox.decorate`: a child deeper than `limit` is replaced by a copy of its parent.

    The first child's parent is the first tree, and so on (DEAP's `staticLimit` draws one of them). Such children are
    duplicates and lower diversity, so they are counted, in `counts[name]`.
    """

    def decorator(operator: Operator) -> Operator:
        @wraps(operator)
        def limited(*trees: Tree, **arguments: object) -> tuple[Tree, ...]:
            children = operator(*trees, **arguments)
            kept = [child.height <= limit for child in children]
            if all(kept):
                return children
            counts[name] += len(kept) - sum(kept)
            return tuple(c if good else p.copy() for c, p, good in zip(children, trees, kept, strict=False))

        return limited

    return decorator


def _subtree(tree: Tree, rng: np.random.Generator) -> slice:
    return tree.searchSubtree(int(rng.random() * len(tree)))
