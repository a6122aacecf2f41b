"""Supervised examples of the forms of prompt that `forms` words: what a model is taught to answer to each."""

from typing import Any, Protocol

import numpy as np

from autodidact.environments.instructions import forms
from autodidact.environments.instructions.prompts import Prompt


class World(Protocol):
    """What the examples ask of a world."""

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, quality: Any, styles: Any) -> str:
        """An imperfect reference response."""

    def repair(self, prompt: Prompt, response: str, rng: np.random.Generator) -> str:
        """The nearest response that meets every demand."""


def example(
    world: World, form: str, prompt: Prompt, rng: np.random.Generator, quality: Any, styles: Any, knobs: dict[str, Any]
) -> tuple[str, str]:
    """(text, target) of a form that needs one prompt; knobs: all of that form's, as `forms.knobs_of` gives them."""
    if form == "plain":
        return prompt.text, world.demonstrate(prompt, rng, quality, styles)
    draft, answer = (world.demonstrate(prompt, rng, quality, styles) for _ in range(2))
    way = rng.random()
    if way < knobs["repaired"]:
        answer = world.repair(prompt, draft, rng)
    elif way < knobs["repaired"] + knobs["copied"]:
        answer = draft
    return forms.revise(prompt.text, draft), answer
