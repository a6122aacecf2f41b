"""Selection on pass matrices against brute force over all choices, hand values and a singular vector."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autodidact.environments.programs import simulate_matrix
from autodidact.samplers.pass_matrix import (
    CodePair,
    CodeTestPair,
    agreement,
    counts,
    minimax,
    naive,
    oracle,
    self_validation,
    top_and_bottom,
)

matrices = st.integers(1, 6).flatmap(lambda j: st.integers(1, 6).flatmap(lambda k: arrays(bool, (j, k))))


def by_hand(r):
    """The four rules word for word, over all pairs of indices, in plain loops; ties to the lowest index."""
    codes, tests = range(len(r)), range(len(r[0]))
    passes = [sum(r[j][k] for k in tests) for j in codes]
    passers = [sum(r[j][k] for j in codes) for k in tests]
    if max(passes) == 0 or min(passers) == len(r):
        return None
    chosen = min(codes, key=lambda j: (-passes[j], j))
    chosen_test = min((k for k in tests if r[chosen][k]), key=lambda k: (passers[k], k))
    rejected_test = min((k for k in tests if passers[k] < len(r)), key=lambda k: (-passers[k], k))
    rejected = min((j for j in codes if not r[j][rejected_test]), key=lambda j: (passes[j], j))
    return None if chosen == rejected else (chosen, chosen_test, rejected, rejected_test)


@given(matrices)
@settings(max_examples=400, deadline=None)
def test_minimax_is_its_four_rules(r):
    assert minimax(r) == by_hand(r.tolist())


@given(matrices, st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_minimax_with_random_ties_keeps_the_rules_and_the_labels(r, seed):
    pair = minimax(r, np.random.default_rng(seed))
    if pair is None:
        return
    assert r[pair.chosen, pair.chosen_test] and not r[pair.rejected, pair.rejected_test]
    assert r[pair.chosen].sum() == r.sum(1).max()
    assert r[:, pair.chosen_test].sum() == r[:, r[pair.chosen]].sum(0).min()
    failed = [k for k in range(r.shape[1]) if not r[:, k].all()]
    assert r[:, pair.rejected_test].sum() == max(r[:, k].sum() for k in failed)
    assert r[pair.rejected].sum() == r[~r[:, pair.rejected_test]].sum(1).min()


def test_minimax_by_hand():
    r = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], bool)
    assert minimax(r) == CodeTestPair(chosen=0, chosen_test=2, rejected=3, rejected_test=0)


@pytest.mark.parametrize("r", [np.zeros((3, 2), bool), np.ones((3, 2), bool)])
def test_no_pair_where_nothing_is_passed_or_everything(r):
    assert minimax(r) is None
    assert naive(r, np.random.default_rng(0)) is None


def test_no_pair_where_chosen_and_rejected_are_one():
    r = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], bool)  # the best code alone fails the easiest test
    assert by_hand(r.tolist()) is None
    assert minimax(r) is None


def test_ties_are_dealt_evenly():
    r = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], bool)
    rng = np.random.default_rng(0)
    chosen = [pair.chosen for _ in range(400) if (pair := minimax(r, rng)) is not None]
    assert sorted(set(chosen)) == [0, 1, 2, 3]
    assert min(chosen.count(j) for j in range(4)) > 40


@given(matrices)
@settings(max_examples=200, deadline=None)
def test_minimax_chooses_the_code_that_counting_chooses(r):
    pair, counted = minimax(r), top_and_bottom(counts(r))
    if pair is not None and counted is not None:
        assert pair.chosen == counted.chosen


@given(matrices)
@settings(max_examples=200, deadline=None)
def test_agreement_is_codes_times_tests_of_the_consensus_set(r):
    rows = [tuple(row) for row in r.tolist()]
    assert agreement(r).tolist() == [rows.count(row) * sum(row) for row in rows]


@given(matrices, st.integers(1, 12), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_self_validation_is_its_recursion(r, rounds, d):
    codes, tests = [1.0] * r.shape[0], [1.0] * r.shape[1]
    for _ in range(rounds):
        new = [
            (1 - d) * s + d * sum(t for t, link in zip(tests, row, strict=True) if link)
            for s, row in zip(codes, r, strict=True)
        ]
        tests = [
            (1 - d) * t + d * sum(s for s, link in zip(codes, col, strict=True) if link)
            for t, col in zip(tests, r.T, strict=True)
        ]
        codes = new
    score = self_validation(r, d, rounds)
    np.testing.assert_allclose(score * max(codes), np.array(codes) * score.max(), rtol=1e-9, atol=1e-12 * max(codes))


def test_one_round_orders_as_counting_and_many_as_the_singular_vector():
    rng = np.random.default_rng(1)
    r = rng.random((7, 9)) < 0.6
    one = self_validation(r, rounds=1)
    assert np.array_equal(np.argsort(one, kind="stable"), np.argsort(counts(r), kind="stable"))
    vector = np.abs(np.linalg.svd(r.astype(float))[0][:, 0])
    many = self_validation(r, rounds=400)
    np.testing.assert_allclose(many / many.max(), vector / vector.max(), atol=1e-9)


def test_naive_draws_every_passing_and_failing_code_of_telling_tests():
    r = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], bool)
    pairs = {naive(r, np.random.default_rng(s)) for s in range(60)}
    assert pairs == {(0, 1, 1, 1), (0, 1, 2, 1)}


def test_oracle_draws_right_over_wrong():
    right = np.array([True, False, True, False])
    drawn = {oracle(right, np.random.default_rng(s)) for s in range(100)}
    assert drawn == {CodePair(a, b) for a, b in itertools.product((0, 2), (1, 3))}
    assert oracle(~np.zeros(3, bool), np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: minimax(np.zeros((2, 2))), "passed must be booleans"),
        (lambda: counts(np.zeros(3, bool)), "passed must be booleans"),
        (lambda: self_validation(np.ones((2, 2), bool), d=1.5), "d=1.5"),
        (lambda: top_and_bottom([1.0, np.nan]), r"scores\[1\]=nan must be finite"),
        (lambda: oracle(np.array([1, 0]), np.random.default_rng(0)), "right must be booleans"),
        (lambda: simulate_matrix(1, 2, 2, 1.5, 0.5, 0.5, np.random.default_rng(0)), "pass1=1.5"),
        (lambda: simulate_matrix(1, 0, 2, 0.5, 0.5, 0.5, np.random.default_rng(0)), "J=0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# The probe whose figures the simulation is to give again, as nearly as one that is known by its table alone can be.
# J = K, pass@1, right tests, share of wrong tests that copy; then the share of pairs that are right over wrong by
# naive, minimax, counting, self-validation and agreement.
PROBE = [
    (15, 0.50, 0.75, 0.5, (0.71, 0.97, 0.98, 0.99, 0.97)),
    (15, 0.50, 0.50, 0.8, (0.55, 0.83, 0.83, 0.89, 0.91)),
    (15, 0.25, 0.75, 0.5, (0.52, 0.93, 0.93, 0.93, 0.68)),
    (15, 0.25, 0.50, 0.8, (0.37, 0.75, 0.75, 0.72, 0.51)),
    (8, 0.25, 0.50, 0.8, (0.45, 0.64, 0.66, 0.63, 0.52)),
]


def pair_quality(size, pass1, right_tests, copies, n=400):
    rng = np.random.default_rng(0)
    rules = (
        lambda r: naive(r, rng),
        lambda r: minimax(r, rng),
        lambda r: top_and_bottom(counts(r), rng),
        lambda r: top_and_bottom(self_validation(r).round(9), rng),
        lambda r: top_and_bottom(agreement(r), rng),
    )
    simulated = simulate_matrix(n, size, size, pass1, right_tests, copies, rng)
    shares = []
    for rule in rules:
        pairs = [(m, pair) for m in simulated if (pair := rule(m.passed)) is not None]
        shares.append(np.mean([m.right_codes[p.chosen] and not m.right_codes[p.rejected] for m, p in pairs]))
    return shares


def test_the_simulation_gives_the_probe_again():
    found = np.array([pair_quality(*row[:4]) for row in PROBE])
    wanted = np.array([row[4] for row in PROBE])
    assert np.abs(found - wanted)[:, 1].max() < 0.07  # minimax
    assert np.abs(found - wanted).mean() < 0.05
    assert (found[:, 1] - found[:, 0] > 0.15).all()
    assert np.abs(found - wanted).max() < 0.14


def test_the_simulation_has_the_shares_that_were_asked_for():
    simulated = simulate_matrix(600, 8, 8, 0.4, 0.7, 0.5, np.random.default_rng(0))
    assert abs(np.mean([m.right_codes.mean() for m in simulated]) - 0.4) < 0.02
    assert abs(np.mean([m.right_tests.mean() for m in simulated]) - 0.7) < 0.02
    for m in simulated[:50]:
        assert m.passed[np.ix_(m.right_codes, m.right_tests)].all()
        assert not m.passed[np.ix_(m.right_codes, ~m.right_tests)].any()
