"""Pairs of steps after a common prefix, and training on them without an end token."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from autodidact.models.begun import BegunPolicy, begun
from autodidact.training.pairs import Pair
from autodidact.training.preferences import train_preferences
from autodidact.training.run import Log

if TYPE_CHECKING:
    import torch

    from autodidact.models.policy import Policy


def pairs_after(
    question: str, prefix: str, chosen: Sequence[str], rejected: Sequence[str], *, most: int | None = None
) -> list[Pair]:
    """Every distinct chosen text against a rejected one, both after the same prefix.

    question, prefix: the prompt is the question and the beginning of the answer, its bare header "Step k:" included, so
    that no header is scored. chosen, rejected: continuations, steps or tails; texts that differ in blanks only are one,
    and a chosen text that is also rejected makes no pair. Rejected texts are taken in turn. most: pairs at most, the
    first ones (None: all), lest a single error outweigh the others.

    Raises ValueError for `most` below 1 and for no rejected text.
    """
    if most is not None and most < 1:
        raise ValueError(f"most={most} must be at least 1, or None for all pairs")
    if not rejected:
        raise ValueError("rejected is empty: a pair needs a text to be worse than")
    wrong, right = _distinct(rejected), _distinct(chosen)
    texts = [text for key, text in right.items() if key not in wrong]
    prompt = begun(question, prefix)
    return [Pair(prompt, text, worse) for text, worse in zip(texts[:most], cycle(wrong.values()), strict=False)]


def _distinct(texts: Sequence[str]) -> dict[str, str]:
    """Texts by what they are without blanks, the first of equals, in order."""
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault("".join(text.split()), text)
    return found


def train_after(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    end: bool,
    loss: "Callable[..., torch.Tensor]",
    max_prompt_length: int | None = None,
    **run: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences` on pairs whose prompts are made by `begun`.

    end: False for steps, which nothing ends (an end token would teach the policy to stop after one step); True for
    texts that go on to the end of the answer. max_prompt_length: longer prompts lose their first tokens. run: what
    `train_preferences` takes besides. Returns a plain policy and the log of every step.
    """
    from autodidact.models.policy import Policy

    start = BegunPolicy(policy, end=end, max_prompt_length=max_prompt_length)
    trained, log = train_preferences(start, pairs, loss=loss, **run)
    return Policy(trained.model, trained.tokenizer, policy.name), log
