"""Antisymmetric games: P[i, j] in [-1, 1] says by how much i is preferred to j, and P + P' = 0.

A win probability W is the same game as P = 2 W - 1. The value of such a game is 0, so that one player is enough.
"""

import numpy as np
from scipy.optimize import linprog


def check_antisymmetric(games: np.ndarray, name: str = "game") -> np.ndarray:
    """The games (..., n, n) as floats.

    Raises ValueError that names the game and the first pair of entries that is wrong: not finite, outside [-1, 1], or
    not each other's negative.
    """
    games = np.asarray(games, dtype=float)
    if games.ndim < 2 or games.shape[-1] != games.shape[-2] or not games.size:
        raise ValueError(f"{name} has shape {games.shape}, must be a square matrix or a stack of them")
    bad = ~np.isfinite(games) | (np.abs(games) > 1 + 1e-9)
    bad |= ~(np.abs(games + np.swapaxes(games, -1, -2)) <= 1e-9)
    if bad.any():
        *which, i, j = (int(k) for k in np.argwhere(bad)[0])
        where = name + "".join(f"[{k}]" for k in which)
        one, other = games[(*which, i, j)], games[(*which, j, i)]
        raise ValueError(
            f"{where} is not antisymmetric: P[{i}, {j}] = {one:g} and P[{j}, {i}] = {other:g} "
            "must lie in [-1, 1] and sum to 0"
        )
    return games


def minimax_winner(game: np.ndarray) -> np.ndarray:
    """The distribution (n,) that no answer is preferred to: argmax_p min_j (p' P)_j, by linear programme.

    game: (n, n), antisymmetric. Where several are optimal (never in a generic game) it is one of them.
    """
    game = check_antisymmetric(game)
    if game.ndim != 2:
        raise ValueError(f"game has shape {game.shape}, must be one square matrix")
    n = len(game)
    # maximise v subject to v <= (p' P)_j for all j
    fit = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-game.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
        method="highs",
    )
    if fit.status != 0:
        raise RuntimeError(f"linprog failed on a game of {n} answers: {fit.message}")
    policy = np.clip(fit.x[:n], 0, None)
    return policy / policy.sum()


def worst_case(games: np.ndarray, policies: np.ndarray) -> np.ndarray:
    """max_i (P p)_i (...): by how much the best answer is preferred to the policy, 0 for a Minimax Winner alone.

    games: (..., n, n). policies: (..., n) distributions. It is twice `exploitability`, which counts in win probability.
    Raises ValueError for what is no distribution over n answers.
    """
    games, policies = check_antisymmetric(games), np.asarray(policies, dtype=float)
    n = games.shape[-1]
    if policies.shape[-1] != n or not np.allclose(policies.sum(-1), 1) or (policies < -1e-9).any():
        raise ValueError(f"policies must be distributions over {n} answers, shape {policies.shape} was given")
    return (games @ policies[..., None])[..., 0].max(-1)


def condorcet_winner(games: np.ndarray) -> np.ndarray:
    """(...): the answer that is preferred to every other one, -1 where there is none."""
    games = check_antisymmetric(games)
    beats_all = ((games > 0) | np.eye(games.shape[-1], dtype=bool)).all(-1)
    return np.where(beats_all.any(-1), beats_all.argmax(-1), -1)


def random_games(count: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """(count, n, n): antisymmetric games, uniform in [-1, 1] above the diagonal, none with a Condorcet winner.

    Raises ValueError for fewer than three answers, among which there is always such a winner.
    """
    if n < 3 or count < 1:
        raise ValueError(f"n={n} must be 3 or greater (two answers always have a winner), count={count} 1 or greater")
    found = np.empty((0, n, n))
    while len(found) < count:
        upper = np.triu(rng.uniform(-1, 1, size=(2 * count, n, n)), 1)
        games = upper - np.swapaxes(upper, 1, 2)
        found = np.concatenate([found, games[condorcet_winner(games) < 0]])
    return found[:count]
