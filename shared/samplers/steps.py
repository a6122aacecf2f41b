"""Answers that go on from a given prefix, and their steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodidact.models.begun import BegunPolicy, begun
from autodidact.models.policy import Policy

HEADER = re.compile(r"\s*\bStep ?\d+ ?:")


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a policy wrote after the beginning of an answer.

    prefix: the beginning. text: what follows, as it was sampled, leading blanks included. tokens: its length, the end
    token included if it `ended`.
    """

    prefix: str
    text: str
    tokens: int
    ended: bool

    @property
    def whole(self) -> str:
        """The answer from its first character on."""
        return glue(self.prefix, self.text)

    @property
    def step(self) -> str:
        """The text up to the next header: the step that the prefix asked for, without trailing blanks."""
        return first_step(self.text)


def glue(prefix: str, text: str) -> str:
    """Prefix and what follows it, with one blank between them unless one of the two brings it."""
    return prefix + (" " if prefix and text and not (prefix[-1].isspace() or text[0].isspace()) else "") + text


def first_step(text: str) -> str:
    """What stands before the next `Step i:` header; a last step keeps its answer line."""
    found = HEADER.search(text)
    return (text[: found.start()] if found else text).rstrip()


def continue_answers(
    policy: Policy,
    questions: Sequence[str],
    prefixes: Sequence[str],
    n: int,
    *,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_new_tokens: int = 64,
    batch_size: int = 512,
    stop: str | None = None,
) -> list[list[Continuation]]:
    """`n` answers to every question that begin with its prefix, such as "Step 1:" or right steps and a bare header.

    Sampling is `autodidact.samplers.sample`; one list of `n` continuations a question, in order. stop: a regular
    expression; a text is cut behind its first match, for models that go on after their answer (`tokens` and `ended`
    stay those of what was sampled). Raises ValueError if questions and prefixes differ in number.
    """
    if len(questions) != len(prefixes):
        raise ValueError(f"questions and prefixes must be as many: {len(questions)} and {len(prefixes)} were given")
    rows = BegunPolicy(policy, end=True).generate(
        [begun(question, prefix) for question, prefix in zip(questions, prefixes, strict=True)],
        n,
        rng=rng,
        temperature=temperature,
        top_p=top_p,
        max_new_tokens=max_new_tokens,
        batch_size=batch_size,
    )
    return [
        [Continuation(prefix, _until(stop, sample.text), sample.tokens, sample.ended) for sample in row]
        for prefix, row in zip(prefixes, rows, strict=True)
    ]


def _until(stop: str | None, text: str) -> str:
    """The text up to the end of the first match of `stop`, the whole where there is none."""
    found = re.search(stop, text) if stop else None
    return text[: found.end()] if found else text
