"""Constant-sum games over finitely many answers: what no scalar reward can say, computed exactly."""

from shared.games.matrix import bradley_terry, exploitability, exponential_weights

__all__ = ["bradley_terry", "exploitability", "exponential_weights"]
