"""A policy's answers to prompts, and what can be read off them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.checks import finite

if TYPE_CHECKING:
    from autodidact.models.policy import Policy
    from autodidact.models.sampling import Sample


@dataclass(frozen=True)
class Answers:
    """n answers to each of several prompts of a world; every array is (prompts, n).

    prompts: as the world made them. inputs: what the policy was asked, a text a prompt, or what a policy that sees
    takes. rows: n samples a prompt. world: scores them.
    """

    prompts: Sequence[Any]
    inputs: Sequence[Any]
    rows: Sequence[Sequence["Sample"]]
    world: Any

    @cached_property
    def texts(self) -> list[list[str]]:
        """The answers as texts, n a prompt."""
        return [[y.text for y in row] for row in self.rows]

    @cached_property
    def gold(self) -> np.ndarray:
        """The world's score of every answer, in [0, 1]. Raises ValueError for one that is no finite number."""
        return finite("gold", self.each(self.world.score))

    @cached_property
    def words(self) -> np.ndarray:
        """Words of every answer."""
        return self.each(lambda x, y: len(y.split()))

    @cached_property
    def own_logprobs(self) -> np.ndarray:
        """log pi(answer | prompt) under the policy that gave it, nats a sequence."""
        return np.array([[y.logprob for y in row] for row in self.rows])

    def each(self, value: Callable[[Any, str], float]) -> np.ndarray:
        """value(prompt, text) of every answer."""
        return np.array([[value(x, y) for y in row] for x, row in zip(self.prompts, self.texts, strict=True)])

    def means(self, **more: Callable[[Any, str], float]) -> dict[str, float]:
        """Means of gold, words, malformed (share) and entropy (nats a sequence), and of value(prompt, text) in `more`.

        Entropy is estimated by minus the log-probability of the policy's own samples, at temperature 1.
        """
        values = {"gold": self.gold, "words": self.words, "entropy": -self.own_logprobs}
        if hasattr(self.world, "well_formed"):
            values["malformed"] = 1.0 - self.each(lambda x, y: self.world.well_formed(y))
        return {name: float(v.mean()) for name, v in (values | {n: self.each(f) for n, f in more.items()}).items()}

    def win_rate(self, other: "Answers") -> float:
        """P(gold here > gold there) + P(equal) / 2, over all pairs of answers to one prompt.

        Raises ValueError where the two are not answers to the same prompts.
        """
        return float(self._wins(other).mean())

    def length_controlled(self, other: "Answers") -> float:
        """The `win_rate` at equal length: wins regressed on tanh(difference in words / its spread), read off at 0.

        The correction of AlpacaEval 2 (Dubois et al. 2024, arXiv 2404.04475) for one pair of policies, with a straight
        line in place of the logistic one. May leave [0, 1] by a little; the plain rate where all differences are
        the same. Raises ValueError as `win_rate` does.
        """
        wins = self._wins(other)
        longer = (self.words[:, :, None] - other.words[:, None, :]).astype(float)
        if not longer.std():  # nothing to regress on
            return float(wins.mean())
        x = np.tanh(longer / longer.std())
        slope = np.mean((x - x.mean()) * (wins - wins.mean())) / x.var()
        return float(wins.mean() - slope * x.mean())

    def _wins(self, other: "Answers") -> np.ndarray:
        """1, 1/2 or 0 for every pair of answers to one prompt, (prompts, n, n of the other)."""
        if list(self.inputs) != list(other.inputs):
            raise ValueError(f"other must answer the same {len(self.inputs)} prompts, it answers {len(other.inputs)}")
        return (np.sign(self.gold[:, :, None] - other.gold[:, None, :]) + 1) / 2

    def logprobs(self, policy: "Policy") -> np.ndarray:
        """log pi(answer | prompt) under any policy, nats a sequence."""
        inputs = [x for x, row in zip(self.inputs, self.rows, strict=True) for _ in row]
        return policy.sequence_logprobs(inputs, [y for row in self.texts for y in row]).reshape(len(self.rows), -1)

    def kl(self, policy: "Policy", sampler: "Policy") -> float:
        """KL(sampler || policy), nats a response: mean of ratio - 1 - log ratio, which is never negative.

        sampler: the policy that gave the answers; both score them anew, token for token in the same way.
        """
        gap = self.logprobs(policy) - self.logprobs(sampler)
        return float(np.mean(np.expm1(gap) - gap))
