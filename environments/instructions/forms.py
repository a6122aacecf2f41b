"""Prompts about prompts and responses, all inside the vocabulary.

Built: `plain` (the prompt itself) and `judge`. Not built yet: revise, tagged, check, shot, rewrite; their words are in
the vocabulary from the start, so that a form added later changes no base model.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autodidact.environments.instructions.prompts import Prompt
    from autodidact.environments.instructions.world import Instructions

FORMS = ("plain", "judge")
NOT_BUILT = ("revise", "tagged", "check", "shot", "rewrite")
TRIES = 200  # prompts drawn for one judged pair before its world is called one of ties


def judge(prompt: str, first: str, second: str) -> str:
    """Ask which of two responses is better; the target is `first` or `second`."""
    return f"{prompt} first : {first} second : {second} which ?"


def judge_both(prompt: str, a: str, b: str) -> tuple[str, str]:
    """The judge's question in both orders: (a first, b first). The mean over both takes a slot bias out."""
    return judge(prompt, a, b), judge(prompt, b, a)


def examples(
    world: "Instructions",
    form: str,
    n: int,
    rng: np.random.Generator,
    *,
    quality: float | None = None,
    styles: tuple[float, float, float, float] | None = None,
    flip: float = 0.0,
    part: int = 0,
    parts: int = 1,
) -> list[tuple[str, str]]:
    """`n` (text, target) pairs of the training split for supervised training of a form.

    plain: a prompt and a demonstration of it. judge: two demonstrations of unequal gold, in both orders one after the
    other, the target naming the better one; `flip` is the share of wrong labels, the same in both orders of a pair.
    quality, styles: as in `demonstrate`. part of parts: as in `prompts`. ValueError for a form that is not built, for
    a flip outside [0, 1], and where (nearly) all demonstrations tie.
    """
    if form not in FORMS:
        later = " (planned, not built)" if form in NOT_BUILT else ""
        raise ValueError(f"form={form!r}{later} is unknown; known are {', '.join(FORMS)}")
    if not 0 <= flip <= 1:
        raise ValueError(f"flip={flip} must lie in [0, 1]")
    prompts = world.endless(rng, part=part, parts=parts)
    if form == "plain":
        return [(p.text, world.demonstrate(p, rng, quality, styles)) for p in islice(prompts, n)]
    made: list[tuple[str, str]] = []
    for prompt in islice(prompts, TRIES * (n + 1)):
        if len(made) >= n:
            return made[:n]
        a, b = (world.demonstrate(prompt, rng, quality, styles) for _ in range(2))
        made += _judged(world, prompt, a, b, rng.random() < flip)
    raise ValueError(f"n={n} judged pairs were asked for, but demonstrations here tie in gold={world.gold!r}")


def _judged(world: "Instructions", prompt: "Prompt", a: str, b: str, wrong: bool) -> Iterator[tuple[str, str]]:
    """Both orders of a pair with their labels; nothing for a tie."""
    gap = world.score(prompt, a) - world.score(prompt, b)
    if gap:
        labels = ("first", "second") if (gap > 0) != wrong else ("second", "first")
        yield from zip(judge_both(prompt.text, a, b), labels, strict=True)
