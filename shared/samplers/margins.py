"""From grades of several answers to all pairs whose grades are far enough apart."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodidact.checks import finite

if TYPE_CHECKING:
    from autodidact.training import Pair


def margin_pairs(
    prompts: Sequence[str],
    responses: Sequence[Sequence[str]],
    scores: np.ndarray,
    *,
    margin: float | Sequence[float],
    least: float = -np.inf,
    columns: Mapping[str, np.ndarray] | None = None,
) -> "tuple[list[Pair], np.ndarray]":
    """Every pair of answers to one prompt in which the better one is ahead by the margin (DNO, algorithm 2, step 4).

    prompts: texts. responses: N for each. scores: (prompts, N). margin: in the scores' unit, or N of them, each for the
    pairs in which the answer at that place is the better one; at 0 answers that tie make a pair in either order. least:
    a better answer has at least this score. columns: name to (prompts, N), handed to each pair for the loss as
    <name>_chosen and <name>_rejected. Equal texts make no pair.

    Returns the pairs, and for each the row (prompt, better, worse) of indices that it came from, (pairs, 3).
    Raises ValueError where numbers of prompts, responses or scores differ, for a score or margin that is no finite
    number, a negative margin, and where no pair is left.
    """
    from autodidact.training import Pair

    scores, columns = finite("scores", scores), columns or {}
    if (
        scores.ndim != 2
        or len(prompts) != len(scores)
        or [len(row) for row in responses] != [scores.shape[1]] * len(scores)
    ):
        given = f"{len(prompts)} prompts, {len(responses)} rows of responses and scores of shape {scores.shape}"
        raise ValueError(f"scores must be (prompts, N) with N responses a prompt; {given} were given")
    margins = finite("margin", margin)
    if margins.ndim > 1 or (margins.ndim and len(margins) != scores.shape[1]) or (margins < 0).any():
        raise ValueError(
            f"margin={margin!r} must be a number from 0 on, or one for each of {scores.shape[1]} responses"
        )
    for name, values in columns.items():
        if np.shape(values) != scores.shape:
            raise ValueError(f"columns[{name!r}] has shape {np.shape(values)}, must be {scores.shape} as scores are")
    texts = np.array(responses, dtype=object).reshape(scores.shape)
    differ = texts[:, :, None] != texts[:, None, :]
    ahead = scores[:, :, None] - scores[:, None, :]
    kept = differ & (ahead >= np.broadcast_to(margins, scores.shape[1:])[:, None]) & (scores >= least)[:, :, None]
    rows = np.argwhere(kept)
    if not len(rows):
        floor = f" with a better score of at least {least:g}" if np.isfinite(least) else ""
        asked = " or ".join(f"{one:g}" for one in np.unique(margins))
        raise ValueError(f"0 of {int(differ.sum()) // 2} pairs left at margin {asked}{floor}: take a smaller margin")
    pairs = []
    for i, better, worse in rows.tolist():
        values = {f"{name}_chosen": float(v[i][better]) for name, v in columns.items()}
        values |= {f"{name}_rejected": float(v[i][worse]) for name, v in columns.items()}
        pairs.append(Pair(prompts[i], responses[i][better], responses[i][worse], values))
    return pairs, rows
