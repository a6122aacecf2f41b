"""Answers that no model gave, for tests of what notebooks make of answers."""

from autodidact.lab import Answers
from autodidact.models import Response
from autodidact.samplers import Sample


def answered(texts, whole=None):
    """Answers of no model in particular; whole: which of them ended by themselves (default: all)."""
    whole = whole or [[True] * len(row) for row in texts]
    said = [[Response(y, (1,), e, "v") for y, e in zip(*row, strict=True)] for row in zip(texts, whole, strict=True)]
    rows = [[Sample(y, 0.0, 1, True) for y in row] for row in said]
    return Answers(list("xyz"[: len(rows)]), list("xyz"[: len(rows)]), rows, None)
