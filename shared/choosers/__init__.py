"""Choosers: whatever makes choices and reports the weights behind them, tiny or a language model, behind one door."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from shared.choosers.language import LanguageChooser, train_language, with_system
from shared.choosers.lesson import Chooser, Lesson, Teaching
from shared.choosers.tiny import TinyChooser, TinySize, train_tiny
from shared.streams import torch_seed

if TYPE_CHECKING:
    from environments.choices import Choices

__all__ = ["Chooser", "Lesson", "Teaching", "TinyChooser", "TinySize", "load_chooser", "teach"]


def load_chooser(
    model: str, world: "Choices", rng: np.random.Generator, *, device: str | None = None, report_tokens: int = 256
) -> Chooser:
    """A chooser by name: "tiny", a fresh transformer drawn from `rng`, or a policy that `load_policy` knows by name.

    report_tokens: what a language model may write as a report. Raises ValueError as `load_policy` does.
    """
    if model == "tiny":
        return TinyChooser.fresh(world, rng)
    from environments.choices import SYSTEM
    from shared.models import load_policy

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
) -> list[Chooser]:
    """Trained copies of the choosers, each of the lesson in its place; all see their examples in the same order.

    lora_rank and gradient_accumulation are for language models; tiny choosers train all weights, side by side.
    """
    if len(choosers) != len(lessons) or not choosers:
        raise ValueError(f"choosers and lessons must be as many, one or more: {len(choosers)} and {len(lessons)}")
    if all(isinstance(one, TinyChooser) for one in choosers):
        return train_tiny(choosers, lessons, teaching, rng)
    seed, options = torch_seed(rng), {"lora_rank": lora_rank, "gradient_accumulation": gradient_accumulation}
    return [train_language(*pair, teaching, seed=seed, **options) for pair in zip(choosers, lessons, strict=True)]
