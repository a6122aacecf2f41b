"""A tiny transformer that makes choices and reports weights, and the training of several of them side by side.

Options are numbers and contexts learned tokens, so that nothing is spent on reading: a choice costs seven tokens.
Several choosers are one set of tensors with the choosers on the first axis: on one core a step of four takes less than
three times that of one (`make bench`).
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from autodidact.bases.keys import one_thread
from autodidact.choosers.lesson import Lesson, Teaching
from autodidact.divergence import check_finite, check_tensors

if TYPE_CHECKING:
    from autodidact.environments.choices import Choices, Decisions

Parameters = dict[str, torch.Tensor]
DECIDE, REPORT = 0, 1  # the two task tokens
SCALE = 100.0  # reports are learned in units of the largest weight
AT_ONCE = 512  # decisions of one forward pass: more leave the processor's caches and take twice as long


@dataclass(frozen=True)
class TinySize:
    """Layers, width of the residual stream, attention heads, and width of the gated layer as a multiple."""

    layers: int = 2
    width: int = 32
    heads: int = 2
    expansion: int = 2


class TinyChooser:
    """Seven tokens in, without a mask: the task, the context, and one token an attribute with its value in A and in B.

    The choice is a linear read-out at the task token, the five reported weights are one linear read-out, the same for
    all, at the attribute tokens. Layers are those of a Llama without positions: the attributes' tokens differ anyway.
    """

    def __init__(self, world: "Choices", parameters: Parameters, size: TinySize) -> None:
        self.world, self.parameters, self.size = world, parameters, size

    @classmethod
    def fresh(cls, world: "Choices", rng: np.random.Generator, size: TinySize | None = None) -> "TinyChooser":
        """A chooser that has learned nothing, its weights drawn from `rng`."""
        size = size or TinySize()
        w, wide, contexts = size.width, size.expansion * size.width, len(world.contexts)
        shapes = {"task": ((2, w), 0.5), "context": ((contexts, w), 0.5), "attribute": ((5, w), 0.5)}
        shapes |= {"value": ((2, w), 0.5), "choice": ((w, 1), w**-0.5), "report": ((w, 1), w**-0.5)}
        for i in range(size.layers):
            shapes[f"qkv{i}"], shapes[f"out{i}"] = ((w, 3 * w), w**-0.5), ((w, w), w**-0.5)
            shapes[f"up{i}"], shapes[f"down{i}"] = ((w, 2 * wide), w**-0.5), ((wide, w), wide**-0.5)
        drawn = {k: rng.normal(0, spread, shape).astype(np.float32) for k, (shape, spread) in shapes.items()}
        return cls(world, {k: torch.from_numpy(v) for k, v in drawn.items()}, size)

    def choose(self, decisions: "Decisions") -> np.ndarray:
        """(n,): 1 for A, 0 for B, the more probable one."""
        return (self._answers(DECIDE, decisions)[0] > 0).astype(float)

    def report(self, decisions: "Decisions") -> np.ndarray:
        """(n, 5): the reported weights; this chooser is never malformed."""
        return SCALE * self._answers(REPORT, decisions)[1].astype(float)

    @torch.inference_mode()
    def _answers(self, task: int, decisions: "Decisions") -> tuple[np.ndarray, np.ndarray]:
        one = {k: v[None] for k, v in self.parameters.items()}
        inputs = zip(*(part.split(AT_ONCE) for part in _inputs(self.world, decisions)), strict=True)
        answers = [
            forward(one, torch.full_like(context, task)[None], context[None], values[None], self.size)
            for context, values in inputs
        ]
        logits, reports = (torch.cat(parts, dim=1)[0].numpy() for parts in zip(*answers, strict=True))
        return logits, reports


def forward(
    p: Parameters, task: torch.Tensor, context: torch.Tensor, values: torch.Tensor, size: TinySize
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of A, (choosers, batch), and reports in hundreds, (choosers, batch, 5).

    p: tensors with the choosers on the first axis. task, context: (choosers, batch). values: (choosers, batch, 5, 2).
    """
    x = torch.cat(
        [
            _embed(p["task"], task)[:, :, None],
            _embed(p["context"], context)[:, :, None],
            p["attribute"][:, None] + _linear(values, p["value"]),
        ],
        dim=2,
    )
    for i in range(size.layers):
        x = x + _linear(_attention(_linear(_norm(x), p[f"qkv{i}"]), size.heads), p[f"out{i}"])
        gate, up = _linear(_norm(x), p[f"up{i}"]).chunk(2, dim=-1)
        x = x + _linear(F.silu(gate) * up, p[f"down{i}"])
    x = _norm(x)
    return _linear(x[:, :, :1], p["choice"])[:, :, 0, 0], _linear(x[:, :, 2:], p["report"])[..., 0]


def train_tiny(
    choosers: Sequence[TinyChooser],
    lessons: Sequence[Lesson],
    teaching: Teaching,
    rng: np.random.Generator,
    *,
    watch: Callable[[int, int, TinyChooser], None] | None = None,
    at: Collection[int] = (),
) -> list[TinyChooser]:
    """Trained copies of the choosers, each of its own lesson, all on batches of the same indices.

    A step takes `batch_size` choices and `batch_size` reports, as far as the lessons have either: cross-entropy of the
    choice (nats) plus mean squared error of the report (in hundreds). AdamW without decay. `watch(place, step,
    chooser)` is called for every chooser after each of the steps in `at`. Raises ValueError for lessons of
    different length, `Diverged` for a step that is not finite.
    """
    if len({(len(one.choices), len(one.reports)) for one in lessons}) != 1:
        raise ValueError("lessons must be of one length, so that all choosers see batches of the same indices")
    with one_thread():  # more would gain nothing on tensors so small, and move the numbers
        return _train(choosers, lessons, teaching, rng, watch, at)


