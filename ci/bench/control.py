"""Steps a second of the batched point mass, beside gymnasium's `SyncVectorEnv` over the same environment."""

import statistics
from typing import Any

import numpy as np

from ci.bench.rates import cpu_rate

ENVIRONMENTS, EPISODES, REPEATS = 64, 5, 5


def bench_control() -> dict[str, Any]:
    """Environment steps a CPU second of both and their ratio, `speedup`: medians over repeats in turn.

    Both step as many point masses through whole episodes with the same actions; the policy costs nothing.
    """
    from autodidact.environments.control import PointMasses

    horizon = PointMasses().horizon
    actions = np.random.default_rng(0).uniform(-1, 1, size=(EPISODES * horizon, ENVIRONMENTS, 2))
    ours, peers = [], []
    for _ in range(REPEATS + 1):
        ours.append(cpu_rate(lambda: _batched(actions)))
        peers.append(cpu_rate(lambda: _synchronous(actions)))
    fast, slow = statistics.median(ours[1:]), statistics.median(peers[1:])  # the first of each warms up
    return {"ours_steps_per_second": fast, "sync_vector_steps_per_second": slow, "speedup": fast / slow}


def _batched(actions: np.ndarray) -> int:
    from autodidact.environments.control import PointMasses

    many, rng = PointMasses(), np.random.default_rng(0)
    for h, action in enumerate(actions):
        if h % many.horizon == 0:
            many.reset(ENVIRONMENTS, rng)
        many.step(action)
    return len(actions) * ENVIRONMENTS


def _synchronous(actions: np.ndarray) -> int:
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    from autodidact.environments.control import PointMass

    vector = SyncVectorEnv([PointMass] * ENVIRONMENTS, autoreset_mode=AutoresetMode.SAME_STEP)
    vector.reset(seed=0)
    for action in actions:
        vector.step(action)
    vector.close()
    return len(actions) * ENVIRONMENTS
