"""Tokens a second of the sampler beside transformers' `generate`, and responses a second of `logprobs`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ci.bench.rates import cpu_rate, wall_rate

REPEATS = {"tiny": 9, "smollm2": 2}
# of each model: prompts, samples a prompt, response tokens at most
SIZES = {"tiny": (64, 8, 14), "smollm2": (8, 4, 16)}


def bench_sampler(model: str = "tiny") -> dict[str, Any]:
    """Tokens a second, the best of repeats in turn, and ratios of ours to each peer.

    speedup_batched: to `generate` on the same prompts as one left-padded batch with `num_return_sequences`, what a user
    would write. speedup_single: to `generate` prompt by prompt, of the tiny model alone, for time. All sample at
    temperature 1 from the whole vocabulary. Rates are by CPU seconds on a CPU, by wall seconds on a GPU.
    """
    policy, texts, samples, tokens = _setting(model)
    ways = {
        "ours": lambda: _ours(policy, texts, samples, tokens),
        "batched": lambda: _generate(policy, texts, samples, tokens),
    }
    if model == "tiny":
        ways["single"] = lambda: sum(_generate(policy, [text], samples, tokens) for text in texts)
    rates = _in_turn(policy, ways, REPEATS[model])
    return {
        **{f"{name}_tokens_per_second": rate for name, rate in rates.items()},
        **{f"speedup_{name}": rates["ours"] / rate for name, rate in rates.items() if name != "ours"},
    }


def bench_logprobs(model: str = "tiny") -> dict[str, Any]:
    """Responses a second of `Policy.logprobs`, of what it has computed before, and of a plain forward pass.

    The plain one is what a user would write: one right-padded batch, `log_softmax` over all logits, `gather`.
    `apart` is the largest difference of a token's log-probability between the two, in nats.
    """
    policy, texts, samples, tokens = _setting(model)
    rows = policy.generate(texts, samples, rng=np.random.default_rng(0), max_new_tokens=tokens)
    pairs = [(x, y.text) for x, row in zip(texts, rows, strict=True) for y in row]

    def ours(fresh: bool = True) -> int:
        if fresh:
            policy.memo.of(None)  # forgets
        return len(policy.logprobs(*zip(*pairs, strict=True)))

    ways = {"ours": ours, "known": lambda: ours(fresh=False), "plain": lambda: len(_plain(policy, pairs))}
    rates = _in_turn(policy, ways, REPEATS[model])
    both = zip(policy.logprobs(*zip(*pairs, strict=True)), _plain(policy, pairs), strict=True)
    return {
        **{f"{name}_responses_per_second": rate for name, rate in rates.items()},
        "speedup": rates["ours"] / rates["plain"],
        "apart": max(float((a - b).abs().max()) for a, b in both),
    }


def _setting(model: str) -> tuple[Any, list[str], int, int]:
    """The policy, its prompts, samples a prompt and tokens a response; ValueError for another model."""
    from autodidact.bases import load_policy
    from autodidact.environments import load_world
    from autodidact.streams import stream

    if model not in SIZES:
        raise ValueError(f"model={model!r} is unknown; known are {', '.join(SIZES)}")
    prompts, samples, tokens = SIZES[model]
    world = load_world("instructions/default" if model == "tiny" else "stories/first")
    policy = load_policy(model, world, seed=100)
    return policy, [x.text for x in world.prompts(prompts, stream(100, "train"))], samples, tokens


def _in_turn(policy: Any, ways: dict[str, Callable[[], int]], repeats: int) -> dict[str, float]:
    """The best rate of each, measured in turn, since other work on the machine slows and never quickens."""
    from autodidact.bases.keys import one_thread

    rate = cpu_rate if policy.device.type == "cpu" else wall_rate
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with one_thread():
        for _ in range(repeats + 1):
            for name, run in ways.items():
                rates[name].append(rate(run))
    return {name: max(values) for name, values in rates.items()}


def _ours(policy: Any, texts: list[str], samples: int, tokens: int) -> int:
    rows = policy.generate(texts, samples, rng=np.random.default_rng(0), max_new_tokens=tokens)
    return sum(sample.tokens for row in rows for sample in row)


def _generate(policy: Any, texts: list[str], samples: int, tokens: int) -> int:
    """Tokens that `generate` draws to prompts in one batch, the end tokens included."""
    import torch

    ids, mask = _padded([policy.encode(text) for text in texts], policy, left=True)
    out = policy.model.generate(
        ids,
        attention_mask=mask,
        do_sample=True,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        num_return_sequences=samples,
        max_new_tokens=tokens,
        pad_token_id=policy.tokenizer.pad_token_id,
    )
    new = out[:, ids.shape[1] :]
    policy.tokenizer.batch_decode(new, skip_special_tokens=True)  # texts are what both are asked for
    over = torch.isin(new, torch.tensor(sorted(policy.ends), device=new.device))
    return int((over.cumsum(1) - over.long() == 0).sum())  # what follows the first end is padding


def _plain(policy: Any, pairs: list[tuple[str, str]]) -> list[Any]:
    import torch

    heads, tails = [policy.encode(x) for x, _ in pairs], [policy.encode_response(y) for _, y in pairs]
    ids, mask = _padded([x + y for x, y in zip(heads, tails, strict=True)], policy, left=False)
    with torch.inference_mode():
        logits = policy.model(ids, attention_mask=mask, use_cache=False).logits[:, :-1]
        logps = torch.log_softmax(logits.float(), dim=-1).gather(-1, ids[:, 1:, None]).squeeze(-1).cpu()
    spans = [(len(x) - 1, len(x) - 1 + len(y)) for x, y in zip(heads, tails, strict=True)]
    return [row[start:end] for row, (start, end) in zip(logps, spans, strict=True)]


def _padded(rows: list[list[int]], policy: Any, *, left: bool) -> tuple[Any, Any]:
    import torch

    width, pad = max(map(len, rows)), policy.tokenizer.pad_token_id
    gaps = [width - len(row) for row in rows]
    ids = [[pad] * n + row if left else row + [pad] * n for row, n in zip(rows, gaps, strict=True)]
    mask = [[0] * n + [1] * len(row) if left else [1] * len(row) + [0] * n for row, n in zip(rows, gaps, strict=True)]
    return torch.tensor(ids, device=policy.device), torch.tensor(mask, device=policy.device)
