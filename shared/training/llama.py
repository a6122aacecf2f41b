"""What a small Llama predicts at the tokens of responses, and nothing else computed.

The same numbers as the model's own forward pass, up to rounding, in about two thirds of the time: tokens lie one after
another without padding wherever they do not look at each other; a prompt is read once for all its responses; the last
layer and the head are computed only where something is to be predicted, since nobody looks at their other outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

Row = tuple[list[int], tuple[list[int], ...]]  # ids of a prompt, ids of its responses


@dataclass(frozen=True)
class Batch:
    """Rows laid out for `response_logits`; n tokens are read, at r of them something is predicted.

    The last token of a response is predicted and never read. The other tokens of a row lie one after another, the
    prompt and then each response.
    """

    rows: int
    ids: Tensor  # (n,)
    positions: Tensor  # (n,): a response's go on from the prompt's, whatever lies between
    place: Tensor  # (n,): where each token lies in a grid of (rows, longest row)
    asked: Tensor  # (r,): the tokens at which something is predicted, from each prompt's last on
    asked_place: Tensor  # (r,): where each of them lies in a grid of (rows, most asked of a row)
    mask: Tensor  # (longest, longest) or (rows, 1, longest, longest): 0 where a token may look, else -inf
    asked_mask: Tensor  # (rows, 1, most asked, longest)
    predictor: Tensor  # (targets,): which of the r predicts each token of the responses
    targets: Tensor  # (targets,): the tokens of the responses, row by row
    owner: Tensor  # (targets,): the response of each, counted through all first responses, then all second ones


def lay_out(rows: Sequence[Row]) -> Batch:
    """A batch of prompts with as many responses each. Raises ValueError for a prompt without tokens."""
    if not all(head for head, _ in rows):
        raise ValueError("a prompt has no tokens, so nothing predicts the first token of its responses")
    read = [[head, *(tail[:-1] for tail in tails)] for head, tails in rows]
    widths = torch.tensor([sum(map(len, parts)) for parts in read])
    row = torch.repeat_interleave(torch.arange(len(rows)), widths)
    column = torch.arange(len(row)) - (widths.cumsum(0) - widths)[row]
    first = torch.tensor([len(head) - 1 for head, _ in rows])
    longest, most = int(widths.max()), int((widths - first).max())
    place = row * longest + column
    asked = (column >= first[row]).nonzero()[:, 0]
    asked_place = row[asked] * most + (column - first[row])[asked]
    positions, mask = column, torch.full((longest, longest), -torch.inf).triu(1)
    if len(rows[0][1]) > 1:
        positions = torch.tensor([i for head, *tails in read for i in _positions(len(head), tails)])
        mask = mask + _apart(read, place, longest)
    asked_rows = mask[column[asked]] if mask.dim() == 2 else mask[row[asked], 0, column[asked]]
    return Batch(
        rows=len(rows),
        ids=torch.tensor([i for parts in read for part in parts for i in part]),
        positions=positions,
        place=place,
        asked=asked,
        asked_place=asked_place,
        mask=mask,
        asked_mask=_grid(asked_rows, asked_place, len(rows), most)[:, None],
        **_targets(rows, (widths - first).tolist()),
    )


def _positions(prompt: int, tails: Sequence[list[int]]) -> list[int]:
    return [*range(prompt), *(prompt + i for tail in tails for i in range(len(tail)))]


def _apart(read: Sequence[Sequence[list[int]]], place: Tensor, longest: int) -> Tensor:
    """(rows, 1, longest, longest): -inf where the tokens of one response would look at another's."""
    branch = torch.tensor([k for parts in read for k, part in enumerate(parts) for _ in part])
    grid = _grid(branch[:, None], place, len(read), longest)[..., 0]
    others = (grid[:, None, :] != 0) & (grid[:, None, :] != grid[:, :, None])
    return torch.zeros(others.shape).masked_fill_(others, -torch.inf)[:, None]


