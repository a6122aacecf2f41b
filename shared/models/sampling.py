"""Batched n-best sampling whose every response depends on its prompt's seed and on nothing else in the batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from autodidact.checks import whole
from autodidact.models.response import Response, vocabulary_of


class Speaker(Protocol):
    """What sampling needs of a policy: `Policy` and its kin have it."""

    model: Any
    tokenizer: Any

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""

    @property
    def ends(self) -> frozenset[int]:
        """Token ids that end a response."""

    @property
    def end(self) -> int:
        """The token that ends a response in training."""

    @property
    def pad(self) -> int:
        """What fills rows up where nobody looks."""

    def check_places(self, tokens: int, what: str) -> None:
        """Raise ValueError for a sequence longer than the positions that the model has learned."""

    def encode_prompts(self, prompts: Sequence[Any]) -> dict[Any, list[int]]:
        """Prompt -> token ids."""

    def decode_all(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The texts of response token ids."""


UNENDED = ("open", "closed")
WORTH = 0.75  # ended responses leave the batch once no more than this share of it goes on


@dataclass(frozen=True, slots=True)
class Sample:
    """A response: its text, its log-probability under the policy, its tokens, and whether it ended by itself.

    `text` carries the token ids that scoring and training take (see `Response`), `ids` for short.
    `logprob` is log pi(response | prompt) in nats at temperature 1 over the whole vocabulary, whatever temperature and
    top-p it was drawn with; it sums over `tokens` tokens, the end token included if the response `ended`.
    """

    text: Response
    logprob: float
    tokens: int
    ended: bool

    @property
    def ids(self) -> tuple[int, ...]:
        """Token ids of the response, as they are scored and trained."""
        return self.text.ids


def sample(
    policy: Speaker,
    prompts: Sequence[str],
    n: int,
    *,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_new_tokens: int = 16,
    batch_size: int = 512,
    unended: str = "open",
) -> list[list[Sample]]:
    """Draw `n` responses to every prompt.

    One seed a prompt is drawn from `rng`; sample j of a prompt uses the stream (seed, j), one uniform number a token,
    by inversion of the cumulative distribution. So a response is the same whatever the batch size, the other prompts
    of the batch or the padding (up to the rounding of the model's own forward pass).

    temperature: 1 samples the policy, 0 is greedy. top_p: the smallest set of tokens whose probability reaches it.
    max_new_tokens: response tokens at most, the end token included. batch_size: responses in one forward pass.
    unended: how an answer that was cut at that limit is scored and trained, "open": as it was sampled, without an end
    token; "closed": as if it were whole, with the end token that the policy did not write.
    Returns one list of `n` `Sample`s a prompt, in order. Raises ValueError for values outside these ranges, and for
    prompts that leave no room for as many tokens in the positions that the model has learned.
    """
    n, max_new_tokens, batch_size = (
        whole(name, value, 1)
        for name, value in (("n", n), ("max_new_tokens", max_new_tokens), ("batch_size", batch_size))
    )
    _check(temperature, top_p, unended)
    seeds = rng.integers(2**63, size=len(prompts)).tolist()
    heads = policy.encode_prompts(prompts)
    encoded = [heads[prompt] for prompt in prompts]
    longest = max(map(len, encoded), default=0)
    policy.check_places(longest + max_new_tokens, f"the longest prompt with max_new_tokens={max_new_tokens}")
    order = sorted(range(len(prompts)), key=lambda i: len(encoded[i]))  # like lengths together: little padding
    rows = [(i, j) for i in order for j in range(n)]
    training, _ = policy.model.training, policy.model.eval()
    drawn: dict[tuple[int, int], Sample] = {}
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        uniforms = np.stack([np.random.default_rng([seeds[i], j]).random(max_new_tokens) for i, j in batch])
        answers = _decode(policy, [i for i, _ in batch], encoded, uniforms, temperature, top_p, unended == "closed")
        drawn.update(zip(batch, answers, strict=True))
    policy.model.train(training)
    return [[drawn[i, j] for j in range(n)] for i in range(len(prompts))]


def _check(temperature: float, top_p: float, unended: str) -> None:
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature} must be finite and not negative (0 is greedy)")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p} must lie in (0, 1]")
    if unended not in UNENDED:
        raise ValueError(f"unended={unended!r} is unknown; known are {', '.join(UNENDED)}")


