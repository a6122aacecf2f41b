"""Votes to shares and to strengths: by hand, and against maximum likelihood by another optimiser."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from autodidact.games import bradley_terry, vote_share, zermelo


def likeliest(wins):
    """log strengths, of mean 0, at the maximum of sum w_ij log sigmoid(a_i - a_j), by scipy."""
    value = lambda a: -(wins * log_expit(a[:, None] - a[None])).sum()  # noqa: E731
    fit = minimize(value, np.zeros(len(wins)), method="BFGS", options={"gtol": 1e-10})
    return fit.x - fit.x.mean()


def counted(k=5, games=20, seed=0):
    """A table in which everybody beats everybody at least once."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=k)
    wins = np.zeros((k, k))
    for i, j in zip(*np.triu_indices(k, 1), strict=True):
        wins[i, j] = rng.binomial(games - 2, expit(ability[i] - ability[j])) + 1
        wins[j, i] = games - wins[i, j]
    return wins


def test_two_players_have_the_odds_of_their_games():
    strengths = zermelo(np.array([[0, 6], [2, 0]]))
    np.testing.assert_allclose(strengths, [math.sqrt(3), 1 / math.sqrt(3)], rtol=1e-10)


def test_three_players_by_hand():
    """Twice as good each: expected wins of six games a pair are 4 of 6 and 24 / 5 of 6, met exactly."""
    wins = np.array([[0, 4, 4.8], [2, 0, 4], [1.2, 2, 0]])
    np.testing.assert_allclose(zermelo(wins), [2, 1, 0.5], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_strengths_are_the_maximum_of_the_likelihood(seed, smoothing):
    wins = counted(seed=seed)
    logs = np.log(zermelo(wins, smoothing=smoothing))
    np.testing.assert_allclose(logs, likeliest(wins + smoothing * (1 - np.eye(5))), atol=1e-5)
    assert logs.sum() == pytest.approx(0, abs=1e-10)


def test_pairs_that_were_never_compared_are_told_from_the_others():
    wins = np.array([[0, 3, 0, 0], [1, 0, 5, 0], [0, 2, 0, 4], [0, 0, 4, 0]])
    np.testing.assert_allclose(np.log(zermelo(wins)), likeliest(wins), atol=1e-5)
    np.testing.assert_allclose(np.diff(np.log(zermelo(wins))), -np.log([3, 2.5, 1]), atol=1e-8)  # a chain


def test_counts_weigh_as_in_the_fit_of_probabilities():
    wins = counted(seed=7)
    games = wins + wins.T
    shares = np.divide(wins, games, out=np.full_like(wins, 0.5), where=games > 0)
    np.testing.assert_allclose(np.log(zermelo(wins)), bradley_terry(shares, games), atol=1e-5)


def test_tournaments_side_by_side_are_each_its_own():
    tables = np.array([[counted(seed=i), counted(seed=i + 9)] for i in range(3)])
    together = zermelo(tables)
    assert together.shape == (3, 2, 5)
    np.testing.assert_allclose(together[1, 1], zermelo(tables[1, 1]), rtol=1e-9)


def test_an_even_cycle_is_level_and_an_uneven_one_loses_it():
    cycle = np.array([[0, 9, 1], [1, 0, 9], [9, 1, 0]])
    np.testing.assert_allclose(zermelo(cycle), 1, rtol=1e-12)
    uneven = np.log(zermelo(np.array([[0, 9, 4], [1, 0, 8], [6, 2, 0]])))
    assert uneven[0] > uneven[2]  # C beats A six to four, and is said to be the weaker


def test_strengths_recover_what_made_the_votes():
    truth = np.array([1.0, 0.3, -0.2, -1.1])
    chance = expit(truth[:, None] - truth[None]) * (1 - np.eye(4))
    np.testing.assert_allclose(np.log(zermelo(1000 * chance)), truth, atol=1e-8)


@pytest.mark.parametrize(
    ("wins", "message"),
    [
        (np.ones((2, 3)), r"^wins must be \(\.\.\., K, K\) with K of 2 or more, shape \(2, 3\) was given$"),
        (np.zeros((1, 1)), "with K of 2 or more"),
        ([[0, -1], [2, 0]], "^wins holds -1; counts must not be negative$"),
        ([[1, 1], [2, 0]], "^wins must have 0 on the diagonal"),
        ([[0, math.nan], [2, 0]], r"^wins\[0\]\[1\]=nan must be finite$"),
        ([[0, 3], [0, 0]], "^wins: 1 never beat 0, nor any that did, so no finite strengths; add smoothing$"),
        ([[[0, 3], [1, 0]], [[0, 0], [2, 0]]], r"^wins\[1\]: 0 never beat 1"),
    ],
)
def test_bad_tables_are_refused_in_one_line(wins, message):
    with pytest.raises(ValueError, match=message):
        zermelo(np.array(wins, dtype=float))


def test_smoothing_mends_a_table_that_has_no_finite_strengths():
    wins = np.array([[0, 3], [0, 0]])
    np.testing.assert_allclose(np.log(zermelo(wins, smoothing=0.5)), [math.log(7) / 2, -math.log(7) / 2], rtol=1e-9)
    with pytest.raises(ValueError, match=r"^smoothing=-1 must not be negative$"):
        zermelo(wins, smoothing=-1)


def test_shares_by_hand():
    assert vote_share(9, 9) == pytest.approx(0.95)
    assert vote_share(0, 1) == pytest.approx(0.25)
    assert vote_share(2, 3, smoothing=0) == pytest.approx(2 / 3)
    np.testing.assert_allclose(vote_share(np.array([0, 1, 2]), 2), [1 / 6, 0.5, 5 / 6])


@pytest.mark.parametrize(
    ("wins", "votes", "more", "message"),
    [
        (10, 9, {}, "^wins=10 of votes=9 must lie between 0 and the votes$"),
        (-1, 9, {}, "^wins=-1 of votes=9"),
        (0, 0, {"smoothing": 0}, "^votes=0 without smoothing"),
        (1, 9, {"smoothing": -0.5}, "^smoothing=-0.5 must not be negative$"),
        (math.nan, 9, {}, "^wins=nan must be finite$"),
    ],
)
def test_votes_that_do_not_sum_are_refused_in_one_line(wins, votes, more, message):
    with pytest.raises(ValueError, match=message):
        vote_share(wins, votes, **more)


def test_two_answers_have_the_strengths_of_their_share():
    wins = np.array([[0, 7], [2, 0]])
    strengths = zermelo(wins, smoothing=0.5)
    assert strengths[0] / strengths.sum() == pytest.approx(vote_share(7, 9))
