"""Drawings of 8 x 8 tokens, 2 x 2 a slot: their vocabulary and texts, their reader, what is well drawn in them."""

import numpy as np

from autodidact.environments.shapes.scenes import COLOURS, SHAPES, SIDE, SLOTS, Object, Scene

GROUNDS = ("plain", "dotted", "striped", "checked")
THINGS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
TOKENS = (*(f"{ground}-ground" for ground in GROUNDS), *("-".join(thing) for thing in THINGS))
THING_TOKENS = TOKENS[len(GROUNDS) :]
CELL = 2  # tokens a side of a slot
GRID = SIDE * CELL
NEXT = "/"  # a slot begins: a tiny model with rotary embeddings does not know where on the board it is
LENGTH = SLOTS * (1 + CELL**2)  # words of a drawing's text
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
    """A drawing in 80 words: slot by slot in reading order, `/` and its four tokens. ValueError for what is none."""
    return " ".join(f"{NEXT} {' '.join(TOKENS[i] for i in slot)}" for slot in slots_of(_checked(grid)))


def grid_of(drawing: str | np.ndarray) -> np.ndarray | None:
    """The drawing that a response means, int (8, 8): its 80 words or the array itself; None for anything else."""
    if isinstance(drawing, np.ndarray):
        return drawing if _fault(drawing) is None else None
    words = str(drawing).split()
    if len(words) != LENGTH:
        return None
    marks, *tokens = np.array(words).reshape(SLOTS, -1).T
    if set(marks) != {NEXT} or not set(np.concatenate(tokens)) <= set(_IDS):
        return None
    slots = np.array([[_IDS[word] for word in slot] for slot in zip(*tokens, strict=True)])
    return slots.reshape(SIDE, SIDE, CELL, CELL).transpose(0, 2, 1, 3).reshape(GRID, GRID)


def slots_of(cells: np.ndarray) -> np.ndarray:
    """(8, 8) cells of any kind by slot, (16, 4), both in reading order."""
    return cells.reshape(SIDE, CELL, SIDE, CELL).transpose(0, 2, 1, 3).reshape(SLOTS, CELL**2)


def along_text(cells: np.ndarray, between: float = 0.0) -> np.ndarray:
    """Weights of cells, (8, 8), as weights of the words of `text_of`, (80,); each `/` gets `between`.

    Raises ValueError for another shape.
    """
    cells = np.asarray(cells)
    if cells.shape != (GRID, GRID):
        raise ValueError(f"cells must have the shape ({GRID}, {GRID}), not {cells.shape}")
    return np.insert(slots_of(cells).astype(float), 0, between, axis=1).ravel()


def one_hot(grid: np.ndarray) -> np.ndarray:
    """What an eye gets of a drawing: its slots, float32 (16, 160), a one for each of four tokens; else ValueError."""
    seen = slots_of(_checked(grid))[..., None] == np.arange(len(TOKENS))
    return seen.reshape(SLOTS, -1).astype(np.float32)


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
    labels = np.maximum(slots_of(_checked(grid)) - len(GROUNDS) + 1, 0)
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
