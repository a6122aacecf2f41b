"""Matrix games against values worked out by hand."""

import numpy as np
import pytest

from autodidact.games import bradley_terry, exploitability, exponential_weights

ROCK_PAPER_SCISSORS = np.array([[0.5, 1.0, 0.0], [0.0, 0.5, 1.0], [1.0, 0.0, 0.5]])


def test_exploitability_by_hand():
    assert exploitability(ROCK_PAPER_SCISSORS, np.full(3, 1 / 3)) == pytest.approx(0)
    assert exploitability(ROCK_PAPER_SCISSORS, np.array([1.0, 0, 0])) == pytest.approx(0.5)
    many = exploitability(ROCK_PAPER_SCISSORS, np.array([[1.0, 0, 0], [0.5, 0.5, 0]]))
    np.testing.assert_allclose(many, [0.5, 0.25])


def test_one_step_of_exponential_weights_by_hand():
    path = exponential_weights(np.array([0.5, 0.5]), 1, 2.0, lambda pi: np.array([0.75, 0.25]))
    odds = np.exp(2.0 * 0.5)
    np.testing.assert_allclose(path, [[0.5, 0.5], [odds / (1 + odds), 1 / (1 + odds)]])


def test_average_of_exponential_weights_keeps_its_regret_bound():
    """Exploitability of the average is at most log(1 / min start) / (eta T) + eta / 8, the bound of the algorithm."""
    game = np.array([[0.5, 0.9, 0.4], [0.1, 0.5, 0.8], [0.6, 0.2, 0.5]])
    path = exponential_weights(np.array([0.6, 0.3, 0.1]), 2000, 0.1, lambda pi: game @ pi)
    assert exploitability(game, path[:-1].mean(0)) < np.log(10) / (0.1 * 2000) + 0.1 / 8
    assert exploitability(game, path[0]) > 0.1 > exploitability(game, path[:-1].mean(0))


def test_bradley_terry_recovers_rewards_and_is_transitive_on_a_cycle():
    rewards = np.array([1.0, 0.2, -1.2])
    preference = 1 / (1 + np.exp(rewards[None] - rewards[:, None]))
    np.testing.assert_allclose(bradley_terry(preference), rewards, atol=1e-6)
    np.testing.assert_allclose(bradley_terry(ROCK_PAPER_SCISSORS), 0, atol=1e-6)


def test_bad_games_are_refused():
    with pytest.raises(ValueError, match="square"):
        exploitability(np.ones((2, 3)) / 2, np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="= 1"):
        bradley_terry(np.array([[0.5, 0.9], [0.9, 0.5]]))
    with pytest.raises(ValueError, match="distributions"):
        exploitability(ROCK_PAPER_SCISSORS, np.array([0.5, 0.5]))
