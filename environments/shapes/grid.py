"""Scenes as drawings of 8 x 8 tokens, 2 x 2 a slot: their vocabulary, their reader and what is well drawn in them."""

import numpy as np

from environments.shapes.scenes import COLOURS, SHAPES, SIDE, SLOTS, Object, Scene

GROUNDS = ("plain", "dotted", "striped", "checked")
THINGS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
TOKENS = (*(f"{ground}-ground" for ground in GROUNDS), *("-".join(thing) for thing in THINGS))
CELL = 2  # tokens a side of a slot
GRID = SIDE * CELL
_IDS = {word: i for i, word in enumerate(TOKENS)}


def render_grid(scene: Scene, ground: str = "plain") -> np.ndarray:
    """The drawing of a scene, int (8, 8): indices into `TOKENS`. Raises ValueError for an unknown ground."""
    if ground not in GROUNDS:
        raise ValueError(f"ground={ground!r} is unknown; known are {', '.join(GROUNDS)}")
    board = np.full(SLOTS, GROUNDS.index(ground))
    for o in scene.objects:
        board[o.slot] = len(GROUNDS) + THINGS.index(o.claim)
    return np.kron(board.reshape(SIDE, SIDE), np.ones((CELL, CELL), int))


def sketch(scene: Scene, rng: np.random.Generator, noise: float = 0.0) -> np.ndarray:
    """A drawing on any ground, all equally likely; each token is replaced by any other with probability `noise`."""
    grid = render_grid(scene, GROUNDS[int(rng.integers(len(GROUNDS)))])
    other = (grid + rng.integers(1, len(TOKENS), grid.shape)) % len(TOKENS)
    return np.where(rng.random(grid.shape) < noise, other, grid)


def text_of(grid: np.ndarray) -> str:
    """The 64 tokens of a drawing as words, in reading order. Raises ValueError for what is no drawing."""
    return " ".join(TOKENS[i] for i in _checked(grid).ravel())


def grid_of(drawing: str | np.ndarray) -> np.ndarray | None:
    """The drawing that a response means, int (8, 8): its 64 words or the array itself; None for anything else."""
    if isinstance(drawing, np.ndarray):
        return drawing if _fault(drawing) is None else None
    words = str(drawing).split()
    if len(words) != GRID * GRID or not set(words) <= set(_IDS):
        return None
    return np.array([_IDS[word] for word in words]).reshape(GRID, GRID)


def read_grid(grid: np.ndarray) -> tuple[Scene, np.ndarray]:
    """The scene that a drawing shows and a margin a slot, (16,) in [0, 1].

    A slot shows what most of its four tokens say, where all grounds say the same, nothing; a tie shows nothing. The
    margin is the lead of the first over the second as a share of four: 1 where all agree. Of equal things the one with
    the larger margin is kept, the earlier of two alike. Raises ValueError for what is no drawing.
    """
    votes = _votes(grid)
    ranked = np.sort(votes, axis=1)
    margin = (ranked[:, -1] - ranked[:, -2]) / CELL**2
    best = np.where(margin > 0, votes.argmax(axis=1), 0)
    found: dict[tuple[str, str], int] = {}
    for slot in np.argsort(-margin, kind="stable"):
        if best[slot]:
            found.setdefault(THINGS[best[slot] - 1], int(slot))
    return Scene(tuple(sorted(Object(slot, shape, colour) for (colour, shape), slot in found.items()))), margin


def ground_of(grid: np.ndarray) -> str | None:
    """The ground that most of a drawing's ground tokens say; None where none does, or two equally often."""
    counts = np.bincount(_checked(grid).ravel(), minlength=len(TOKENS))[: len(GROUNDS)]
    return GROUNDS[int(counts.argmax())] if (counts == counts.max()).sum() == 1 else None


def well_formed(grid: np.ndarray) -> float:
    """The share of things drawn whose four tokens agree, in [0, 1].

    Every slot with a token of a thing in it counts as a thing drawn; a drawing without any has none that is ill formed
    and gives 1. Raises ValueError for what is no drawing.
    """
    votes = _votes(grid)
    touched = votes[:, 0] < CELL**2
    return float((votes[touched, 1:].max(axis=1) == CELL**2).mean()) if touched.any() else 1.0


def true_mask(grid: np.ndarray, noun: str) -> np.ndarray:
    """Where the tokens of a thing stand, bool (8, 8); `noun` is "circle", "red" or "red circle".

    Raises ValueError for another noun and for what is no drawing.
    """
    words = str(noun).split()
    shapes, colours = [w for w in words if w in SHAPES], [w for w in words if w in COLOURS]
    if not words or len(words) != len(shapes) + len(colours) or max(len(shapes), len(colours)) > 1:
        raise ValueError(f"noun={noun!r} must be a shape, a colour, or a colour and a shape")
    meant = [len(GROUNDS) + i for i, thing in enumerate(THINGS) if set(words) <= set(thing)]
    return np.isin(_checked(grid), meant)


def _votes(grid: np.ndarray) -> np.ndarray:
    """(16, 37): how many of a slot's tokens say nothing, and how many each thing."""
    rows = _checked(grid).reshape(SIDE, CELL, SIDE, CELL).transpose(0, 2, 1, 3).reshape(SLOTS, -1)
    labels = np.maximum(rows - len(GROUNDS) + 1, 0)
    return (labels[..., None] == np.arange(1 + len(THINGS))).sum(axis=1)


def _fault(grid: np.ndarray) -> str | None:
    """What is wrong with a drawing, None if nothing is."""
    grid = np.asarray(grid)
    if grid.shape != (GRID, GRID) or grid.dtype.kind not in "iu":
        return f"{grid.dtype} {grid.shape}"
    return f"numbers from {grid.min()} to {grid.max()}" if grid.min() < 0 or grid.max() >= len(TOKENS) else None


def _checked(grid: np.ndarray) -> np.ndarray:
    fault = _fault(grid)
    if fault is not None:
        raise ValueError(f"grid must be integers (8, 8) from 0 to {len(TOKENS) - 1}, not {fault}")
    return np.asarray(grid)
