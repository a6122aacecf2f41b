"""DEAP's trees whose elements know the subtree that begins with them: one node per distinct subtree, evaluated once.

DEAP's pattern compiles every tree to a lambda and calls it point by point. Here the elements of a tree are `Node`s: one
exists for every distinct subtree, however many trees contain it, and holds its outputs at all points as one vector.
After a crossover only the nodes from the cut to the root are new. To DEAP's operators a node is a primitive like any.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from deap import gp

NODES = 30_000  # beyond this many nodes a forest forgets those of trees that have died


class Node:
    """A distinct subtree: DEAP's symbol at its top, its children, and what follows from them.

    size, height: of the subtree (a terminal has 1 and 0). outputs: its values at the forest's points, (points,), None
    until they are asked for. name, arity, args, ret and format are what DEAP's operators want of an element.
    """

    __slots__ = ("symbol", "name", "arity", "function", "children", "size", "height", "outputs")

    def __init__(self, symbol: Any, name: str, function: Any, children: tuple["Node", ...]) -> None:
        self.symbol, self.name, self.function, self.children = symbol, name, function, children
        self.outputs: np.ndarray | None = None
        size, height = 1, 0
        for child in children:
            size += child.size
            if child.height >= height:
                height = child.height + 1
        self.arity, self.size, self.height = len(children), size, height

    def evaluate(self) -> np.ndarray:
        """Values at the forest's points, (points,); computed once for every distinct subtree."""
        if self.outputs is None:
            arguments = [child.evaluate() if child.outputs is None else child.outputs for child in self.children]
            self.outputs = self.function(*arguments)
        return self.outputs

    @property
    def args(self) -> list[type]:
        """Types of the arguments, as DEAP has them."""
        return self.symbol.args

    @property
    def ret(self) -> type:
        """Type of the value, as DEAP has it."""
        return self.symbol.ret

    def format(self, *arguments: str) -> str:
        """The node as Python code, given that of its children."""
        return self.symbol.format(*arguments)


class Forest:
    """All distinct subtrees of one run: a primitive set over arrays, the points, and a node for whatever was planted.

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
        self.known: dict[tuple, Node] = {}  # (name, *children) -> node
        self._columns = {name: points[:, i].copy() for i, name in enumerate(pset.arguments)}

    def plant(self, content: Sequence[Any]) -> "Tree":
        """A tree of this forest from DEAP's primitives and terminals in depth-first order.

        Raises ValueError, naming it, for a terminal that is not a finite number.
        """
        return Tree(self.nodes(content), self)

    def nodes(self, content: Sequence[Any]) -> list[Node]:
        """The nodes of a depth-first list of primitives, position by position."""
        waiting: list[Node] = []  # roots of the subtrees to the right, the nearest last
        found: list[Node] = []
        for symbol in reversed(content):
            if symbol.arity > len(waiting):
                raise ValueError(f"content of {len(content)} symbols ends within a tree: {symbol.name} lacks arguments")
            children = tuple([waiting.pop() for _ in range(symbol.arity)])
            node = self._inner(symbol, children) if children else self._terminal(symbol, content)
            waiting.append(node)
            found.append(node)
        if len(waiting) != 1:
            raise ValueError(f"content of {len(content)} symbols is {len(waiting)} trees, must be one")
        return found[::-1]

    def outputs(self, trees: Iterable["Tree"]) -> np.ndarray:
        """Values of every tree at every point, (trees, points); infinite or NaN where a tree has none."""
        with np.errstate(all="ignore"):
            return np.array([tree[0].evaluate() for tree in trees])

    def tidy(self, trees: Iterable["Tree"]) -> None:
        """Forget the nodes of no living tree once there are more than `NODES`; `trees` are all that live on."""
        if len(self.known) > NODES:
            self.known = {(node.name, *node.children): node for tree in trees for node in tree}

    def _inner(self, symbol: Any, children: tuple[Node, ...]) -> Node:
        key = (symbol.name, *children)
        node = self.known.get(key)
        if node is None:
            symbol = symbol.symbol if type(symbol) is Node else symbol
            node = self.known[key] = Node(symbol, symbol.name, self.pset.context[symbol.name], children)
        return node

    def _terminal(self, terminal: Any, content: Sequence[Any]) -> Node:
        name = terminal.format()
        node = self.known.get((name,))
        if node is None:
            terminal = terminal.symbol if type(terminal) is Node else terminal
            node = Node(terminal, name, None, ())
            node.outputs = self._values(name, terminal, content)
            self.known[(name,)] = node
        return node

    def _values(self, name: str, terminal: Any, content: Sequence[Any]) -> np.ndarray:
        if name in self._columns:
            return self._columns[name]
        value = self.pset.context.get(name, terminal.value)
        if not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
            tree = str(gp.PrimitiveTree(content))
            raise ValueError(f"terminal {name} of the tree {tree[:80]} must be a finite number or one of the variables")
        return np.full(len(self.points), float(value))


class Tree(gp.PrimitiveTree):
    """A `PrimitiveTree` of nodes of one forest; two trees of a forest are equal where they are the same expression."""

    def __init__(self, nodes: Sequence[Node], forest: Forest) -> None:
        list.__init__(self, nodes)
        self.forest = forest

    def copy(self) -> "Tree":
        """Another tree of the same nodes, which never change."""
        return Tree(self, self.forest)

    def __deepcopy__(self, memo: dict) -> "Tree":
        return self.copy()

    @property
    def height(self) -> int:
        """Depth of the deepest node; a single node has 0."""
        return self[0].height

    @property
    def outputs(self) -> np.ndarray:
        """Values at the forest's points, (points,); infinite or NaN where there is none."""
        root = self[0]
        if root.outputs is None:
            with np.errstate(all="ignore"):
                root.evaluate()
        return root.outputs

    def searchSubtree(self, begin: int) -> slice:  # noqa: N802 (DEAP's name)
        """The slice of the subtree that begins at a position."""
        return slice(begin, begin + self[begin].size)

    def grafted(self, place: slice, branch: Sequence[Node]) -> "Tree":
        """Another tree: this one, with the subtree at `place` replaced by the nodes of another subtree."""
        nodes = list(self)
        nodes[place] = branch
        _renew(nodes, place.start, self.forest.known)
        return Tree(nodes, self.forest)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Put a subtree in the place of another, or a primitive in that of one with as many arguments, as DEAP does."""
        if type(key) is not slice:
            place = self.searchSubtree(key)
            super().__setitem__(key, value)
            key, value = place, self[place]
        nodes = self.forest.nodes(value)
        list.__setitem__(self, slice(None), self.grafted(key, nodes))


def _renew(nodes: list[Node], begin: int, known: dict[tuple, Node]) -> None:
    """New nodes on the way from the root to the subtree that begins at `begin`, and nowhere else."""
    way, at = [], 0
    while at != begin:
        parent, child, at = at, 0, at + 1
        # A sibling before the changed subtree is intact, and an ancestor of it still has the size it had.
        while begin != at and begin >= at + nodes[at].size:
            at += nodes[at].size
            child += 1
        way.append((parent, child))
    below = nodes[begin]
    for parent, child in reversed(way):
        old = nodes[parent]
        children = old.children
        if children[child] is below:
            return
        children = (below,) if len(children) == 1 else (*children[:child], below, *children[child + 1 :])
        key = (old.name, *children)
        node = known.get(key)
        if node is None:
            node = known[key] = Node(old.symbol, old.name, old.function, children)
        below = nodes[parent] = node
