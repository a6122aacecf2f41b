"""A judge made of one number a response, as Bradley and Terry have it."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ScalarJudge:
    """P(a beats b | x) = sigmoid(scale (utility(x, a) - utility(x, b))): transitive by construction.

    utility: (prompt, response) -> float, in any unit; scale: nats a unit of it.
    """

    utility: Callable[[object, str], float]
    scale: float = 1.0

    def probability(self, prompt: object, a: str, b: str) -> float:
        """P(a beats b | prompt)."""
        gap = self.scale * (self.utility(prompt, a) - self.utility(prompt, b))
        return 1 / (1 + math.exp(-gap)) if gap > -700 else 0.0
