"""Symbolic regression: the benchmark functions of genetic programming, their points, targets and success criterion."""

from autodidact.environments.regression.operators import OPERATORS, Operator
from autodidact.environments.regression.problems import NAMES
from autodidact.environments.regression.world import Instance, Regression

WORLDS = {"regression": Regression}

__all__ = ["NAMES", "OPERATORS", "WORLDS", "Instance", "Operator", "Regression"]
