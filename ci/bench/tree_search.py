"""Tokens a second of the tree search, beside plain sampling of as many tokens, and beside one tree at a time."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

PROMPTS, TOKENS = 24, 24


def bench_tree_search() -> dict[str, Any]:
    """Generated tokens a second; `search_to_plain` and `lock_step_speedup` are ratios of them.

    The search counts every token that it draws, and judges with the world's oracle. Plain sampling draws about as many
    tokens from the same prompts in the house's batches. One tree at a time is the same search with a cache of its own
    for each tree.
    """
    from autodidact.bases import load_policy
    from autodidact.environments import load_world
    from autodidact.models import TinyBase
    from autodidact.samplers import SearchSettings
    from autodidact.streams import stream

    world = load_world("facts/requests")
    policy = load_policy("tiny", world, seed=100, base=TinyBase(steps=350))
    prompts = world.prompts(PROMPTS, stream(100, "held-out"), "risky", split="held-out")
    settings = SearchSettings(rounds=20, rounds_after_commit=5, children=6, lengths=(1, 2, 4, 8), max_tokens=TOKENS)
    _search(policy, world, prompts[:2], settings)  # warms up
    together, seconds = _timed(lambda: _search(policy, world, prompts, settings))
    apart, apart_seconds = _timed(lambda: sum(_search(policy, world, [x], settings) for x in prompts[:6]))
    n = max(1, round(together / (PROMPTS * 20)))
    plain, plain_seconds = _timed(lambda: _plain(policy, prompts, n))
    rates = [together / seconds, plain / plain_seconds, apart / apart_seconds]
    return {
        "search_tokens_per_second": rates[0],
        "plain_tokens_per_second": rates[1],
        "one_tree_tokens_per_second": rates[2],
        "search_to_plain": rates[0] / rates[1],
        "lock_step_speedup": rates[0] / rates[2],
    }


def _timed(run: Callable[[], int]) -> tuple[int, float]:
    start = time.perf_counter()
    tokens = run()
    return tokens, time.perf_counter() - start


def _search(policy: Any, world: Any, prompts: list, settings: Any) -> int:
    from autodidact.environments.facts import OracleEvaluator
    from autodidact.samplers import PrefixCache, Task, tree_search

    judge = OracleEvaluator(world, 0.8)
    weights = policy.model.get_input_embeddings().weight.detach().numpy()
    found = tree_search(
        PrefixCache(policy),
        [Task(tuple(policy.encode(x.text)), settings, np.random.default_rng(i)) for i, x in enumerate(prompts)],
        lambda items: [judge.score(prompts[i], text) for i, text in items],
        decode=policy.decode,
        embed=lambda texts: np.stack([weights[list(text)].mean(axis=0) for text in texts]),
        ends=policy.ends,
        stops=frozenset(i for i, word in enumerate(world.vocabulary) if world.complete_clause(word)),
    )
    return sum(f.generated for f in found)


def _plain(policy: Any, prompts: list, n: int) -> int:
    rows = policy.generate([x.text for x in prompts], n, rng=np.random.default_rng(0), max_new_tokens=TOKENS)
    return sum(y.tokens for row in rows for y in row)
