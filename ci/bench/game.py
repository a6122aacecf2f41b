"""Frames per second of the town world on one core: a batch in one array, a loop over single games, gymnasium's own."""

import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from autodidact.environments import game

GAMES = 64
STEPS = 100
PLAIN_STEPS = 10  # of the two slow ways
REPEATS = 5


def bench_game(games: int = GAMES, steps: int = STEPS) -> dict[str, Any]:
    """Frames per second by way and window, and how often faster the batch is; CPU time, the best of a few repeats."""
    actions = np.random.default_rng(0).integers(len(game.ACTIONS), size=(steps, games))
    found: dict[str, Any] = {}
    for scale in (1, 2):
        knobs = {"scale": scale, "horizon": 100_000}
        batch = game.make_vector(range(games), **knobs)
        batch.reset()
        singles = [game.make(seed, **knobs) for seed in range(games)]
        peer = gymnasium.vector.SyncVectorEnv(
            [lambda seed=seed, k=knobs: game.make(seed, **k) for seed in range(games)]
        )
        for env in (*singles, peer):
            env.reset(seed=0)
        few = actions[:PLAIN_STEPS]
        speed = {
            "batch": _frames(batch.step, actions),
            "loop": _frames(lambda a, envs=singles: [env.step(int(x)) for env, x in zip(envs, a, strict=True)], few),
            "sync_vector_env": _frames(peer.step, few),
        }
        peer.close()
        pixels = batch.observation_shape[0]
        found |= {f"{way}_{pixels}_fps": value for way, value in speed.items()}
        found |= {f"over_{way}_{pixels}": speed["batch"] / speed[way] for way in ("loop", "sync_vector_env")}
    return found


def _frames(step: Callable[[np.ndarray], Any], actions: np.ndarray) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        for row in actions:
            step(row)
        seconds.append(time.process_time() - start)
    return actions.size / min(seconds)
