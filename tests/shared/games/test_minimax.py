"""Antisymmetric games against closed forms, brute force and the facts that hold for generic games."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodidact.games import (
    check_antisymmetric,
    condorcet_winner,
    exploitability,
    minimax_winner,
    random_games,
    worst_case,
)

ROCK_PAPER_SCISSORS = np.array([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])


def games(n, count=12, seed=0):
    return random_games(count, n, np.random.default_rng(seed))


def by_supports(game):
    """Brute force: on which support S is P_S p = 0 solved by a positive p that no answer outside is preferred to?"""
    found = []
    for size in range(1, len(game) + 1):
        for support in map(list, combinations(range(len(game)), size)):
            values, vectors = np.linalg.eig(game[np.ix_(support, support)])
            k = np.abs(values).argmin()
            p = np.real(vectors[:, k])
            p = p / p.sum() if abs(p.sum()) > 1e-9 else p
            if abs(values[k]) > 1e-9 or (p <= 1e-9).any():
                continue
            policy = np.zeros(len(game))
            policy[support] = p
            if (game @ policy).max() <= 1e-9:
                found.append(policy)
    return found


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(0.01, 1)] * 3))
def test_three_answers_have_the_closed_form(cycle):
    """P(a, b), P(b, c), P(c, a) = x, y, z > 0: the winner is proportional to (y, z, x)."""
    x, y, z = cycle
    game = np.array([[0, x, -z], [-x, 0, y], [z, -y, 0]])
    np.testing.assert_allclose(minimax_winner(game), np.array([y, z, x]) / (x + y + z), atol=1e-7)


@pytest.mark.parametrize("n", [3, 4, 6, 8])
def test_generic_games_have_one_winner_with_support_of_odd_size(n):
    for game in games(n):
        winner = minimax_winner(game)
        assert winner.sum() == pytest.approx(1) and (winner >= 0).all()
        assert (winner > 1e-7).sum() % 2 == 1
        assert worst_case(game, winner) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("n", [3, 5, 6])
def test_the_winner_is_unique_and_is_what_brute_force_over_supports_finds(n):
    for game in games(n, count=6, seed=1):
        (only,) = by_supports(game)
        np.testing.assert_allclose(minimax_winner(game), only, atol=1e-7)


def test_random_games_are_antisymmetric_without_condorcet_winner_and_repeatable():
    drawn = games(5, count=200)
    assert drawn.shape == (200, 5, 5) and np.abs(drawn).max() <= 1
    np.testing.assert_array_equal(drawn, -np.swapaxes(drawn, 1, 2))
    assert not ((drawn > 0).sum(2) == 4).any()
    np.testing.assert_array_equal(drawn, games(5, count=200))
    assert np.std(drawn[:, 0, 1]) == pytest.approx(1 / np.sqrt(3), abs=0.08)


def test_condorcet_winner_by_hand():
    transitive = np.array([[0, -0.2, 0.1], [0.2, 0, 0.3], [-0.1, -0.3, 0]])
    np.testing.assert_array_equal(condorcet_winner(np.stack([transitive, ROCK_PAPER_SCISSORS])), [1, -1])
    np.testing.assert_allclose(minimax_winner(transitive), [0, 1, 0], atol=1e-9)


def test_worst_case_is_twice_the_exploitability_in_win_probability():
    rng = np.random.default_rng(3)
    policies = rng.dirichlet(np.ones(6), size=12)
    stack = games(6)
    values = worst_case(stack, policies)
    for game, policy, value in zip(stack, policies, values, strict=True):
        assert value == pytest.approx(2 * exploitability((1 + game) / 2, policy))
        assert value == pytest.approx(max(game[i] @ policy for i in range(6)))


def test_a_matrix_that_is_not_antisymmetric_is_named():
    wrong = games(4).copy()
    wrong[7, 2, 1] += 0.25
    with pytest.raises(ValueError, match=r"raters\[7\] is not antisymmetric: P\[1, 2\] = .* and P\[2, 1\]"):
        check_antisymmetric(wrong, name="raters")
    with pytest.raises(ValueError, match=r"P\[0, 0\] = 0.5"):
        minimax_winner((1 + ROCK_PAPER_SCISSORS) / 2)  # win probabilities are another convention
    with pytest.raises(ValueError, match="nan"):
        check_antisymmetric([[0, np.nan], [np.nan, 0]])
    with pytest.raises(ValueError, match="square"):
        check_antisymmetric(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="must lie in"):
        check_antisymmetric([[0, 2], [-2, 0]])
    with pytest.raises(ValueError, match="distributions"):
        worst_case(ROCK_PAPER_SCISSORS, np.array([0.5, 0.6, -0.1]))
    with pytest.raises(ValueError, match="n=2"):
        random_games(3, 2, np.random.default_rng(0))
