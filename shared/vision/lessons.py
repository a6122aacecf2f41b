"""How a tiny policy learns to describe what it sees and to answer what it is asked, from demonstrations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from shared.vision.policy import Seen, VisionPolicy
    from shared.vision.tiny import TinySight

Row = tuple[list[int], list[int]]  # ids of a prompt, ids of its response
IGNORED = -100  # the label that cross-entropy leaves out
LOOK_UP = "colour"  # to say what colour a thing has takes nothing but to find it and to read it off
AGAIN = "review"  # the word of second turns


def teach(
    policy: "VisionPolicy", lessons: Sequence[tuple["Seen", str]], base: "TinySight", rng: np.random.Generator
) -> None:
    """Train a policy in place on (prompt, response); `prompt.truth.kind` is "caption" or the kind of a question.

    Each step takes `base.captions` captions and `base.questions` questions. The loss is the mean cross-entropy of the
    captions' tokens plus that of the answers': a mean over all tokens would leave answers of one word a tenth of the
    weight. In the first `base.first` of the steps the questions ask for colours alone, of choices in first turns: to
    look a thing up in the picture is learnt all at once or not at all, and among other questions it is often not. With
    `base.alone` there are no captions in these steps, which the letters of choices need. AdamW without decay; the rate
    rises over `base.warmup` of the steps and falls to zero as a cosine; gradients are clipped at norm 1.
    """
    captions, questions = [[x for x in lessons if (x[0].truth.kind == "caption") is wanted] for wanted in (True, False)]
    plain = [x for x in questions if LOOK_UP in (words := x[0].text.split()) and AGAIN not in words]
    heads = policy.encode_prompts([x for x, _ in lessons])
    tails = policy.encode_responses([y for _, y in lessons])
    written, asked, first = ([(heads[x], tails[y]) for x, y in part] for part in (captions, questions, plain))
    optimiser = torch.optim.AdamW(policy.model.parameters(), lr=base.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, base))
    policy.model.train()
    for step in range(base.steps):
        early = first and step < base.first * base.steps
        parts = [(first if early else asked, base.questions)]
        parts = parts if early and base.alone else [(written, base.captions), *parts]
        losses = [_loss(policy, _draw(rows, n, rng)) for rows, n in parts if rows]
        optimiser.zero_grad()
        sum(losses).backward()
        nn.utils.clip_grad_norm_(policy.model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    policy.model.eval()


def _rate(step: int, base: "TinySight") -> float:
    """The learning rate of a step as a share of the highest."""
    risen = (step + 1) / max(1.0, base.warmup * base.steps)
    return min(1.0, risen) * 0.5 * (1 + np.cos(np.pi * step / base.steps))


def _draw(rows: list[Row], n: int, rng: np.random.Generator) -> list[Row]:
    return [rows[i] for i in rng.integers(len(rows), size=n)]


def _loss(policy: "VisionPolicy", rows: list[Row]) -> Tensor:
    """Mean cross-entropy of the responses' tokens, in nats."""
    longest = max(len(head) + len(tail) for head, tail in rows)
    ids = torch.full((len(rows), longest), policy.tokenizer.pad_token_id)
    labels = torch.full((len(rows), longest), IGNORED)
    for i, (head, tail) in enumerate(rows):
        ids[i, : len(head) + len(tail)] = torch.tensor(head + tail)
        labels[i, len(head) : len(head) + len(tail)] = torch.tensor(tail)
    mask = torch.arange(longest) < torch.tensor([[len(head) + len(tail)] for head, tail in rows])
    logits = policy.model(input_ids=ids, attention_mask=mask.long()).logits
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
