"""What is asked beside a picture, and the truth that scorers know."""

from dataclasses import dataclass, field, replace

import numpy as np

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

    image: uint8 (side, side, 3), or int (8, 8) of a grid; None where a drawing is asked for.
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

    def show(self, image: np.ndarray) -> "Prompt":
        """The same text and truth with another picture."""
        return replace(self, image=image)
