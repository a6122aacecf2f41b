"""What a tiny base that sees is: the shape of its halves and how it is taught."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodidact.models.tiny import TinyBase, base_fields
from autodidact.vision.tower import Tower


@dataclass(frozen=True)
class TinySight:
    """Training of a tiny base that sees (`lessons`); the shape of its language model is `TinyBase`'s."""

    steps: int = 800
    first: float = 0.3  # share of the steps, at the beginning, in which questions ask for colours alone
    second: float = 0.0  # share of the steps up to which questions are about one thing only
    alone: bool = False  # whether there are no captions in these steps
    captions: int = 32  # a step
    questions: int = 48  # a step
    drawings: int = 24  # a step
    things: float = 5.0  # weight of a drawing's tokens of things; most of its tokens are ground
    learning_rate: float = 4e-3
    warmup: float = 0.05
    initializer_range: float = 0.09  # at 0.06 half of the bases do not find how to look a thing up
    heads: int = 4
    tower: Tower = field(default_factory=Tower)

    @property
    def text(self) -> TinyBase:
        """The shape of the language half; what `TinyBase` says of training is not used."""
        return TinyBase(initializer_range=self.initializer_range, heads=self.heads)


def sight_of(parameters: Mapping[str, Any]) -> TinySight:
    """The tiny base that sees which a row of parameters asks for: `base_steps` and so on, and its `tower`."""
    return TinySight(**base_fields(TinySight, parameters), tower=Tower(**parameters["tower"] or {}))


DRAWING = TinySight(  # of a base that draws and answers questions about drawings; two minutes
    steps=1200,
    first=0.2,
    second=0.5,
    captions=12,
    questions=64,
    drawings=20,
    learning_rate=3e-3,
    heads=2,  # four are too narrow to look for a colour and a shape at once
)
