"""From several responses to one prompt to win rates, the best of them, or a pair."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from autodidact.checks import finite


class Judge(Protocol):
    """Whatever says how probably one response beats another: a world's rater or a trained model."""

    def probability(self, prompt: object, a: str, b: str) -> float:
        """P(a beats b | prompt) in [0, 1]."""


def win_rate_matrix(judge: Judge, prompt: object, responses: Sequence[str]) -> np.ndarray:
    """P[i, j] = P(response i beats response j), of shape (K, K); the diagonal is 1/2 by definition.

    Both orders are asked, so that a judge with a slot bias shows it. Identical texts are asked once. Raises ValueError
    for an answer of the judge that is no probability.
    """
    asked: dict[tuple[str, str], float] = {}

    def ask(a: str, b: str) -> float:
        if (a, b) not in asked:
            asked[a, b] = _probability(judge.probability(prompt, a, b), a, b)
        return asked[a, b]

    return np.array([[0.5 if i == j else ask(a, b) for j, b in enumerate(responses)] for i, a in enumerate(responses)])


def _probability(value: float, a: str, b: str) -> float:
    if not 0 <= float(finite("probability", value)) <= 1:
        raise ValueError(f"the judge gave {a[:40]!r} against {b[:40]!r} the probability {value}; it must lie in [0, 1]")
    return value


def best_and_worst(scores: Sequence[float], name: str = "scores") -> tuple[int, int]:
    """Indices of the highest and the lowest score, the first of equals; both are the same where all are equal.

    Raises ValueError, which calls them `name`, for no scores and for one that is no finite number.
    """
    scores = finite(name, scores)
    if scores.ndim != 1 or len(scores) == 0:
        raise ValueError(f"{name} must be a list of at least one number, shape {scores.shape} was given")
    return int(scores.argmax()), int(scores.argmin())


def best_of_n(
    scorer: Callable[[object, str], float], prompts: Sequence[object], responses: Sequence[Sequence[str]]
) -> list[str]:
    """For every prompt the response with the highest score, the first of equals.

    scorer: (prompt, response) -> float. Raises ValueError if prompts and lists of responses differ in number, for a
    prompt without responses, and for a score that is no finite number.
    """
    if len(prompts) != len(responses):
        raise ValueError(f"prompts and responses must be as many: {len(prompts)} and {len(responses)} were given")
    best = []
    for i, (x, answers) in enumerate(zip(prompts, responses, strict=True)):
        at, _ = best_and_worst([scorer(x, y) for y in answers], f"scores of prompts[{i}]")
        best.append(answers[at])
    return best
