"""Freedoom maps behind the names of the town world."""

import subprocess
import sys

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

doom = pytest.importorskip("environments.game.doom")
KNOBS = doom.Knobs()


def test_the_town_world_does_not_load_vizdoom():
    code = "import sys, environments.game; sys.exit('vizdoom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_gymnasium_accepts_it():
    env = doom.make(0, horizon=5)
    check_env(env, skip_render_check=True)
    env.close()


def test_inside_by_crossings():
    square = np.array([[(0, 0), (4, 0)], [(4, 0), (4, 4)], [(4, 4), (0, 4)], [(0, 4), (0, 0)]], float)
    assert doom._crossings(square, np.array([-1.0, 2.0, 5.0]), 1.0).tolist() == [2, 1, 0]


def test_the_start_and_all_that_one_walks_on_are_reachable_floor():
    vector, rng = doom.make_vector([0, 1], horizon=60), np.random.default_rng(0)
    frames, info = vector.reset()
    reach, positions = doom.reachable(KNOBS), [info["position"]]
    assert frames.shape == (2, 84, 84, 1) and frames.dtype == np.uint8
    assert 100 < reach.sum() < reach.size
    for t in range(60):
        frames, reward, terminated, truncated, info = vector.step(rng.choice([0, 0, 0, 2, 3, 4], size=2))
        positions.append(info["position"])
        assert not reward.any() and not terminated.any() and truncated.all() == (t == 59)
    vector.close()
    walk = np.concatenate(positions)
    cells = doom.level(KNOBS).cell(walk)
    assert reach[tuple(cells.T)].mean() > 0.8  # those at a wall stand in cells whose centre is behind it
    assert len(np.unique(cells, axis=0)) > 2
    assert doom.coverage(walk[:1], KNOBS) < doom.coverage(walk, KNOBS) < 0.5


def test_bad_input():
    for knobs, what in (({"level": "e1m1"}, "level='e1m1'"), ({"horizon": 0}, "horizon=0")):
        with pytest.raises(ValueError, match=what):
            doom.make(0, **knobs)
    with pytest.raises(ValueError, match="map_seeds is empty"):
        doom.make_vector([])
    env = doom.make(0, horizon=5)
    with pytest.raises(ValueError, match="action=9"):
        env.step(9)
    env.close()
