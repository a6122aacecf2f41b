"""How many replicates would decide: the formulas against simulated studies, judged as studies are."""

import numpy as np
import pytest

from autodidact.claims import power, statistics

STUDIES = 4000  # a share of 0.8 over them has a standard error of 0.006


@pytest.mark.parametrize(("mean", "spread", "level"), [(0.5, 1.0, 0.05), (1.0, 1.0, 0.0125), (-0.8, 0.5, 0.025)])
def test_a_difference_is_found_by_so_many_in_four_studies_of_five(mean, spread, level):
    n = power.for_difference(mean, spread, level)
    if n > statistics.EXACT_REPLICATES:  # the sign-flip test of so many is slow: the t test has the same power
        data = np.random.default_rng(n).normal(abs(mean), spread, size=(STUDIES, n))
        found = np.mean(statistics.t_above(data, 0.0) < level)
    else:
        data = np.random.default_rng(n).normal(abs(mean), spread, size=(400, n))
        found = np.mean(statistics.sign_flip(data)[0] < level)
    assert found > 0.8 - 0.04
    fewer = np.random.default_rng(1).normal(abs(mean), spread, size=(STUDIES, max(2, int(n * 0.8))))
    assert np.mean(statistics.t_above(fewer, 0.0) < level) < 0.8


def test_sign_flips_have_the_power_of_the_formula():
    n = power.for_difference(0.6, 1.0, 0.05)
    assert n == 19  # for the one-sided t test by Cohen's tables (d = 0.6)
    data = np.random.default_rng(0).normal(0.6, 1.0, size=(300, n))
    assert np.mean(statistics.sign_flip(data)[0] < 0.05) == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize(("mean", "low", "high"), [(0.0, -0.5, 0.5), (0.2, -0.5, 0.5), (0.3, -0.2, np.inf)])
def test_an_equivalence_is_shown_by_so_many_in_four_studies_of_five(mean, low, high):
    n = power.for_inside(mean, 1.0, low, high, 0.05)
    data = np.random.default_rng(n).normal(mean, 1.0, size=(STUDIES, n))
    shown = np.mean(statistics.two_one_sided(data, low, high) < 0.05)
    assert 0.78 < shown < 0.84


def test_too_few_to_be_significant_are_never_enough():
    for level in (0.05, 0.05 / 7):
        n = power.for_difference(100.0, 1.0, level)
        assert statistics.smallest_sign_flip(n) < level
    assert power.for_difference(1.0, 0.0, 0.05) == 5  # no spread at all: 2**-5 is the first below


def test_what_no_number_decides():
    assert power.for_difference(0.0, 1.0, 0.05) is None
    assert power.for_difference(1e-9, 1.0, 0.05) is None
    assert power.for_inside(0.6, 1.0, -0.5, 0.5, 0.05) is None
    big = power.for_difference(0.004, 1.0, 0.05)
    assert 350_000 < big < 420_000  # (1.645 + 0.842)^2 / 0.004^2 = 386,000, and the series of the t stays finite
