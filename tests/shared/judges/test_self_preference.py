"""Self-preference scores and pairwise judging against hand values and the simulation of the noise control."""

import numpy as np
import pytest
from scipy.optimize import minimize

from autodidact.environments.judging import gold_votes, noise_for_accuracy, panel
from autodidact.judges import (
    bootstrap_dbg,
    closed_labels,
    corrected_score,
    dbg_score,
    flipped_share,
    gold_share,
    hard_labels,
    naive_score,
    pooled_gold,
    win_rate,
)
from autodidact.judges.self_preference import logistic_fit

NAN = np.nan
VOTES = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, NAN, NAN, 1], [NAN] * 6, [NAN, 1, 1, 0, 0, 1]])


def test_gold_by_hand():
    np.testing.assert_array_equal(pooled_gold(VOTES), [1, 0.5, 0, 0.5, 1])
    np.testing.assert_allclose(gold_share(VOTES), [4 / 6, 0.5, 0.25, 0.5, 0.6])


def test_scores_by_hand():
    judge = np.array([1, 1, 0.5, 1, 0])
    assert win_rate(judge) == pytest.approx(70)
    assert dbg_score(judge, pooled_gold(VOTES)) == pytest.approx(70 - 60)
    assert naive_score(judge) == pytest.approx(40)
    assert dbg_score(pooled_gold(VOTES), pooled_gold(VOTES)) == 0


def test_both_orders_by_hand():
    p = np.array([[0.9, 0.3], [0.8, 0.1], [0.7, 0.3], [0.6, 0.7]])
    np.testing.assert_array_equal(hard_labels(p), [1, 0, 0.5, 1])
    assert flipped_share(p) == 0.75


def test_closed_judges_by_hand():
    votes, outcome = closed_labels(["A", "A", "B", "C", "C"], ["B", "A", "A", "B", ""])
    np.testing.assert_array_equal(votes, [[1, 1], [1, 0], [0, 0], [NAN, 1], [NAN, NAN]])
    np.testing.assert_array_equal(outcome, [1, 0.5, 0, 1, 0.5])


def test_logistic_fit_is_the_optimum():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=300), rng.integers(0, 2, 300).astype(float)

    def loss(w):
        z = w[0] + w[1] * x
        return np.logaddexp(0, z).sum() - y @ z + 0.5e-3 * w @ w

    np.testing.assert_allclose(logistic_fit(x, y), minimize(loss, np.zeros(2)).x, atol=1e-4)


def test_weights_of_the_logistic_fit_are_repeated_pairs():
    x, y, counts = np.array([-1.0, 0.0, 0.5, 2.0]), np.array([0.0, 0.5, 0.25, 1.0]), np.array([3, 1, 4, 2])
    repeated = logistic_fit(np.repeat(x, counts), np.repeat(y, counts))
    np.testing.assert_allclose(logistic_fit(x, y, weights=counts), repeated, atol=1e-8)


# Gap, bias, accuracy of the judge, DBG in points, corrected score: the table of the noise control at 20,000 pairs.
@pytest.mark.parametrize(
    "gap, bias, accuracy, dbg",
    [(-1, 0, 0.92, 0.5), (-1, 0, 0.74, 8.6), (-1, 0, 0.60, 17.7), (1, 0, 0.74, -8.6), (1, 0, 0.60, -17.6)],
)
def test_noise_alone_moves_dbg_and_not_the_corrected_score(gap, bias, accuracy, dbg):
    rng, n = np.random.default_rng(1), 20_000
    q = panel(n, gap, 1.5, rng)
    votes = gold_votes(q, 3, 0.7, rng)
    judge = (q + bias + noise_for_accuracy(accuracy, gap, 1.5) * rng.standard_normal(n) > 0).astype(float)
    assert dbg_score(judge, pooled_gold(votes)) == pytest.approx(dbg, abs=2)
    unbiased = corrected_score(judge, votes)
    assert abs(unbiased) < 0.25
    vain = (q + 1 + noise_for_accuracy(accuracy, gap, 1.5) * rng.standard_normal(n) > 0).astype(float)
    assert corrected_score(vain, votes) > unbiased + 0.4  # not the same at every gap: 0.48 itself at -1 and 0.60


def test_corrected_score_is_odd_in_the_owner_and_undefined_against_gold():
    rng = np.random.default_rng(2)
    q = panel(2000, 0.5, 1.5, rng)
    votes, judge = gold_votes(q, 3, 0.7, rng), (q + 1 + rng.standard_normal(2000) > 0).astype(float)
    assert corrected_score(1 - judge, 1 - votes) == pytest.approx(-corrected_score(judge, votes))
    assert np.isnan(corrected_score(1 - judge, votes))


def test_bootstrap_spread_is_the_standard_error():
    rng = np.random.default_rng(3)
    judge, gold = rng.integers(0, 2, (2, 500)).astype(float)
    error = 100 * (judge - gold).std() / np.sqrt(500)
    assert bootstrap_dbg(judge, gold, rng).std() == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize(
    "wrong, word",
    [
        (lambda: pooled_gold(np.array([0.5])), "votes"),
        (lambda: pooled_gold(np.array([[0.5]])), "votes"),
        (lambda: dbg_score(np.ones(2), np.ones(3)), "as many"),
        (lambda: win_rate(np.array([0.3])), "outcomes"),
        (lambda: hard_labels(np.array([[1.5, 0]])), "probabilities"),
        (lambda: closed_labels(["A"], []), "as many"),
    ],
)
def test_bad_input_is_named(wrong, word):
    with pytest.raises(ValueError, match=word):
        wrong()
