"""Pairwise judges whose slope, vanity, slot bias and noise are numbers that we set, and quality without text."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from autodidact.environments.judging.answers import manner_of, quality
from autodidact.environments.judging.requests import Prompt

LINKS = ("logistic", "threshold")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Judge:
    """Says which of two answers is better: logit = slope dQ + vanity (own_1 - own_2) + slot + noise N(0, 1).

    own: by manner (`own_manner`), so that restyling removes the cue. slot: fondness for the first place, in logits.
    link: "threshold", the sign of the logit decides and 0 is a coin, or "logistic", sigmoid of it is the probability of
    a vote for the first (Bradley and Terry). Raises ValueError for another link and for negative noise.
    """

    slope: float = 1.0
    vanity: float = 0.0
    own_manner: str | None = None
    slot: float = 0.0
    noise: float = 0.0
    link: str = "threshold"

    def __post_init__(self) -> None:
        if self.link not in LINKS:
            raise ValueError(f"link={self.link!r} is unknown; it must be one of {', '.join(LINKS)}")
        if not self.noise >= 0:
            raise ValueError(f"noise={self.noise} must be 0 or greater")

    def logit(self, dq: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Logit of "first is better" without slot and noise; dq = Q_1 - Q_2, own = own_1 - own_2 in {-1, 0, 1}."""
        return self.slope * np.asarray(dq, float) + self.vanity * np.asarray(own, float)

    def chance(self, dq: np.ndarray, own: np.ndarray) -> np.ndarray:
        """P("first is better") in closed form; over the noise by the normal law or by quadrature."""
        z = self.logit(dq, own) + self.slot
        if self.link == "logistic":
            return (expit(z[..., None] + self.noise * _NODES) * _WEIGHTS).sum(axis=-1)
        return ndtr(z / self.noise) if self.noise > 0 else (np.sign(z) + 1) / 2

    def votes(self, dq: np.ndarray, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """1 for the first, 0 for the second, drawn with fresh noise for every entry."""
        return (rng.random(np.shape(dq)) < self.chance(dq, own)).astype(float)

    def both_orders(self, dq: np.ndarray, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """P(first response is better) in either order, (pairs, 2): one draw of noise a pair, the slot on either side.

        Noise belongs to the pair (what the judge makes of the two texts), so that only the slot differs between orders;
        a threshold judge gives sigmoid of its logit, whose sign decides.
        """
        z = self.logit(dq, own) + self.noise * rng.standard_normal(np.shape(dq))
        return np.stack([expit(z + self.slot), expit(z - self.slot)], axis=-1)

    def probability(self, prompt: Prompt, a: str, b: str) -> float:
        """P(a beats b), a shown first."""
        return float(self.chance(np.array(quality(prompt, a) - quality(prompt, b)), self._own(a) - self._own(b)))

    def verdict(self, prompt: Prompt, a: str, b: str, rng: np.random.Generator) -> str:
        """ "A" or "B"."""
        return "A" if rng.random() < self.probability(prompt, a, b) else "B"

    def _own(self, answer: str) -> int:
        return int(self.own_manner is not None and manner_of(answer) == self.own_manner)


def panel(n: int, gap: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Quality differences gap + N(0, spread) of n pairs, (n,). Raises ValueError for n < 1 and a negative spread."""
    if n < 1 or not spread >= 0:
        raise ValueError(f"n={n} must be 1 or more, and spread={spread} 0 or greater")
    return gap + spread * rng.standard_normal(n)


def gold_votes(dq: np.ndarray, judges: int, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Votes (pairs, 2 judges) of unbiased gold judges: sign of dq + N(0, noise), fresh in each of two orders."""
    if judges < 1:
        raise ValueError(f"judges={judges} must be 1 or more")
    dq = np.asarray(dq, float)[:, None]
    return (dq + noise * rng.standard_normal((len(dq), 2 * judges)) > 0).astype(float)


def quality_law(gap: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """The law of `panel` as nodes and weights that add up to 1: what is summed over it has no sampling error."""
    at = np.linspace(-9, 9, 4001)
    weights = np.exp(-(at**2) / 2)
    return gap + spread * at, weights / weights.sum()


def accuracy(noise: float, gap: float, spread: float, vanity: float = 0.0) -> float:
    """P(sign(q + vanity + N(0, noise)) = sign(q)) for q = gap + N(0, spread): a judge's share of right verdicts."""
    q, weights = quality_law(gap, spread)
    margin = np.sign(q) * (q + vanity)
    right = ndtr(margin / noise) if noise > 0 else (np.sign(margin) + 1) / 2
    return float(right @ weights)


def noise_for_accuracy(p: float, gap: float, spread: float) -> float:
    """The noise at which an unbiased judge has accuracy p, by bisection.

    Raises ValueError for p outside (0.5, 1): no noise brings a judge to 0.5 or below, none is needed for 1.
    """
    if not 0.5 < p < 1:
        raise ValueError(f"p={p} is not reachable; it must lie between 0.5 and 1, both excluded")
    low, high = -12.0, 12.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if accuracy(np.exp(middle), gap, spread) > p else (low, middle)
    return float(np.exp((low + high) / 2))
