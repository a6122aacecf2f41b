"""What is asked beside a picture, and the truth that scorers know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autodidact.environments.shapes.corruptions import HOWS, corrupt_image
from autodidact.environments.shapes.rendering import patches
from autodidact.environments.shapes.scenes import Scene


@dataclass(frozen=True)
class Truth:
    """What scorers know: the scene, and of a question its kind, its right answer and the thing that it asks for.

    Of a choice, the answer is the letter; of a class, its text; of a drawing, the scene is one that fits the text.
    """

    scene: Scene
    kind: str
    answer: str | None = None
    about: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Prompt:
    """A text beside a picture; `truth` is hidden from every policy. No two prompts are equal.

    image: uint8 (side, side, 3), or int (8, 8) of a grid; None where there is nothing to look at.
    """

    text: str
    image: np.ndarray | None = field(repr=False)
    truth: Truth

    @property
    def patches(self) -> np.ndarray:
        """The slots of the picture as rows, float32 (16, width) in [0, 1]; ValueError where there is no picture."""
        return patches(self.image)

    def ask(self, text: str) -> "Prompt":
        """The same picture and truth with another text."""
        return replace(self, text=text)

    def show(self, image: np.ndarray | None) -> "Prompt":
        """The same text and truth with another picture, or with none."""
        return replace(self, image=image)


def spoil(prompt: Prompt, rng: np.random.Generator, strength: Mapping[str, float], scale: float = 1.0) -> Prompt:
    """The same text and truth beside a spoilt picture: by a fair coin of low resolution or shifted brightness and hue.

    strength: of "blur" and of "colour", as `corrupt_image` takes it; `scale` times that is applied. Raises ValueError
    where one of the two is missing or out of its range.
    """
    missing = [how for how in HOWS if how not in strength]
    if missing:
        raise ValueError(f"strength={dict(strength)} lacks {missing[0]!r}")
    how = HOWS[int(rng.integers(len(HOWS)))]
    return prompt.show(corrupt_image(prompt.image, rng, how, scale * strength[how]))


def swapped(prompts: Sequence[Prompt], rng: np.random.Generator) -> list[Prompt]:
    """Every text and truth beside the picture of another of these prompts, along one random cycle: none keeps its own.

    Raises ValueError for fewer than two prompts.
    """
    if len(prompts) < 2:
        raise ValueError(f"prompts={len(prompts)} must be two or more: a single picture has nowhere to go")
    order = rng.permutation(len(prompts))
    other = dict(zip(order, np.roll(order, 1), strict=True))
    return [x.show(prompts[other[i]].image) for i, x in enumerate(prompts)]
