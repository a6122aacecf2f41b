"""`over_seeds`: what lies at the end of a path in every seed's result."""

import numpy as np
import pytest

from autodidact.claims import over_seeds

RUNS = {3: {"win": {"dpo": [0.5, 0.25]}, "base": 0.5}, 1: {"win": {"dpo": [0.5, 0.75]}, "base": 0.125}}


def test_the_seeds_keep_their_order_and_paths_mix_keys_indices_and_functions():
    assert over_seeds(RUNS, "base").tolist() == [0.5, 0.125]
    assert over_seeds(RUNS, "win", "dpo").tolist() == [[0.5, 0.25], [0.5, 0.75]]
    assert over_seeds(RUNS, "win", "dpo", -1).tolist() == [0.25, 0.75]
    assert over_seeds(RUNS, "win", lambda r: r["dpo"], max).tolist() == [0.5, 0.75]
    assert over_seeds(RUNS, lambda r: r["win"]["dpo"][1] - r["base"]).tolist() == [-0.25, 0.625]


def test_arrays_are_stacked():
    runs = {0: (np.ones((2, 3)), None), 1: (np.zeros((2, 3)), None)}
    stacked = over_seeds(runs, 0)
    assert stacked.shape == (2, 2, 3)
    assert stacked.sum() == 6
    assert over_seeds(runs, 0, np.mean).tolist() == [1.0, 0.0]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="runs is empty"):
        over_seeds({}, "base")
    with pytest.raises(ValueError, match=r"different shapes, by seed: \{0: \(1,\), 1: \(2,\)\}"):
        over_seeds({0: {"a": [1]}, 1: {"a": [1, 2]}}, "a")
    with pytest.raises(KeyError, match="nothing"):
        over_seeds(RUNS, "nothing")
