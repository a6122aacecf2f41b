"""Genetic programming with DEAP: every distinct tree once, mate choice as an operator, diversity."""

from autodidact.evolution.comparisons import a12, fisher, kruskal_wallis, mann_whitney
from autodidact.evolution.diversity import (
    class_entropy,
    distinct_outputs,
    distinct_trees,
    distinct_values,
    mean_rank,
    resemblance,
)
from autodidact.evolution.individuals import Individual
from autodidact.evolution.mating import (
    by_fitness,
    by_outputs,
    least_fit,
    most_alike,
    own_ideal,
    own_solution,
    tournament,
    uniform,
    unlike,
    whim,
)
from autodidact.evolution.primitives import deap_draws, primitive_set
from autodidact.evolution.trees import Forest, Symbol, Tree, cut, graft
from autodidact.evolution.variation import (
    depth_limit,
    point_mutation,
    subtree_crossover,
    subtree_mutation,
    unchanged,
)

__all__ = [
    "Forest",
    "Individual",
    "Symbol",
    "Tree",
    "a12",
    "by_fitness",
    "by_outputs",
    "class_entropy",
    "cut",
    "deap_draws",
    "depth_limit",
    "distinct_outputs",
    "distinct_trees",
    "distinct_values",
    "fisher",
    "graft",
    "kruskal_wallis",
    "least_fit",
    "mann_whitney",
    "mean_rank",
    "most_alike",
    "own_ideal",
    "own_solution",
    "point_mutation",
    "primitive_set",
    "resemblance",
    "subtree_crossover",
    "subtree_mutation",
    "tournament",
    "unchanged",
    "uniform",
    "unlike",
    "whim",
]
