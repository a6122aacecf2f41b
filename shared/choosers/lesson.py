"""What a chooser is taught, and how the teaching goes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from autodidact.environments.choices import Decisions


@dataclass(frozen=True)
class Lesson:
    """Choices, reports or both: pairs of options with the choice to make, (n,) of 0 and 1 for A, and pairs of options
    with the weights to report, (m, 5) from -100 to 100. Raises ValueError where numbers do not fit, or all is empty.
    """

    choices: "Decisions"
    chose_a: np.ndarray
    reports: "Decisions"
    weights: np.ndarray

    def __post_init__(self) -> None:
        for name, decisions, answers in (
            ("chose_a", self.choices, self.chose_a),
            ("weights", self.reports, self.weights),
        ):
            if len(decisions) != len(answers):
                raise ValueError(f"{name} has {len(answers)} rows, must have {len(decisions)}, one a pair of options")
        if not len(self.choices) and not len(self.reports):
            raise ValueError("a lesson without choices and reports teaches nothing")


@dataclass(frozen=True)
class Teaching:
    """Optimiser steps, examples a step, peak learning rate, schedule ("cosine" or "constant"), share of warm-up."""

    steps: int
    batch_size: int
    learning_rate: float
    schedule: str = "constant"
    warmup: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f"schedule={self.schedule!r} must be 'cosine' or 'constant'")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup={self.warmup} is a share of the steps and must lie in [0, 1]")


class Chooser(Protocol):
    """Who makes choices and reports weights, whatever is inside."""

    def choose(self, decisions: "Decisions") -> np.ndarray:
        """(n,): 1 for A, 0 for B, NaN for an answer that is neither."""

    def report(self, decisions: "Decisions") -> np.ndarray:
        """(n, 5): the reported weights, on the scale -100 to 100; NaN for a malformed report."""
