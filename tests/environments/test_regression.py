"""Benchmark functions against independent computations, protected operators against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodidact.environments import load_world
from autodidact.environments.regression import NAMES, OPERATORS, Instance

SETS = {"keijzer": 15, "nguyen": 12, "vladislavleva": 8, "koza": 3, "pagie": 1}
# Each formula once more, for one point, with the standard library alone.
VALUES = {
    "koza-1": ((0.5,), 0.5 + 0.25 + 0.125 + 0.0625),
    "koza-2": ((0.5,), 0.5**5 - 2 * 0.5**3 + 0.5),
    "koza-3": ((0.5,), 0.5**6 - 2 * 0.5**4 + 0.5**2),
    "nguyen-1": ((2.0,), 14.0),
    "nguyen-4": ((2.0,), 126.0),
    "nguyen-5": ((0.7,), math.sin(0.49) * math.cos(0.7) - 1),
    "nguyen-6": ((0.7,), math.sin(0.7) + math.sin(0.7 + 0.49)),
    "nguyen-7": ((0.7,), math.log(1.7) + math.log(1.49)),
    "nguyen-9": ((0.7, 0.3), math.sin(0.7) + math.sin(0.09)),
    "nguyen-12": ((2.0, 4.0), 16 - 8 + 8 - 4),
    "keijzer-1": ((0.25,), 0.3 * 0.25),
    "keijzer-4": ((2.0,), 8 * math.exp(-2) * math.cos(2) * math.sin(2) * (math.sin(2) ** 2 * math.cos(2) - 1)),
    "keijzer-5": ((1.0, 2.0, 0.5), 30 * 1 * 0.5 / (-9 * 4)),
    "keijzer-6": ((4.0,), 1 + 1 / 2 + 1 / 3 + 1 / 4),
    "keijzer-9": ((2.0,), math.log(2 + math.sqrt(5))),
    "keijzer-11": ((2.0, 3.0), 6 + math.sin(2)),
    "keijzer-15": ((1.0, 2.0), 0.2 + 4 - 2 - 1),
    "vladislavleva-1": ((1.0, 2.5), 1 / 1.2),
    "vladislavleva-3": ((2.0, 5.0), 0.0),
    "vladislavleva-4": ((3.0,) * 5, 2.0),
    "vladislavleva-5": ((2.0, 2.0, 3.0), 30 * 1 * 2 / (4 * -8)),
    "vladislavleva-7": ((4.0, 5.0), 2.0),
    "vladislavleva-8": ((4.0, 4.0), 1 / 26),
    "pagie-1": ((2.0, -1.0), 16 / 17 + 1 / 2),
}
# Points to learn from and to test on, as McDermott et al. (2012) count them.
COUNTS = {
    "koza-1": (20, None), "keijzer-1": (21, 2001), "keijzer-4": (201, 201), "keijzer-5": (1000, 10000),
    "keijzer-6": (50, 120), "keijzer-8": (101, 1001), "keijzer-10": (100, 101**2), "keijzer-12": (20, 601**2),
    "vladislavleva-1": (100, 45**2), "vladislavleva-3": (600, 221 * 23), "vladislavleva-5": (300, 15 * 12 * 15),
    "vladislavleva-8": (50, 34**2), "pagie-1": (26**2, None),
}  # fmt: skip


def world(name):
    return load_world(f"regression/{name}")


def test_all_benchmarks_of_the_sets_are_there():
    assert {f"{name}-{n}" for name, count in SETS.items() for n in range(1, count + 1)} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_has_points_and_targets_that_are_finite(name):
    one = world(name).instance(np.random.default_rng(1))
    assert one.points.shape == (len(one.targets), len(world(name).variables))
    assert one.success(one.targets) and one.error(one.targets) == 0


@pytest.mark.parametrize("name", VALUES)
def test_targets_are_the_formula(name):
    point, value = VALUES[name]
    function = world(name).problem.target
    got = function(*np.array([point]).T)
    assert got == pytest.approx([value], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", COUNTS)
def test_numbers_of_points(name):
    rng = np.random.default_rng(0)
    test = world(name).test(rng)
    assert (len(world(name).instance(rng).points), test and len(test.points)) == COUNTS[name]


def test_grids_are_fixed_and_draws_are_the_callers():
    def draws(name, seed):
        return world(name).instance(np.random.default_rng(seed)).points

    assert (draws("keijzer-6", 0) == draws("keijzer-6", 1)).all()
    assert (draws("koza-1", 0) == draws("koza-1", 0)).all() and (draws("koza-1", 0) != draws("koza-1", 1)).all()
    assert (np.abs(draws("koza-1", 0)) <= 1).all()


def test_default_is_koza_1_and_an_unknown_name_is_named():
    assert load_world("regression").name == "koza-1"
    with pytest.raises(ValueError, match="regression/koza-9' is unknown; known are koza-1"):
        world("koza-9")


def test_success_is_kozas_and_nan_is_the_worst_error():
    one = Instance(np.zeros((3, 1)), np.array([1.0, 2.0, 3.0]))
    outputs = np.array([[1.009, 2.0, 2.991], [1.0, 2.0, 3.02], [1.0, np.nan, 3.0], [1.0, np.inf, 3.0]])
    assert one.success(outputs).tolist() == [True, False, False, False]
    assert one.hits(outputs).tolist() == [3, 2, 2, 2]
    assert one.error(outputs) == pytest.approx([0.006, 0.02 / 3, np.inf, np.inf])


@pytest.mark.parametrize(
    ("points", "targets", "message"),
    [([[0.0], [math.nan]], [0.0, 0.0], "finite"), ([[0.0]], [math.inf], "finite"), ([[0.0]], [0.0, 1.0], r"\(2,\)")],
)
def test_bad_points_and_targets_are_named(points, targets, message):
    with pytest.raises(ValueError, match=message):
        Instance(np.array(points), np.array(targets))


def test_operators_are_protected_as_stated():
    operator = {o.name: o for o in OPERATORS}
    zeros = np.array([0.0, 2.0])
    assert operator["div"].vector(np.array([3.0, 3.0]), zeros).tolist() == [1.0, 1.5]
    assert operator["log"].vector(np.array([0.0, -math.e])).tolist() == [0.0, 1.0]
    assert operator["exp"].scalar(1000.0) == math.inf and math.isnan(operator["sin"].scalar(math.inf))
    assert [o.name for o in OPERATORS] == ["add", "sub", "mul", "div", "sin", "cos", "exp", "log"]


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1.0, 1e-300, 710.0])


@given(st.sampled_from(OPERATORS), numbers, numbers)
def test_both_forms_of_an_operator_agree_and_never_raise(operator, a, b):
    arguments = (a, b)[: operator.arity]
    with np.errstate(all="ignore"):
        vector = operator.vector(*(np.array([x]) for x in arguments))[0]
    np.testing.assert_allclose(vector, operator.scalar(*arguments), rtol=1e-15)
