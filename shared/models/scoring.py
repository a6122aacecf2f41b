"""Log-probabilities of given responses, in batches; a prompt with several responses is read once for all of them."""

from collections.abc import Iterator, Sequence

import torch

from autodidact.models.sampling import Speaker, left_padded, refuse_nan

Ids = list[int]
CPU_TOKENS, GPU_TOKENS = 2048, 16384  # of a batch: on a CPU larger ones leave its caches (measured by `make bench`)
SHARED = 1.5  # responses a prompt from which on reading prompts once is quicker than one pass over everything


@torch.inference_mode()
def token_logprobs(
    policy: Speaker, pairs: Sequence[tuple[Ids, Ids]], batch_tokens: int | None = None
) -> list[torch.Tensor]:
    """log pi of every token of each response given its prompt, pairs of token ids: float32 (tokens,), in nats.

    batch_tokens: prompt and response tokens of one forward pass at most; None: by the policy's device. Raises
    ValueError for `batch_tokens` below 1, for more tokens than the model has positions, and where it gives NaN.
    """
    if batch_tokens is not None and batch_tokens < 1:
        raise ValueError(f"batch_tokens={batch_tokens} must be at least 1, or None")
    policy.check_places(max((len(x) + len(y) for x, y in pairs), default=0), "the longest prompt with its response")
    budget = batch_tokens or (CPU_TOKENS if policy.device.type == "cpu" else GPU_TOKENS)
    several = len(pairs) >= SHARED * len({tuple(head) for head, _ in pairs})
    forward = _after_prompts if several else _at_once
    result = [torch.empty(0)] * len(pairs)
    training, _ = policy.model.training, policy.model.eval()
    try:
        for batch in _batches(pairs, budget, by_prompt=several):
            for i, logps in zip(batch, forward(policy, [pairs[i] for i in batch]), strict=True):
                result[i] = logps
    finally:
        policy.model.train(training)
    return result


def _batches(pairs: Sequence[tuple[Ids, Ids]], budget: int, *, by_prompt: bool) -> Iterator[list[int]]:
    """Indices of pairs of like lengths, `budget` tokens at most with padding, one pair at least."""

    def place(i: int) -> tuple:
        head, tail = pairs[i]
        return (len(head), head, len(tail)) if by_prompt else (len(head) + len(tail),)

    batch, longest = [], 0
    for i in sorted(range(len(pairs)), key=place):
        longest = max(longest, sum(map(len, pairs[i])))
        if batch and longest * (len(batch) + 1) > budget:
            yield batch
            batch, longest = [], sum(map(len, pairs[i]))
        batch.append(i)
    if batch:
        yield batch


def _at_once(policy: Speaker, pairs: list[tuple[Ids, Ids]]) -> list[torch.Tensor]:
    """Prompt and response in one pass, padded on the right."""
    ids, mask = _right_padded([x + y for x, y in pairs], policy)
    first = min(len(x) for x, _ in pairs) - 1  # no logits are needed before the first response token
    out = policy.model(ids, attention_mask=mask, use_cache=False, logits_to_keep=ids.shape[1] - first)
    logps = _of_tokens(policy, out.logits[:, :-1], ids[:, first + 1 :])
    return [logps[row, len(x) - 1 - first :][: len(y)].clone() for row, (x, y) in enumerate(pairs)]


def _after_prompts(policy: Speaker, pairs: list[tuple[Ids, Ids]]) -> list[torch.Tensor]:
    """Each different prompt once, padded on the left; then the responses on copies of its keys and values."""
    device = policy.device
    place = {head: row for row, head in enumerate(dict.fromkeys(tuple(x) for x, _ in pairs))}
    source = torch.tensor([place[tuple(x)] for x, _ in pairs], device=device)
    ids, seen = left_padded([list(head) for head in place], policy.pad, device)
    position = seen.cumsum(1).sub(1).clamp(min=0)
    out = policy.model(ids, attention_mask=seen, position_ids=position, use_cache=True, logits_to_keep=1)
    tails, mask = _right_padded([y for _, y in pairs], policy)
    logits = out.logits[source]
    if tails.shape[1] > 1:
        cache = out.past_key_values
        cache.batch_select_indices(source)
        start = torch.tensor([len(x) for x, _ in pairs], device=device)[:, None]
        rest = policy.model(
            tails[:, :-1],
            attention_mask=torch.cat([seen[source], mask[:, :-1]], dim=1),
            position_ids=start + torch.arange(tails.shape[1] - 1, device=device),
            past_key_values=cache,
            use_cache=True,
        )
        logits = torch.cat([logits, rest.logits], dim=1)
    logps = _of_tokens(policy, logits[:, : tails.shape[1]], tails)
    return [logps[row, : len(y)].clone() for row, (_, y) in enumerate(pairs)]


def _right_padded(rows: list[Ids], policy: Speaker) -> tuple[torch.Tensor, torch.Tensor]:
    width, pad = max(map(len, rows)), policy.pad
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows], dtype=torch.long, device=policy.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=policy.device)
    return ids, mask.long()


def _of_tokens(policy: Speaker, logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """log softmax at the ids: logits (rows, tokens, vocabulary), ids (rows, tokens), float32 on the CPU."""
    logits = logits.float()
    logps = logits.gather(-1, ids[..., None]).squeeze(-1) - logits.logsumexp(-1)
    return refuse_nan(logps, policy).cpu()
