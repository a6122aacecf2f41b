"""Supervised examples of the forms of prompt that `forms` words: what a model is taught to answer to each."""

from typing import Any, Protocol

import numpy as np

from autodidact.environments.instructions import forms
from autodidact.environments.instructions.prompts import Prompt


class World(Protocol):
    """What the examples ask of a world."""

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, quality: Any, styles: Any) -> str:
        """An imperfect reference response."""

    def score(self, prompt: Prompt, response: str) -> float:
        """The gold score in [0, 1]."""

    def critique(self, prompt: Prompt, response: str) -> str:
        """The kinds of the demands that are not met, or `good`."""

    def repair(self, prompt: Prompt, response: str, rng: np.random.Generator) -> str:
        """The nearest response that meets every demand."""


def example(
    world: World, form: str, prompt: Prompt, rng: np.random.Generator, quality: Any, styles: Any, knobs: dict[str, Any]
) -> tuple[str, str]:
    """(text, target) of a form that needs one prompt; knobs: all of that form's, as `forms.knobs_of` gives them."""
    response = world.demonstrate(prompt, rng, quality, styles)
    if form == "revise":
        other = world.demonstrate(prompt, rng, quality, styles)
        return forms.revise(prompt.text, response), revised(world, prompt, rng, response, other, **knobs)
    if form == "check":
        return forms.check(prompt.text, response), verdict(world, prompt, rng, response, **knobs)
    return prompt.text, response


def revised(
    world: World, prompt: Prompt, rng: np.random.Generator, draft: str, other: str, repaired: float, copied: float
) -> str:
    """The other response; or the draft, repaired or as it is, at these rates."""
    way = rng.random()
    if way < repaired:
        return world.repair(prompt, draft, rng)
    return draft if way < repaired + copied else other


def verdict(
    world: World, prompt: Prompt, rng: np.random.Generator, draft: str, flip: float, threshold: float, critique: bool
) -> str:
    """`good` or `poor`, then what is not met; a wrong verdict stands alone."""
    good, wrong = world.score(prompt, draft) > threshold, rng.random() < flip
    said = "good" if good != wrong else "poor"
    unmet = world.critique(prompt, draft)
    return f"{said} {unmet}" if critique and not wrong and unmet != "good" else said
