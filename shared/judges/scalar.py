"""A judge made of one number a response, as Bradley and Terry have it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from autodidact.checks import finite


@dataclass(frozen=True)
class ScalarJudge:
    """P(a beats b | x) = sigmoid(scale (utility(x, a) - utility(x, b))): transitive by construction.

    utility: (prompt, response) -> float, in any unit; scale: nats a unit of it.
    """

    utility: Callable[[object, str], float]
    scale: float = 1.0

    def probability(self, prompt: object, a: str, b: str) -> float:
        """P(a beats b | prompt). Raises ValueError for a utility that is no finite number."""
        one, two = (float(finite(f"utility of {y[:40]!r}", self.utility(prompt, y))) for y in (a, b))
        gap = self.scale * (one - two)
        return 1 / (1 + math.exp(-gap)) if gap > -700 else 0.0
