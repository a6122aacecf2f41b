"""Which code to trust by which test: rules that read nothing but the matrix of who passes what.

`passed[j, k]` says whether code j passes test k, a boolean array (J codes, K tests) of one task; the tests are the
model's own and may be wrong. Ties fall to the lowest index, or at random to a generator if one is given. None means
that the matrix allows no choice, and the task is dropped.
"""

from typing import NamedTuple

import numpy as np

from autodidact.checks import finite


class CodePair(NamedTuple):
    """Indices of a chosen and a rejected code."""

    chosen: int
    rejected: int


class CodeTestPair(NamedTuple):
    """Indices of a chosen code with its test, and of a rejected code with its test."""

    chosen: int
    chosen_test: int
    rejected: int
    rejected_test: int


def minimax(passed: np.ndarray, rng: np.random.Generator | None = None) -> CodeTestPair | None:
    """DSTC's selection (arXiv 2411.13611): the best code on its hardest test, the worst code on the easiest test.

    1. chosen code: argmax_j sum_k r[j, k], which is counting;
    2. chosen test: argmin_k sum_j r[j, k] of those with r[chosen, k] = 1;
    3. rejected test: argmax_k sum_j r[j, k] of those with sum_j r[j, k] < J;
    4. rejected code: argmin_j sum_k r[j, k] of those with r[j, rejected test] = 0.

    The paper puts rule 4 in words only. None where no code passes any test, where every test is passed by all, and
    where the same code would be chosen and rejected (the last is our addition: there is nothing to learn from it).
    """
    passed = _checked(passed)
    by_code, by_test = passed.sum(1), passed.sum(0)
    if not passed.any() or passed.all():
        return None
    chosen = _lowest(-by_code, None, rng)
    chosen_test = _lowest(by_test, passed[chosen], rng)
    rejected_test = _lowest(-by_test, by_test < len(passed), rng)
    rejected = _lowest(by_code, ~passed[:, rejected_test], rng)
    return None if chosen == rejected else CodeTestPair(chosen, chosen_test, rejected, rejected_test)


def counts(passed: np.ndarray) -> np.ndarray:
    """How many tests each code passes, (J,)."""
    return _checked(passed).sum(1).astype(float)


def agreement(passed: np.ndarray) -> np.ndarray:
    """CodeT's dual agreement (arXiv 2207.10397), (J,): codes that pass the same set of tests x tests in that set."""
    passed = _checked(passed)
    same = (passed[:, None, :] == passed[None, :, :]).all(2).sum(1)
    return (same * passed.sum(1)).astype(float)


def self_validation(passed: np.ndarray, d: float = 0.85, rounds: int = 10) -> np.ndarray:
    """CodeDPO's score (arXiv 2410.05605), (J,), every round divided by its largest value, which alters no order.

    All scores begin at 1; S(code) <- (1 - d) S(code) + d sum of S(test) over the tests it passes, and the same for the
    tests, both from the old values. One round orders as counting does; many tend to the leading singular vector.
    """
    passed = _checked(passed)
    if not 0 <= d <= 1 or rounds < 1:
        raise ValueError(f"d={d} must lie in [0, 1] and rounds={rounds} be at least 1")
    codes, tests = np.ones(passed.shape[0]), np.ones(passed.shape[1])
    for _ in range(rounds):
        codes, tests = (1 - d) * codes + d * passed @ tests, (1 - d) * tests + d * passed.T @ codes
        top = max(codes.max(), tests.max())
        codes, tests = codes / top, tests / top
    return codes


def top_and_bottom(scores: np.ndarray, rng: np.random.Generator | None = None) -> CodePair | None:
    """The code with the highest and the one with the lowest score, (J,); None if all are equal."""
    scores = finite("scores", scores)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"scores must be finite numbers of shape (codes,), not of shape {scores.shape}")
    if scores.max() == scores.min():
        return None
    return CodePair(_lowest(-scores, None, rng), _lowest(scores, None, rng))


def naive(passed: np.ndarray, rng: np.random.Generator) -> CodeTestPair | None:
    """A random test that some codes pass and some fail, and of these a random passing and a random failing code."""
    passed = _checked(passed)
    telling = np.flatnonzero(passed.any(0) & ~passed.all(0))
    if not telling.size:
        return None
    test = int(rng.choice(telling))
    chosen, rejected = (int(rng.choice(np.flatnonzero(side))) for side in (passed[:, test], ~passed[:, test]))
    return CodeTestPair(chosen, test, rejected, test)


def oracle(right: np.ndarray, rng: np.random.Generator) -> CodePair | None:
    """A random right code over a random wrong one, by the truth `right`, boolean (J,)."""
    right = np.asarray(right)
    if right.ndim != 1 or right.dtype != bool:
        raise ValueError(f"right must be booleans of shape (codes,), not {right.dtype} of shape {right.shape}")
    if not right.any() or right.all():
        return None
    return CodePair(*(int(rng.choice(np.flatnonzero(side))) for side in (right, ~right)))


def _checked(passed: np.ndarray) -> np.ndarray:
    passed = np.asarray(passed)
    if passed.ndim != 2 or passed.dtype != bool or not passed.size:
        what = f"{passed.dtype} of shape {passed.shape}"
        raise ValueError(f"passed must be booleans of shape (codes, tests), not {what}")
    return passed


def _lowest(values: np.ndarray, allowed: np.ndarray | None, rng: np.random.Generator | None) -> int:
    """The index of the lowest allowed value, ties by lowest index or at random."""
    allowed = np.ones(len(values), bool) if allowed is None else allowed
    ties = np.flatnonzero(allowed & (values == values[allowed].min()))
    return int(ties[0] if rng is None else rng.choice(ties))
