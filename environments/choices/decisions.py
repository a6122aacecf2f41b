"""Pairs of options that a chooser decides between."""

from dataclasses import dataclass

import numpy as np

from autodidact.environments.choices.contexts import ATTRIBUTES


@dataclass(frozen=True)
class Decisions:
    """Pairs of options, n of them: `context` (n,) indices into the world's contexts, `options` (n, 2, 5) in units."""

    context: np.ndarray
    options: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.context)
        if np.shape(self.context) != (n,) or np.shape(self.options) != (n, 2, ATTRIBUTES):
            shapes = f"context {np.shape(self.context)} and options {np.shape(self.options)}"
            raise ValueError(f"shapes of {shapes} must be (n,) and (n, 2, {ATTRIBUTES})")

    def __len__(self) -> int:
        return len(self.context)

    def __getitem__(self, rows: np.ndarray) -> "Decisions":
        """The pairs at these indices, or where this mask is true."""
        return Decisions(self.context[rows], self.options[rows])
