r"""Retraining without curation in a parametric family that does not contain the data, exactly.

The family: logistic densities p_theta(x) = sech^2((x - theta)/2) / 4 on the line. Each round maximises
E_data log p + lambda E_{p_t} log p over theta. At the fixed point theta* write A = -E_data[h], B = -E_{p*}[h], with h
the second derivative of log p in theta: an error is multiplied by lambda B / (A + lambda B). As h is L-Lipschitz in x,
|B/A - 1| <= L eps / alpha, eps the 2-Wasserstein distance of p* to the data and alpha = A; hence the rate is at most
lambda/(1 + lambda) (1 + L eps / alpha), and stable if that is below 1. Source: Theorem 2.2 of Ferbach et al. 2024,
after Bertrand et al. 2023, arXiv 2310.00429; the steps from the constants to the rate are worked out here.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

LIPSCHITZ = 1 / (3 * np.sqrt(3))  # the largest slope of sech^2(z/2) / 2 in z


@dataclass(frozen=True)
class LogisticLocation:
    """The loop on data that are a mixture of two Gaussians: weights, means and standard deviations, two of each."""

    weights: tuple[float, float] = (0.7, 0.3)
    means: tuple[float, float] = (-1.0, 1.5)
    sds: tuple[float, float] = (1.2, 1.2)

    @cached_property
    def x(self) -> np.ndarray:
        """The line, as a fine grid."""
        return np.linspace(-60, 60, 24_001)

    @cached_property
    def data(self) -> np.ndarray:
        """The law of the data on the grid."""
        parts = zip(self.weights, self.means, self.sds, strict=True)
        density = sum(w / s * np.exp(-(((self.x - m) / s) ** 2) / 2) for w, m, s in parts)
        return density / density.sum()

    @cached_property
    def optimum(self) -> float:
        """theta*, the maximum-likelihood parameter, which is also the loop's fixed point."""
        return self._solve(self.data)

    def model(self, theta: float) -> np.ndarray:
        """The law of p_theta on the grid."""
        density = 1 / np.cosh(np.clip((self.x - theta) / 2, -300, 300)) ** 2
        return density / density.sum()

    def path(self, theta: float, lam: float, rounds: int) -> np.ndarray:
        """theta_0, ..., theta_rounds, (rounds + 1,), from theta_0 = `theta` with `lam` own samples for a real one."""
        thetas = [theta]
        for _ in range(rounds):
            thetas.append(self._solve((self.data + lam * self.model(thetas[-1])) / (1 + lam)))
        return np.array(thetas)

    def constants(self) -> tuple[float, float]:
        """alpha and eps: the strength of concavity at theta*, and the 2-Wasserstein distance of p* to the data."""
        model = self.model(self.optimum)
        levels = (np.arange(200_000) + 0.5) / 200_000
        quantiles = [np.interp(levels, np.cumsum(law), self.x) for law in (self.data, model)]
        return float(self.data @ self._curvature(self.optimum)), float(np.sqrt(np.mean(np.subtract(*quantiles) ** 2)))

    def rate_bound(self, lam: float) -> float:
        """lambda/(1 + lambda) (1 + L eps / alpha): Theorem 2.2 promises stability where it is below 1."""
        alpha, eps = self.constants()
        return lam / (1 + lam) * (1 + LIPSCHITZ * eps / alpha)

    def _curvature(self, theta: float) -> np.ndarray:
        return 0.5 / np.cosh(np.clip((self.x - theta) / 2, -300, 300)) ** 2

    def _solve(self, law: np.ndarray) -> float:
        """The theta at which the expected score under a law vanishes, by Newton's method."""
        theta = float(law @ self.x)
        for _ in range(50):
            step = law @ np.tanh((self.x - theta) / 2) / (law @ self._curvature(theta))
            theta += float(step)
            if abs(step) < 1e-14:
                break
        return theta
