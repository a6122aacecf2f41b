"""Exp3 in batches: exponential weights over answers of which only the sampled ones are rated."""

import numpy as np

from autodidact.environments.control import Answers


class Exp3:
    """A distribution over `answers` in each of `worlds` independent worlds, all moved at once.

    `update` adds eta r_hat to the log-weights, where r_hat(k) = mean over the batch of 1[k chosen] r / p(k) is unbiased
    (Auer et al. 2002). A share `explore` of all samples is uniform, so that no p(k) falls below explore / answers.
    `average` is the mean of all policies that sampled so far, (worlds, answers).
    """

    def __init__(self, worlds: int, answers: int, *, eta: float, explore: float, rng: np.random.Generator) -> None:
        if not eta > 0 or not 0 <= explore < 1:
            raise ValueError(f"eta={eta} must be positive and explore={explore} in [0, 1)")
        self.eta, self.explore, self.rng = eta, explore, rng
        self._logits = np.zeros((worlds, answers))
        self._total, self._count = np.zeros((worlds, answers)), 0

    @property
    def policy(self) -> np.ndarray:
        """(worlds, answers): the weights, without the uniform share."""
        weights = np.exp(self._logits - self._logits.max(1, keepdims=True))
        return weights / weights.sum(1, keepdims=True)

    @property
    def average(self) -> np.ndarray:
        """(worlds, answers): the mean of the policies of all rollouts; ValueError before the first one."""
        if not self._count:
            raise ValueError("average is asked for before the first rollout")
        return self._total / self._count

    def rollout(self, n: int) -> Answers:
        """n answers in every world."""
        policy = self.policy
        self._total, self._count = self._total + policy, self._count + 1
        edges = self._sampled(policy).cumsum(1)[:, :-1]
        draws = self.rng.random((n, len(policy), 1))
        return Answers((draws > edges).sum(-1))

    def update(self, batch: Answers, rewards: np.ndarray) -> None:
        """rewards: (n, 1, worlds), one for each answer of the latest rollout, which is a trajectory of one step."""
        chosen = batch.choices[..., None] == np.arange(self._logits.shape[1])
        payoff = (chosen * rewards[:, 0, :, None]).mean(0) / self._sampled(self.policy)
        self._logits += self.eta * payoff

    def _sampled(self, policy: np.ndarray) -> np.ndarray:
        return (1 - self.explore) * policy + self.explore / policy.shape[1]
