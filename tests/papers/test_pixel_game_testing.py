"""The notebook in the least that it can do: seeds together are seeds apart, and the scale `paper` is the same code."""

import numpy as np
import pytest

from autodidact.environments import load_world
from autodidact.streams import stream
from tests.papers.notebooks import measure, seeds_stand_alone

SLUG = "pixel-game-testing"
LEAST = {
    "knobs": {"size": 16, "rooms": 4, "horizon": 20}, "demonstrations": 2, "towns": 2, "players": 2, "episodes": 2,
    "frames": 320, "rollout": 10, "minibatch": 40, "epochs": 1, "style_steps": 1, "judge_steps": 2, "judged_on": 1,
    "inspections": [2, 3], "pretraining": [8, 20], "judge_demonstrations": 2, "updates": 2, "uncoupled_updates": 2,
    "batch": 2, "tasks": 3, "prototypes": 8, "components": 16, "threads": 1,
}  # fmt: skip


def run(**given):
    return measure(SLUG, **(LEAST | given))


def test_seeds_together_are_seeds_apart_bit_for_bit():
    together, alone = seeds_stand_alone(run)
    assert any(together[claim, 100] != pair for (claim, _), pair in alone.items())


def test_who_stands_still_has_what_lies_at_the_start():
    record = run(seeds=1, seed=100)
    claims = {claim["id"]: claim for claim in record["claims"]}
    world = load_world("game/town").set(**LEAST["knobs"])
    towns = world.vector(world.maps(0, LEAST["towns"], stream(100, "instance"))).towns
    near = [(np.abs(town.trail - town.start).sum(1) <= 1).mean() for town in towns]
    assert claims["beats-standing-still"]["control"] == pytest.approx([np.mean(near)])
    assert claims["handing-over-tests"]["control"] == [0]  # an explorer of so few steps has touched nothing
    assert {claim["replicate"] for claim in record["claims"]} == {"seed"} and len(claims) == 24


def test_small_scale_is_freedoom_by_episode():
    pytest.importorskip("vizdoom")
    record = run(scale="small", seed=100, knobs={"horizon": 20}, players=1, frames=80)
    assert record["parameters"]["world"] == "game/doom"
    counts = {claim["replicate"]: len(claim["treatment"]) for claim in record["claims"]}
    assert counts == {"episode": 4}


def test_paper_scale_is_the_same_code():
    record = run(scale="paper", seeds=1, seed=100)
    assert record["scale"] == "paper" and record["parameters"]["tau"] == 0.1
    assert all(len(claim["treatment"]) == 1 for claim in record["claims"])
