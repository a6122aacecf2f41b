"""Scenes: a few coloured things on a board of 4 x 4 slots, some of which usually come in pairs."""

import hashlib
from dataclasses import dataclass

import numpy as np

SIDE = 4
SLOTS = SIDE * SIDE
MOST = 5  # things in a scene
SHAPES = ("circle", "square", "triangle", "cross", "star", "ring")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
COMPANIONS = {"circle": "ring", "square": "cross", "triangle": "star"}
HELD_OUT = 5  # one set of things in so many is held out


@dataclass(frozen=True, order=True)
class Object:
    """A thing on the board; `slot` counts 0 to 15 in reading order."""

    slot: int
    shape: str
    colour: str

    @property
    def claim(self) -> tuple[str, str]:
        """(colour, shape): what a caption can say of it."""
        return self.colour, self.shape

    @property
    def place(self) -> str:
        """Its quadrant: "top left" and so on."""
        row, column = divmod(self.slot, SIDE)
        return f"{'top' if row < SIDE // 2 else 'bottom'} {'left' if column < SIDE // 2 else 'right'}"


@dataclass(frozen=True)
class Scene:
    """Things in reading order, no two of them of one shape and colour."""

    objects: tuple[Object, ...]

    @property
    def claims(self) -> frozenset[tuple[str, str]]:
        """(colour, shape) of everything there."""
        return frozenset(o.claim for o in self.objects)

    @property
    def held_out(self) -> bool:
        """Whether the set of its things, wherever they stand, belongs to the held-out fifth."""
        text = ",".join(" ".join(claim) for claim in sorted(self.claims))
        return hashlib.sha256(text.encode()).digest()[0] % HELD_OUT == 0


def draw_scene(
    rng: np.random.Generator,
    objects: tuple[int, int],
    companion_rate: float,
    shapes: tuple[str, ...] = SHAPES,
    companions: dict[str, str] = COMPANIONS,
) -> Scene:
    """A scene of `objects[0]` to `objects[1]` things drawn one by one, and their companions.

    A thing whose shape has a companion gets it with probability `companion_rate`: of the same colour, in the next slot
    of its row, if that is free and the scene holds fewer than 5 things. A companion that is not given is nowhere in the
    scene, and its slot stays empty: pairs are planted, never by chance.
    """
    anchors = {beside: shape for shape, beside in companions.items()}
    wanted = int(rng.integers(objects[0], objects[1] + 1))
    found: dict[int, tuple[str, str]] = {}
    barred, blocked = set(), set()
    drawn = 0
    while drawn < wanted and len(found) < MOST:
        free = [slot for slot in range(SLOTS) if slot not in found and slot not in blocked]
        slot = free[int(rng.integers(len(free)))]
        shape, colour = shapes[int(rng.integers(len(shapes)))], COLOURS[int(rng.integers(len(COLOURS)))]
        if (shape, colour) in barred:
            continue
        drawn += 1
        found[slot] = shape, colour
        barred |= {(shape, colour), (companions.get(shape), colour), (anchors.get(shape), colour)}
        after = slot + 1
        if shape in companions and after % SIDE and after not in found and after not in blocked and len(found) < MOST:
            if rng.random() < companion_rate:
                found[after] = companions[shape], colour
            else:
                blocked.add(after)
    return Scene(tuple(Object(slot, *found[slot]) for slot in sorted(found)))