def _targets(rows: Sequence[Row], asked: Sequence[int]) -> dict[str, Tensor]:
    """The fields `predictor`, `targets` and `owner`; asked: how many tokens of each row predict something."""
    predictor, targets, owner = [], [], []
    for at, start, (_, tails) in zip(range(len(rows)), accumulate(asked, initial=0), rows, strict=False):
        inside = start  # the prompt's last token, then the tokens of the responses
        for k, tail in enumerate(tails):
            targets += tail
            owner += [k * len(rows) + at] * len(tail)
            predictor += [start, *range(inside + 1, inside + len(tail))][: len(tail)]
            inside += max(0, len(tail) - 1)
    return {name: torch.tensor(value, dtype=torch.long) for name, value in
            (("predictor", predictor), ("targets", targets), ("owner", owner))}  # fmt: skip


def _grid(values: Tensor, place: Tensor, rows: int, width: int) -> Tensor:
    """(n, ...) values put to their places in (rows, width, ...), zero elsewhere."""
    return values.new_zeros(rows * width, *values.shape[1:]).index_copy(0, place, values).unflatten(0, (rows, width))


def response_logits(model: "LlamaForCausalLM", batch: Batch) -> Tensor:
    """(r, vocabulary): the model's logits at the tokens of `batch.asked`.

    For a `LlamaForCausalLM` that is as its paper has it: no biases, no dropout, as many heads of keys as of queries.
    """
    x = model.model.embed_tokens(batch.ids)
    cos, sin = _angles(model, x, batch.positions)
    *layers, last = model.model.layers
    for layer in layers:
        x = _layer(layer, x, cos, sin, batch, None)
    x = _layer(last, x, cos, sin, batch, batch.asked)
    return model.lm_head(_norm(x, model.model.norm))


def _layer(layer: torch.nn.Module, x: Tensor, cos: Tensor, sin: Tensor, batch: Batch, asked: Tensor | None) -> Tensor:
    """One layer at all tokens, (n, hidden), or only at those that are asked, (r, hidden)."""
    attention, y = layer.self_attn, _norm(x, layer.input_layernorm)
    heads = (len(x), -1, attention.head_dim)
    longest, most = batch.mask.shape[-1], batch.asked_mask.shape[-2]
    q, place, width, mask = y, batch.place, longest, batch.mask
    cos_q, sin_q = cos, sin
    if asked is not None:
        q, x, cos_q, sin_q = y[asked], x[asked], cos[asked], sin[asked]
        place, width, mask = batch.asked_place, most, batch.asked_mask
    q = _turned(attention.q_proj(q).view(len(q), *heads[1:]), cos_q, sin_q) * attention.scaling
    k, v = _turned(attention.k_proj(y).view(heads), cos, sin), attention.v_proj(y).view(heads)
    q = _grid(q, place, batch.rows, width).transpose(1, 2)
    k, v = (_grid(part, batch.place, batch.rows, longest).transpose(1, 2) for part in (k, v))
    weights = (q @ k.transpose(-1, -2)).add_(mask).softmax(-1)
    x = x + attention.o_proj((weights @ v).transpose(1, 2).flatten(2).flatten(0, 1)[place])
    return x + layer.mlp(_norm(x, layer.post_attention_layernorm))


def _norm(x: Tensor, norm: torch.nn.Module) -> Tensor:
    return F.rms_norm(x, x.shape[-1:], norm.weight, norm.variance_epsilon)


def _angles(model: "LlamaForCausalLM", x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of rotary positions, (n, heads, width) each; the sine's first half has its sign turned.

    Written out for every head: products of tensors of one shape take less than half of the time.
    """
    heads = model.config.num_attention_heads
    cos, sin = (part[0, :, None] for part in model.model.rotary_emb(x, positions[None]))
    a, b = sin.chunk(2, dim=-1)
    return tuple(part.expand(-1, heads, -1).contiguous() for part in (cos, torch.cat((-a, b), dim=-1)))


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions: (n, heads, width) turned by `_angles`."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((b, a), dim=-1) * sin
