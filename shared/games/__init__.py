"""Constant-sum games over finitely many answers: what no scalar reward can say, computed exactly."""

from autodidact.games.matrix import bradley_terry, exploitability, exponential_weights
from autodidact.games.minimax import check_antisymmetric, condorcet_winner, minimax_winner, random_games, worst_case
from autodidact.games.zermelo import vote_share, zermelo

__all__ = [
    "bradley_terry",
    "check_antisymmetric",
    "condorcet_winner",
    "exploitability",
    "exponential_weights",
    "minimax_winner",
    "random_games",
    "vote_share",
    "worst_case",
    "zermelo",
]