def _train(
    choosers: Sequence[TinyChooser],
    lessons: Sequence[Lesson],
    teaching: Teaching,
    rng: np.random.Generator,
    watch: Callable[[int, int, TinyChooser], None] | None,
    at: Collection[int],
) -> list[TinyChooser]:
    size = choosers[0].size
    p = {k: torch.stack([one.parameters[k] for one in choosers]).requires_grad_() for k in choosers[0].parameters}
    tables = _tables(choosers[0].world, lessons)
    optimiser = torch.optim.AdamW(p.values(), lr=teaching.learning_rate, weight_decay=0.0, fused=True)
    for step in range(teaching.steps):
        for group in optimiser.param_groups:
            group["lr"] = teaching.learning_rate * _rate(step, teaching)
        batches = [[x[:, rows] for x in table] for table, rows in _draw(tables, teaching.batch_size, rng)]
        task, context, values = (torch.cat([batch[i] for batch in batches], dim=1) for i in range(3))
        logits, reports = forward(p, task, context, values, size)
        loss = torch.zeros(())
        for batch, answers, mistake in zip(
            batches, _split(logits, reports, batches), (_cross_entropy, _squared), strict=True
        ):
            if batch[0].shape[1]:
                loss = loss + mistake(answers, batch[3])
        check_finite(step + 1, loss=loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if watch is not None and step + 1 in at:
            for place, one in enumerate(_copies(choosers, p)):
                watch(place, step + 1, one)
    check_tensors(p, teaching.steps)
    return _copies(choosers, p)


def _copies(choosers: Sequence[TinyChooser], p: Parameters) -> list[TinyChooser]:
    """Choosers of the weights as they are now, apart again and out of training."""
    return [
        TinyChooser(one.world, {k: v[i].detach().clone() for k, v in p.items()}, one.size)
        for i, one in enumerate(choosers)
    ]


def _inputs(world: "Choices", decisions: "Decisions") -> tuple[torch.Tensor, torch.Tensor]:
    """Contexts (n,) and values (n, 5, 2) from -1 to 1 within the attributes' ranges."""
    values = 2 * world.features(decisions).transpose(0, 2, 1) - 1
    return torch.from_numpy(decisions.context.astype(np.int64)), torch.from_numpy(values.astype(np.float32))


def _tables(world: "Choices", lessons: Sequence[Lesson]) -> list[list[torch.Tensor]]:
    """For choices and for reports: task, context, values and answers of all lessons, (choosers, n, ...) each."""
    tables = []
    for task, name, answers in ((DECIDE, "choices", "chose_a"), (REPORT, "reports", "weights")):
        pairs = [_inputs(world, getattr(one, name)) for one in lessons]
        context, values = (torch.stack(x) for x in zip(*pairs, strict=True))
        wanted = np.stack([getattr(one, answers) for one in lessons]) / (SCALE if task == REPORT else 1.0)
        tables.append([torch.full_like(context, task), context, values, torch.from_numpy(wanted.astype(np.float32))])
    return tables


def _draw(tables: list[list[torch.Tensor]], batch_size: int, rng: np.random.Generator) -> list:
    """Each table with the rows of a batch, none of an empty table."""
    lengths = [table[0].shape[1] for table in tables]
    return [
        (table, torch.from_numpy(rng.integers(n, size=batch_size)) if n else torch.zeros(0, dtype=torch.long))
        for table, n in zip(tables, lengths, strict=True)
    ]


def _split(logits: torch.Tensor, reports: torch.Tensor, batches: list) -> tuple[torch.Tensor, torch.Tensor]:
    """The choices' logits and the reports' weights: the first rows of a batch are choices."""
    n = batches[0][0].shape[1]
    return logits[:, :n], reports[:, n:]


def _cross_entropy(logits: torch.Tensor, chose_a: torch.Tensor) -> torch.Tensor:
    """Summed over choosers, so that each gets the gradient of its own mean."""
    return F.binary_cross_entropy_with_logits(logits, chose_a, reduction="none").mean(1).sum()


def _squared(reports: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (reports - weights).square().mean((1, 2)).sum()


def _rate(step: int, teaching: Teaching) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then constant or half a cosine."""
    rise = round(teaching.warmup * teaching.steps)
    if step < rise:
        return (step + 1) / rise
    if teaching.schedule == "constant":
        return 1.0
    return (1 + math.cos(math.pi * (step - rise) / max(1, teaching.steps - rise))) / 2


def _embed(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Rows of each chooser's own table: (choosers, rows, width) by (choosers, batch) gives (choosers, batch, width)."""
    start = torch.arange(len(table))[:, None] * table.shape[1]
    return F.embedding(index + start, table.flatten(0, 1))


def _linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(choosers, ..., in) times (choosers, in, out)."""
    return torch.bmm(x.flatten(1, -2), weight).unflatten(1, x.shape[1:-1])


def _norm(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _attention(qkv: torch.Tensor, heads: int) -> torch.Tensor:
    """(choosers, batch, tokens, 3 width) to (choosers, batch, tokens, width)."""
    choosers, batch, tokens, _ = qkv.shape
    q, k, v = qkv.view(choosers * batch, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v)
    return mixed.transpose(1, 2).reshape(choosers, batch, tokens, -1)
