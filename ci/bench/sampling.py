"""Tokens a second of the sampler, beside `generate` called prompt by prompt, on the same tiny model."""

import statistics
from typing import Any

import numpy as np

from ci.bench.rates import wall_rate

PROMPTS, SAMPLES, TOKENS, REPEATS = 64, 8, 14, 3


def bench_sampler() -> dict[str, Any]:
    """Tokens a second of both and their ratio, `speedup`: medians over repeats in turn.

    The other side is `model.generate` with eight samples to one prompt at a time, its own cache and sampling.
    """
    from autodidact.environments import load_world
    from autodidact.bases import load_policy
    from autodidact.streams import stream

    world = load_world("instructions/default")
    policy = load_policy("tiny", world, seed=100)
    texts = [x.text for x in world.prompts(PROMPTS, stream(100, "train"))]
    ours, plain = [], []
    for repeat in range(REPEATS + 1):
        ours.append(wall_rate(lambda r=repeat: _ours(policy, texts, np.random.default_rng(r))))
        plain.append(wall_rate(lambda: _plain(policy, texts)))
    fast, slow = statistics.median(ours[1:]), statistics.median(plain[1:])  # the first of each warms up
    return {"ours_tokens_per_second": fast, "generate_tokens_per_second": slow, "speedup": fast / slow}


def _ours(policy: Any, texts: list[str], rng: np.random.Generator) -> int:
    rows = policy.generate(texts, SAMPLES, rng=rng, max_new_tokens=TOKENS)
    return sum(sample.tokens for row in rows for sample in row)


def _plain(policy: Any, texts: list[str]) -> int:
    import torch

    count = 0
    for text in texts:
        ids = torch.tensor([policy.encode(text)], device=policy.device)
        out = policy.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            top_k=0,
            num_return_sequences=SAMPLES,
            max_new_tokens=TOKENS,
        )
        new = out[:, ids.shape[1] :]
        count += int((new != policy.tokenizer.pad_token_id).sum())
    return count
