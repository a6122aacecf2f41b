"""From scores of sampled responses to preference pairs, each with the weight of its label."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodidact.samplers.selection import best_and_worst

if TYPE_CHECKING:
    from autodidact.training.preferences import Pair


def extreme_pairs(
    prompts: Sequence[str],
    responses: Sequence[Sequence[str]],
    scores: np.ndarray,
    columns: Mapping[str, np.ndarray] | None = None,
) -> "tuple[list[Pair], np.ndarray]":
    """The best response against the worst one of every prompt, by somebody's scores.

    prompts: texts. responses: N for each. scores: (prompts, N). columns: name to (prompts,), handed to each pair for
    the loss. A prompt is left out where best and worst coincide: the same index (all scores equal) or the same text.
    Returns the pairs, and for each the row (prompt, best, worst) of indices that it came from, (pairs, 3).
    Raises ValueError where the numbers of prompts, responses, scores or column values differ, and for scores that are
    no finite numbers.
    """
    from autodidact.training.preferences import Pair

    columns = columns or {}
    lengths = {"responses": len(responses), "scores": len(scores), **{k: len(v) for k, v in columns.items()}}
    for name, length in lengths.items():
        if length != len(prompts):
            raise ValueError(f"{name} must be one a prompt: {length} for {len(prompts)} prompts were given")
    pairs, rows = [], []
    for i, (x, texts) in enumerate(zip(prompts, responses, strict=True)):
        if len(scores[i]) != len(texts):
            raise ValueError(f"scores[{i}] must be one a response: {len(scores[i])} for {len(texts)} were given")
        best, worst = best_and_worst(scores[i], f"scores[{i}]")
        if texts[best] != texts[worst]:
            pairs.append(Pair(x, texts[best], texts[worst], {name: float(c[i]) for name, c in columns.items()}))
            rows.append((i, best, worst))
    return pairs, np.array(rows, dtype=int).reshape(-1, 3)
