"""How a tiny policy learns to describe what it sees and to answer what it is asked, from demonstrations."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.divergence import check_weights
from autodidact.training.llama import lay_out, response_logits
from autodidact.vision.policy import Seen, VisionPolicy
from autodidact.vision.sight import TinySight

Row = tuple[list[int], list[int]]  # ids of a prompt, ids of its response
LOOK_UP = "colour"  # to say what colour a thing has takes nothing but to find it and to read it off
ONE_THING = (LOOK_UP, "there")  # kinds of question about one thing
AGAIN = "review"  # the word of second turns


def teach(policy: VisionPolicy, lessons: Sequence[tuple[Seen, str]], base: TinySight, rng: np.random.Generator) -> None:
    """Train a policy in place on (prompt, response); `prompt.truth.kind` is "caption", "draw" or that of a question.

    Each step takes `base.captions` captions, `base.questions` questions and `base.drawings` requests to draw. The loss
    is the sum of the mean cross-entropy of the captions' tokens, of the answers' and of the drawings': a mean over all
    tokens would leave answers of one word a tenth of the weight. In the mean of the drawings tokens of things have the
    weight `base.things`. In the first `base.first` of the steps the questions ask for colours alone, of choices in
    first turns: to look a thing up in the picture is learnt all at once or not at all, and among other questions it is
    often not. With `base.alone` there is nothing else in these steps, which the letters of choices need. Up to
    `base.second` of the steps questions are about one thing only, for the same reason. AdamW without decay; the rate
    rises over `base.warmup` of the steps and falls to zero as a cosine; gradients are clipped at norm 1.
    """
    heads = policy.encode_prompts([x for x, _ in lessons])
    tails = policy.encode_responses([y for _, y in lessons])
    parts = {"caption": [], "draw": [], "question": [], "first": [], "second": []}
    for (x, _), tail in zip(lessons, tails, strict=True):
        part = x.truth.kind if x.truth.kind in parts else "question"
        parts[part].append((heads[x], tail))
        if part == "question" and LOOK_UP in (words := x.text.split()) and AGAIN not in words:
            parts["first"].append((heads[x], tail))
        if x.truth.kind in ONE_THING:
            parts["second"].append((heads[x], tail))
    stages = ("first", base.first), ("second", base.second)
    weights = _weights(policy, base.things)
    optimiser = torch.optim.AdamW(policy.model.parameters(), lr=base.learning_rate, weight_decay=0.0, foreach=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, base))
    policy.model.train()
    for step in range(base.steps):
        asked = next((part for part, until in stages if parts[part] and step < until * base.steps), "question")
        taken = [(asked, base.questions, None)]
        if not (asked == "first" and base.alone):
            taken = [("caption", base.captions, None), *taken, ("draw", base.drawings, weights)]
        losses = [_loss(policy, _draw(parts[part], n, rng), weigh) for part, n, weigh in taken if parts[part] and n]
        optimiser.zero_grad()
        sum(losses).backward()
        nn.utils.clip_grad_norm_(policy.model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    check_weights(policy.model, base.steps)
    policy.model.eval()


def _rate(step: int, base: TinySight) -> float:
    """The learning rate of a step as a share of the highest."""
    risen = (step + 1) / max(1.0, base.warmup * base.steps)
    return min(1.0, risen) * 0.5 * (1 + np.cos(np.pi * step / base.steps))


def _draw(rows: list[Row], n: int, rng: np.random.Generator) -> list[Row]:
    return [rows[i] for i in rng.integers(len(rows), size=n)]


def _weights(policy: VisionPolicy, things: float) -> Tensor:
    """(words,): the weight of every word in a drawing."""
    from autodidact.environments.shapes.grid import THING_TOKENS

    known = policy.tokenizer.get_vocab()
    weights = torch.ones(policy.words)
    weights[[known[token] for token in THING_TOKENS if token in known]] = things
    return weights


def _loss(policy: VisionPolicy, rows: list[Row], weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the responses' tokens, in nats, each weighed as its word is, if at all."""
    batch = lay_out([(head, (tail,)) for head, tail in rows])
    logits = response_logits(policy.model, batch)[batch.predictor]
    return nn.functional.cross_entropy(logits, batch.targets, weights)
