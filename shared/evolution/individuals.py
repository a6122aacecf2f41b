"""An individual: a solution and the mate it would like to have, two trees over the same primitives."""

from dataclasses import dataclass

import numpy as np

from autodidact.evolution.trees import Tree


@dataclass(slots=True, eq=False)
class Individual:
    """A pair of trees. `fitness` is minus the error, since DEAP's selectors take the greatest.

    outputs: of the solution, (points,), once evaluated. whim: an ideal of one who inherits none, once drawn.
    """

    solution: Tree
    ideal: Tree
    fitness: float = -np.inf
    outputs: np.ndarray | None = None
    whim: Tree | None = None
