"""From counted votes to preferences: shares of single pairs, and strengths fitted to all pairs at once."""

import numpy as np

from autodidact.checks import finite

ITERATIONS = 100_000


def vote_share(wins: np.ndarray, votes: np.ndarray, *, smoothing: float = 0.5) -> np.ndarray:
    """The share of votes that was won, (wins + smoothing) / (votes + 2 smoothing), in the shape of both.

    smoothing: votes added to either side; 0 is the plain share, 1/2 keeps the logit of a unanimous vote finite, at
    log(2 votes + 1) nats. Raises ValueError for wins that are not within 0 and votes, for no votes without smoothing,
    and for a negative smoothing.
    """
    wins, votes = np.broadcast_arrays(finite("wins", wins).astype(float), finite("votes", votes).astype(float))
    if not smoothing >= 0:
        raise ValueError(f"smoothing={smoothing!r} must not be negative")
    bad = (wins < 0) | (wins > votes)
    if bad.any():
        raise ValueError(f"wins={wins[bad][0]:g} of votes={votes[bad][0]:g} must lie between 0 and the votes")
    if (votes + 2 * smoothing == 0).any():
        raise ValueError("votes=0 without smoothing is a share of nothing; give votes or a smoothing above 0")
    return (wins + smoothing) / (votes + 2 * smoothing)


def zermelo(wins: np.ndarray, *, smoothing: float = 0.0, tolerance: float = 1e-12) -> np.ndarray:
    """Zermelo's strengths: the Bradley-Terry maximum likelihood of a table of wins, by his own iteration.

        s_i = sum_j w_ij / sum_j (w_ij + w_ji) / (s_i + s_j),    P(i beats j) = s_i / (s_i + s_j)

    wins: (..., K, K), wins[..., i, j] is how often i beat j, the diagonal 0; leading axes are separate tournaments.
    smoothing: wins added to every ordered pair, a pull of all strengths to one another. tolerance: of log s. Returns
    (..., K), of geometric mean 1, so that log s_i - log s_j is the logit of P(i beats j).

    A transitive fit: where i beats j beats k beats i it levels what it cannot say. `bradley_terry` gives the same
    fit for probabilities. Raises ValueError for a table that is not square, has a negative or a diagonal entry, and
    for one without finite strengths: some group never lost to the rest (Ford 1957), which any smoothing mends.

    Source: Zermelo 1929; Ford 1957, "Solution of a ranking problem from binary comparisons"; convergence: Hunter 2004.
    """
    wins = _table(wins, smoothing)
    total, games = wins.sum(-1), wins + wins.swapaxes(-1, -2)
    logs = np.zeros(total.shape)
    for _ in range(ITERATIONS):
        s = np.exp(logs)
        new = np.log(total) - np.log((games / (s[..., :, None] + s[..., None, :])).sum(-1))
        new -= new.mean(-1, keepdims=True)
        moved, logs = np.abs(new - logs).max(initial=0.0), new
        if moved <= tolerance:
            return np.exp(logs)
    raise ValueError(f"wins: no fixed point within {tolerance:g} in {ITERATIONS} iterations; add some smoothing")


def _table(wins: np.ndarray, smoothing: float) -> np.ndarray:
    """The checked wins with their smoothing."""
    wins = finite("wins", wins).astype(float)
    if wins.ndim < 2 or wins.shape[-1] != wins.shape[-2] or wins.shape[-1] < 2:
        raise ValueError(f"wins must be (..., K, K) with K of 2 or more, shape {wins.shape} was given")
    if not smoothing >= 0:
        raise ValueError(f"smoothing={smoothing!r} must not be negative")
    if wins.min(initial=0.0) < 0:
        raise ValueError(f"wins holds {wins.min():g}; counts must not be negative")
    if np.diagonal(wins, axis1=-2, axis2=-1).any():
        raise ValueError("wins must have 0 on the diagonal: nobody plays against himself")
    k = wins.shape[-1]
    wins = wins + smoothing * (1 - np.eye(k))
    reached = (wins > 0) | np.eye(k, dtype=bool)
    for _ in range(k.bit_length()):  # who beat whom, or beat one who did, and so on
        reached = reached.astype(float) @ reached > 0
    if not reached.all():
        *place, i, j = np.argwhere(~reached)[0].tolist()
        where = f"wins{place}" if place else "wins"
        raise ValueError(f"{where}: {i} never beat {j}, nor any that did, so no finite strengths; add smoothing")
    return wins