@torch.inference_mode()
def _decode(
    policy: Speaker,
    owners: list[int],
    encoded: list[list[int]],
    uniforms: np.ndarray,
    temperature: float,
    top_p: float,
    close: bool,
) -> list[Sample]:
    """Decode one batch; row r answers prompt `owners[r]` with the uniform numbers `uniforms[r]`."""
    model, device = policy.model, policy.device
    unique = list(dict.fromkeys(owners))  # a prompt is read once, its cache repeated for its samples
    ids, mask = left_padded([encoded[i] for i in unique], policy.pad, device)
    position = mask.cumsum(1).sub(1).clamp(min=0)
    out = model(ids, attention_mask=mask, position_ids=position, use_cache=True, logits_to_keep=1)
    index = {i: k for k, i in enumerate(unique)}
    source = torch.tensor([index[i] for i in owners], device=device)
    cache, logits, mask = out.past_key_values, out.logits[source, -1], mask[source]
    cache.batch_select_indices(source)
    position = position[source, -1]

    u = torch.from_numpy(uniforms).to(device)
    ends = torch.tensor(sorted(policy.ends), device=device)
    length = uniforms.shape[1]
    tokens = torch.full((len(owners), length), policy.pad, device=device)
    logps = torch.zeros(len(owners), length, dtype=torch.float64, device=device)
    counts = torch.full((len(owners),), length, device=device)
    ended = torch.zeros(len(owners), dtype=torch.bool, device=device)
    rows = torch.arange(len(owners), device=device)  # of the batch that the cache still holds
    seen = torch.cat([mask, mask.new_ones(len(mask), length)], dim=1)  # of every step the beginning
    width = mask.shape[1]
    for step in range(length):
        scores = torch.log_softmax(logits.float(), dim=-1)
        token = _draw(scores, u[rows, step], temperature, top_p)
        alive = ~ended[rows]
        now = rows[alive]
        tokens[now, step] = token[alive]
        logps[now, step] = scores.gather(1, token[:, None]).squeeze(1)[alive].double()
        over = now[torch.isin(token[alive], ends)]
        counts[over] = step + 1
        ended[over] = True
        keep = (~ended[rows]).nonzero().squeeze(1)
        if len(keep) == 0 or step == length - 1:
            break
        if len(keep) <= WORTH * len(rows):
            cache.batch_select_indices(keep)
            rows, token, seen, position = rows[keep], token[keep], seen[keep], position[keep]
        position = position + 1
        out = model(
            token[:, None],
            attention_mask=seen[:, : width + step + 1],
            position_ids=position[:, None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, logits = out.past_key_values, out.logits[:, -1]
    return _collect(policy, tokens.cpu(), refuse_nan(logps.sum(1), policy).cpu(), counts.cpu(), ended.cpu(), close)


def left_padded(rows: list[list[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (rows, longest) each, every row at the end of its own."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def refuse_nan(values: torch.Tensor, policy: Speaker) -> torch.Tensor:
    """The same values; ValueError if one is NaN, which a model with such weights gives and which no one may rank."""
    if torch.isnan(values).any():
        raise ValueError(f"{policy!r} gives NaN where numbers are due: its weights are not finite")
    return values


def _draw(scores: torch.Tensor, uniform: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """One token a row by inversion; scores are log-probabilities (rows, vocabulary), uniform in [0, 1) (rows,)."""
    if temperature == 0:
        return scores.argmax(dim=-1)
    probabilities = torch.softmax(scores.double() / temperature, dim=-1)
    if top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = ordered.cumsum(-1) - ordered  # probability of all likelier tokens
        probabilities = torch.zeros_like(probabilities).scatter(1, order, ordered.masked_fill(before >= top_p, 0.0))
    cumulative = probabilities.cumsum(-1)
    target = (uniform * cumulative[:, -1])[:, None]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp(max=scores.shape[1] - 1)


def _collect(
    policy: Speaker,
    tokens: torch.Tensor,
    logps: torch.Tensor,
    counts: torch.Tensor,
    ended: torch.Tensor,
    close: bool,
) -> list[Sample]:
    rows = list(zip(tokens.tolist(), logps.tolist(), counts.tolist(), ended.tolist(), strict=True))
    texts = policy.decode_all([ids[: count - over] for ids, _, count, over in rows])
    vocabulary = vocabulary_of(policy.tokenizer)

    def response(text: str, ids: list[int], ended: bool) -> Response:
        return Response(text, ids if ended or not close else (*ids, policy.end), ended or close, vocabulary)

    return [
        Sample(response(text, ids[:count], over), logp, count, over)
        for text, (ids, logp, count, over) in zip(texts, rows, strict=True)
    ]
