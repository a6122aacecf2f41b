"""Where a training has come so far: values worked out by hand, numpy's interpolation where nothing turns back."""

import numpy as np
import pytest

from autodidact.lab import where_reached


def test_it_is_straight_between_looks_as_numpy_interpolates():
    rng = np.random.default_rng(0)
    along, values = np.sort(rng.uniform(0, 3, 6)), rng.normal(size=(6, 4))
    for level in np.linspace(along[0], along[-1], 17):
        wanted = [np.interp(level, along, column) for column in values.T]
        assert where_reached(along, values, level) == pytest.approx(wanted, abs=1e-12)


def test_the_first_crossing_counts_where_a_training_turns_back():
    along, values = [0.0, 2.0, 1.0, 4.0], [0.0, 10.0, 20.0, 30.0]
    assert where_reached(along, values, 1.0) == pytest.approx(5.0)  # not 20
    assert where_reached(along, values, 3.0) == pytest.approx(20 + 10 * 2 / 3)


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_what_has_not_begun_is_its_start(level):
    assert where_reached([0.0, 1.0], [[1.0, 2.0], [3.0, 4.0]], level).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("along", "values", "level", "message"),
    [
        ([0.0, 1.0], [0.0, 1.0], 1.5, r"level=1.5 is never reached, along ends at its most at 1"),
        ([0.0, 1.0], [0.0], 0.5, r"values \(looks, \.\.\.\), not \(2,\) and \(1,\)"),
        ([0.0, np.nan], [0.0, 1.0], 0.5, "must be finite"),
        ([], [], 0.5, "looks"),
    ],
)
def test_what_cannot_be_is_refused(along, values, level, message):
    with pytest.raises(ValueError, match=message):
        where_reached(along, values, level)
