"""Pictures a second: drawn by the world of shapes, and captioned by the tiny policy, in a batch and one by one."""

from statistics import median
from typing import Any

import numpy as np

from ci.bench.rates import wall_rate

PICTURES, SINGLE, TOKENS, REPEATS = 256, 32, 32, 3  # captioned at once, one by one, tokens at most, repeats


def bench_pictures() -> dict[str, Any]:
    """Pictures a second drawn, captioned in one batch and one by one, and the ratio of these two, `speedup`.

    Medians over repeats in turn. Captioning includes the frozen tower: every repeat has new pictures.
    """
    from autodidact.environments import load_world
    from autodidact.streams import stream
    from autodidact.vision import load_vision_policy

    world = load_world("shapes/captions")
    policy = load_vision_policy("tiny", world, seed=100)
    drawn, batch, single = [], [], []
    for repeat in range(REPEATS + 1):
        rng = stream(100, "train", repeat)
        drawn.append(wall_rate(lambda r=rng: len(world.prompts(PICTURES, r))))
        pictures = world.prompts(PICTURES + SINGLE, rng)
        batch.append(wall_rate(lambda x=pictures[:PICTURES]: _caption(policy, x)))
        single.append(wall_rate(lambda x=pictures[PICTURES:]: sum(_caption(policy, [one]) for one in x)))
    fast, slow = median(batch[1:]), median(single[1:])  # the first of each warms up
    rates = {"drawn_per_second": median(drawn[1:]), "batch_per_second": fast, "single_per_second": slow}
    return {**rates, "speedup": fast / slow}


def _caption(policy: Any, pictures: list) -> int:
    policy.generate(pictures, 1, rng=np.random.default_rng(0), max_new_tokens=TOKENS)
    return len(pictures)
