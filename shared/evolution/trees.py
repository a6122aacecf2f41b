"""Trees of genetic programming: one object for every distinct expression, which is evaluated once.

DEAP's trees are lists of symbols; its pattern copies them, compiles each to a lambda and calls it point by point. Here
a tree is its topmost symbol and the trees below. It never changes, and a forest holds one of every distinct expression,
however many trees contain it: with its size, its height and, once asked for, its outputs at all points as one vector.
A child shares all with its parents but the way from the cut to the root, and most of that is known from earlier births.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from deap import gp

TREES = 10_000  # beyond this many trees a forest forgets those that are in no living one

Way = list[tuple["Tree", int]]  # from a root down: a tree, and which of its children comes next


class Symbol(dict[tuple["Tree", ...], "Tree"]):
    """A primitive or terminal in one forest: `symbol[children]` is the one tree of it and these children.

    primitive: what DEAP has for it. function: of as many arrays, (points,), as it has children.
    """

    __slots__ = ("primitive", "function", "forest")

    def __init__(self, primitive: Any, function: Callable[..., np.ndarray], forest: "Forest") -> None:
        self.primitive, self.function, self.forest = primitive, function, forest

    def __missing__(self, children: tuple["Tree", ...]) -> "Tree":
        tree = self[children] = Tree(self, children)
        return tree


class Tree:
    """A symbol over its children. Made by a forest alone, so that trees of one forest are the same object if equal.

    size, height: number of symbols and depth of the deepest; a terminal has 1 and 0.
    """

    __slots__ = ("symbol", "children", "size", "height", "_outputs")

    def __init__(self, symbol: Symbol, children: tuple["Tree", ...]) -> None:
        self.symbol, self.children = symbol, children
        self._outputs: np.ndarray | None = None
        size, height = 1, 0
        for child in children:
            size += child.size
            if child.height >= height:
                height = child.height + 1
        self.size, self.height = size, height

    def __len__(self) -> int:
        return self.size

    def __str__(self) -> str:
        return str(gp.PrimitiveTree(self.primitives()))

    def __deepcopy__(self, memo: dict) -> "Tree":
        return self  # what never changes needs no copies, such as DEAP's `toolbox.clone` makes

    @property
    def outputs(self) -> np.ndarray:
        """Values at the forest's points, (points,); infinite or NaN where there is none."""
        with np.errstate(all="ignore"):
            return self.evaluate()

    def evaluate(self) -> np.ndarray:
        """The outputs, computed once for every distinct tree; what NumPy has to warn of is the caller's to silence."""
        if self._outputs is None:
            self._outputs = self.symbol.function(*[child.evaluate() for child in self.children])
        return self._outputs

    def primitives(self) -> list[Any]:
        """DEAP's primitives and terminals in depth-first order, the content of a `gp.PrimitiveTree`."""
        found, waiting = [], [self]
        while waiting:
            tree = waiting.pop()
            found.append(tree.symbol.primitive)
            waiting += reversed(tree.children)
        return found


def cut(tree: Tree, place: int) -> tuple[Way, Tree]:
    """The way to the subtree that begins at a place of the depth-first order, 0 to size - 1, and that subtree."""
    way = []
    while place:
        place -= 1
        which = 0
        for child in tree.children:
            if place < child.size:
                break
            place -= child.size
            which += 1
        way.append((tree, which))
        tree = child
    return way, tree


def graft(way: Way, branch: Tree) -> Tree:
    """The tree that has `branch` where a cut left off; new are the trees along the way, unless they are known."""
    for tree, which in reversed(way):
        children = list(tree.children)
        children[which] = branch
        branch = tree.symbol[tuple(children)]
    return branch


class Forest:
    """All distinct trees of one run, over the symbols of a primitive set, and the points where they are evaluated.

    pset: its functions take arrays. points: (points, variables), a column for every argument of the set.
    Raises ValueError where the points do not fit the set or are not finite.
    """

    def __init__(self, pset: gp.PrimitiveSet, points: np.ndarray) -> None:
        points = np.asarray(points, float)
        if points.ndim != 2 or points.shape[1] != len(pset.arguments) or not np.isfinite(points).all():
            raise ValueError(
                f"points of shape {points.shape} must be finite and of shape (points, {len(pset.arguments)}), "
                f"a column each for {', '.join(pset.arguments)}"
            )
        self.pset, self.points = pset, points
        self.symbols: dict[str, Symbol] = {}
        self._columns = {name: points[:, i].copy() for i, name in enumerate(pset.arguments)}

    def __len__(self) -> int:
        return sum(map(len, self.symbols.values()))

    def plant(self, content: Sequence[Any]) -> Tree:
        """The tree of DEAP's primitives and terminals in depth-first order, such as its generators give.

        Raises ValueError, naming it, for a terminal that is not a finite number, and for what is not one whole tree.
        """
        waiting: list[Tree] = []  # the subtrees to the right, the nearest last
        for primitive in reversed(content):
            if primitive.arity > len(waiting):
                raise ValueError(
                    f"content of {len(content)} symbols ends within a tree: {primitive.name} lacks arguments"
                )
            children = tuple([waiting.pop() for _ in range(primitive.arity)])
            waiting.append(self._symbol(primitive, content)[children])
        if len(waiting) != 1:
            raise ValueError(f"content of {len(content)} symbols is {len(waiting)} trees, must be one")
        return waiting[0]

    def outputs(self, trees: Iterable[Tree]) -> np.ndarray:
        """Values of every tree at every point, (trees, points); infinite or NaN where a tree has none."""
        with np.errstate(all="ignore"):
            return np.array([tree.evaluate() for tree in trees])

    def tidy(self, trees: Iterable[Tree]) -> None:
        """Forget all but the living trees and their subtrees once there are more than `TREES`."""
        if len(self) <= TREES:
            return
        for symbol in self.symbols.values():
            symbol.clear()
        waiting = list(trees)
        while waiting:
            tree = waiting.pop()
            if tree.children not in tree.symbol:
                tree.symbol[tree.children] = tree
                waiting += tree.children
        self.symbols = {name: symbol for name, symbol in self.symbols.items() if symbol or symbol.primitive.arity}

    def _symbol(self, primitive: Any, content: Sequence[Any]) -> Symbol:
        name = primitive.name if primitive.arity else primitive.format()
        if name not in self.symbols:
            if primitive.arity:
                function = self.pset.context[name]
            else:  # a function of no arguments
                function = partial(np.asarray, self._values(name, primitive, content))
            self.symbols[name] = Symbol(primitive, function, self)
        return self.symbols[name]

    def _values(self, name: str, terminal: Any, content: Sequence[Any]) -> np.ndarray:
        if name in self._columns:
            return self._columns[name]
        value = self.pset.context.get(name, terminal.value)
        if not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
            tree = str(gp.PrimitiveTree(content))
            raise ValueError(f"terminal {name} of the tree {tree[:80]} must be a finite number or one of the variables")
        return np.full(len(self.points), float(value))
