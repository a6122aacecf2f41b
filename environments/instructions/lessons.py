"""Supervised examples of the forms of prompt that `forms` words: what a model is taught to answer to each."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from autodidact.environments.instructions import forms
from autodidact.environments.instructions.prompts import Prompt


class World(Protocol):
    """What the examples ask of a world."""

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, quality: Any, styles: Any) -> str:
        """An imperfect reference response."""

    def paraphrase(self, prompt: Prompt, rng: np.random.Generator, keep: float, phrasing: str | None) -> Prompt:
        """The prompt said otherwise."""

    def score(self, prompt: Prompt, response: str) -> float:
        """The gold score in [0, 1]."""

    def critique(self, prompt: Prompt, response: str) -> str:
        """The kinds of the demands that are not met, or `good`."""

    def corrupt(self, prompt: Prompt, response: str, rng: np.random.Generator, k: int) -> tuple[str, tuple[int, ...]]:
        """The response with `k` of the met demands broken, and the indices edited."""

    def repair(self, prompt: Prompt, response: str, rng: np.random.Generator) -> str:
        """The nearest response that meets every demand."""


def example(
    world: World, form: str, asked: Iterator[Prompt], rng: np.random.Generator, how: dict[str, Any], **knobs: Any
) -> tuple[str, str]:
    """(text, target) of a form about the next of the prompts.

    how: quality and styles of its demonstrations. knobs: all of that form's, as `forms.knobs_of` gives them.
    """
    lesson = {"plain": plain, "revise": revise, "check": check, "tagged": tagged, "shot": shot, "rewrite": rewrite}
    return lesson[form](world, asked, rng, how, **knobs)


def plain(
    world: World, asked: Iterator[Prompt], rng: np.random.Generator, how: dict[str, Any], phrasing: str
) -> tuple[str, str]:
    """A demonstration."""
    prompt = next(asked)
    if phrasing:
        prompt = world.paraphrase(prompt, rng, 1.0, phrasing)
    return prompt.text, world.demonstrate(prompt, rng, **how)


def revise(
    world: World, asked: Iterator[Prompt], rng: np.random.Generator, how: dict[str, Any], repaired: float, copied: float
) -> tuple[str, str]:
    """Another demonstration than the draft; or the draft, repaired or as it is, at these rates."""
    prompt = next(asked)
    draft, other = (world.demonstrate(prompt, rng, **how) for _ in range(2))
    way = rng.random()
    if way < repaired:
        other = world.repair(prompt, draft, rng)
    elif way < repaired + copied:
        other = draft
    return forms.revise(prompt.text, draft), other


def check(
    world: World, asked: Iterator[Prompt], rng: np.random.Generator, how: dict[str, Any], **knobs: Any
) -> tuple[str, str]:
    """The verdict on a demonstration."""
    prompt = next(asked)
    draft = world.demonstrate(prompt, rng, **how)
    return forms.check(prompt.text, draft), verdict(world, prompt, draft, rng, **knobs)


def verdict(
    world: World, prompt: Prompt, draft: str, rng: np.random.Generator, flip: float, threshold: float, critique: bool
) -> str:
    """`good` or `poor`, then what is not met; a wrong verdict stands alone."""
    good, wrong = world.score(prompt, draft) > threshold, rng.random() < flip
    said = "good" if good != wrong else "poor"
    unmet = world.critique(prompt, draft)
    return f"{said} {unmet}" if critique and not wrong and unmet != "good" else said


def tagged(
    world: World,
    asked: Iterator[Prompt],
    rng: np.random.Generator,
    how: dict[str, Any],
    flip: float,
    broken: int,
    quote: bool,
    edited: float,
) -> tuple[str, str]:
    """A demonstration without a fault, or the same spoilt; made out of the draft at the rate `edited`."""
    prompt = next(asked)
    draft, best = (world.demonstrate(prompt, rng, **each) for each in (how, {**how, "quality": 1.0}))
    good, wrong = rng.random() < 0.5, rng.random() < flip
    source = draft if rng.random() < edited else best
    answer = world.repair(prompt, source, rng) if good else world.corrupt(prompt, source, rng, broken)[0]
    return forms.tagged(prompt.text, "good" if good != wrong else "poor", draft if quote else None), answer


def shot(
    world: World,
    asked: Iterator[Prompt],
    rng: np.random.Generator,
    how: dict[str, Any],
    related: float,
    keep: float,
    rich: float,
) -> tuple[str, str]:
    """A demonstration of the prompt in the detail of the example: of a paraphrase of it, else of another prompt."""
    prompt, other = next(asked), next(asked)
    near = rng.random() < related
    example = world.paraphrase(prompt if near else other, rng, keep if near else 1.0, _phrasing(prompt, rng, rich))
    as_shown = replace(prompt, truth=replace(prompt.truth, phrasing=example.truth.phrasing))
    answers = [world.demonstrate(each, rng, **how) for each in (example, as_shown)]
    return forms.shot(example.text, answers[0], prompt.text), answers[1]


def rewrite(
    world: World, asked: Iterator[Prompt], rng: np.random.Generator, how: dict[str, Any], keep: float, rich: float
) -> tuple[str, str]:
    """A paraphrase; `how` has no part in it."""
    prompt = next(asked)
    return forms.rewrite(prompt.text), world.paraphrase(prompt, rng, keep, _phrasing(prompt, rng, rich)).text


def _phrasing(prompt: Prompt, rng: np.random.Generator, rich: float) -> str:
    """That of a text made from a prompt: vague or rich where the prompt names no length."""
    if prompt.truth.length is not None:
        return "plain"
    return "rich" if rng.random() < rich else "vague"
