"""Choosers: whatever makes choices and reports the weights behind them, tiny or a language model, behind one door."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from autodidact.choosers.language import LanguageChooser, train_language, with_system
from autodidact.choosers.lesson import Chooser, Lesson, Teaching
from autodidact.choosers.tiny import TinyChooser, TinySize, train_tiny
from autodidact.streams import torch_seed

if TYPE_CHECKING:
    from autodidact.environments.choices import Choices

__all__ = ["Chooser", "Lesson", "Teaching", "TinyChooser", "TinySize", "load_chooser", "teach"]


def load_chooser(
    model: str, world: "Choices", rng: np.random.Generator, *, device: str | None = None, report_tokens: int = 256
) -> Chooser:
    """A chooser by name: "tiny", a fresh transformer drawn from `rng`, or a policy that `load_policy` knows by name.

    report_tokens: what a language model may write as a report. Raises ValueError as `load_policy` does.
    """
    if model == "tiny":
        return TinyChooser.fresh(world, rng)
    from autodidact.bases import load_policy
    from autodidact.environments.choices import SYSTEM

    policy = with_system(load_policy(model, device=device), SYSTEM)
    return LanguageChooser(world, policy, report_tokens=report_tokens)


def teach(
    choosers: Sequence[Chooser],
    lessons: Sequence[Lesson],
    teaching: Teaching,
    rng: np.random.Generator,
    *,
    lora_rank: int | None = None,
    gradient_accumulation: int = 1,
    watch: Callable[[int, int, Chooser], None] | None = None,
    at: Collection[int] = (),
) -> list[Chooser]:
    """Trained copies of the choosers, each of the lesson in its place; all see their examples in the same order.

    lora_rank and gradient_accumulation are for language models; tiny choosers train all weights, side by side.
    watch: is shown the place of a chooser, the step and the chooser as it then is, after each of the steps in `at`.
    Raises ValueError for choosers and lessons of unequal number, and for steps in `at` that the teaching does not have.
    """
    if not all(1 <= step <= teaching.steps for step in at):
        raise ValueError(f"at={sorted(at)} must be steps of the teaching, 1 to {teaching.steps}")
    if len(choosers) != len(lessons) or not choosers:
        raise ValueError(f"choosers and lessons must be as many, one or more: {len(choosers)} and {len(lessons)}")
    if all(isinstance(one, TinyChooser) for one in choosers):
        return train_tiny(choosers, lessons, teaching, rng, watch=watch, at=at)
    seed, options = torch_seed(rng), {"lora_rank": lora_rank, "gradient_accumulation": gradient_accumulation, "at": at}
    shown = [watch and partial(watch, place) for place in range(len(choosers))]
    return [
        train_language(chooser, lesson, teaching, seed=seed, watch=one, **options)
        for chooser, lesson, one in zip(choosers, lessons, shown, strict=True)
    ]
