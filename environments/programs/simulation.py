"""Pass matrices without text: what selection rules see when codes and tests have shared misunderstandings."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Matrix:
    """Who passes what, (J, K), and the truth: which codes and which tests are right, (J,) and (K,)."""

    passed: np.ndarray
    right_codes: np.ndarray
    right_tests: np.ndarray


def simulate_matrix(
    n: int,
    J: int,  # noqa: N803 (the paper's letters)
    K: int,  # noqa: N803
    pass1: float,
    right_tests: float,
    copies: float,
    rng: np.random.Generator,
    *,
    variants: int = 4,
    common: float = 0.4,
    hidden: float = 0.3,
) -> list[Matrix]:
    """`n` tasks of J codes and K tests.

    pass1: probability that a code is right; else it follows one of `variants` wrong readings, the first of them (the
    common misunderstanding) with probability `common`. right_tests: probability that a test is right; a wrong one
    expects what a wrong reading gives, drawn as for codes, with probability `copies`, else what no code gives. hidden:
    probability that a wrong reading gives the right value on a test's input. Raises ValueError for shares outside [0,
    1] and for counts below 1.
    """
    for name, value in {"pass1": pass1, "right_tests": right_tests, "copies": copies}.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value} must lie in [0, 1]")
    for name, value in {"n": n, "J": J, "K": K, "variants": variants}.items():
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1")
    weights = np.full(variants, (1 - common) / max(variants - 1, 1))
    weights[0] = common if variants > 1 else 1.0

    def wrong(size: int) -> np.ndarray:
        return 1 + rng.choice(variants, size, p=weights)

    tasks = []
    for _ in range(n):
        codes = np.where(rng.random(J) < pass1, 0, wrong(J))
        tests = np.where(rng.random(K) < right_tests, 0, np.where(rng.random(K) < copies, wrong(K), -1))
        # The value of each reading on each test's input: 0 is the truth's, other numbers are as many wrong ones.
        values = np.arange(variants + 1) * (rng.random((K, variants + 1)) >= hidden)
        copied = np.flatnonzero(tests > 0)
        values[copied, tests[copied]] = tests[copied]  # a wrong test is one whose expected value is wrong
        expected = np.where(tests < 0, -1, values[np.arange(K), np.maximum(tests, 0)])
        tasks.append(Matrix(expected == values[:, codes].T, codes == 0, expected == 0))
    return tasks
