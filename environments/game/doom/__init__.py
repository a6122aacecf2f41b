"""Freedoom maps in ViZDoom as a back end of the world `game`: the methods of the town's `World`, other frames.

Needs the package `vizdoom`, whose Freedoom files are free; nothing outside this folder imports it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.game.demonstrators import STYLES, Demonstration
from autodidact.environments.game.doom.demonstrators import (
    INSPECTION_STEPS,
    demonstrate,
    inspected,
    inspection,
    inspection_tasks,
)  # fmt: skip
from autodidact.environments.game.doom.levels import CELL, Level, level
from autodidact.environments.game.doom.play import (
    ACTIONS,
    ALL_SIDES,
    BUGS,
    Doom,
    Knobs,
    State,
    VectorDoom,
    make,
    make_vector,
)
from autodidact.environments.game.truth import Progress, area_under_coverage, completion, deviation

# Maps by part: those of which a player on foot gets to 100 cells or more. Parts 0, 1, 4 and 5 need things to inspect.
LEVELS = ((1, 18), (4, 10), (2, 3, 8), (9, 12, 25), (11, 19), (5, 6, 7), (13, 27))
PICTURE = 6  # pixels of a cell in `picture`


def style_features(positions: np.ndarray, actions: np.ndarray, place: Level) -> dict[str, float]:
    """A second opinion on style from cells (T + 1, 2) and the actions (T,) between them.

    `golden`: share of steps that end on the golden path; `wall`: share that end in a cell beside one that cannot be
    reached; `sweep`: share of the moves from cell to cell that go along a row.
    """
    after, moves = positions[1:], np.diff(positions, axis=0)
    on_trail = np.zeros(place.walkable.shape, bool)
    on_trail[tuple(place.trail.T)] = True
    padded = np.pad(place.walkable, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    moved = moves.any(1)
    return {
        "golden": float(on_trail[tuple(after.T)].mean()),
        "wall": float((~inner[tuple(after.T)]).mean()),
        "sweep": float((moves[moved, 1] != 0).mean()) if moved.any() else 0.0,
    }


@dataclass(frozen=True)
class World:
    """Freedoom maps with their knobs set. A map's seed is its number, 1 to 32."""

    settings: Knobs = Knobs()

    styles = STYLES
    actions = ACTIONS
    bugs = BUGS
    inspection_steps = INSPECTION_STEPS
    cell = PICTURE
    inspected = staticmethod(inspected)
    deviation = staticmethod(deviation)
    completion = staticmethod(completion)
    style_features = staticmethod(style_features)
    area_under_coverage = staticmethod(area_under_coverage)
    progress = Progress

    def set(self, **knobs: Any) -> "World":
        """The same world with some knobs set otherwise."""
        return World(replace(self.settings, **knobs))

    def maps(self, part: int, n: int, rng: np.random.Generator) -> list[int]:
        """n maps of a part, 0 to 6, in random order; no two parts share one. There are few: they recur."""
        numbers = rng.permutation(LEVELS[part])
        return [int(numbers[i % len(numbers)]) for i in range(n)]

    def vector(self, map_seeds: Sequence[int]) -> VectorDoom:
        """A player on each of these maps."""
        return VectorDoom(map_seeds, self.settings)

    def demonstrate(self, map_seed: int, style: str, rng: np.random.Generator, **options: Any) -> Demonstration:
        """A walk in a style; for `noise` and `steps` see `demonstrate`."""
        return demonstrate(map_seed, style, rng, **options, **asdict(self.settings))

    def inspection(self, map_seed: int, rng: np.random.Generator) -> Demonstration:
        """The inspection of one thing by the script."""
        return inspection(map_seed, rng, **asdict(self.settings))

    def tasks(self, map_seeds: Sequence[int], rng: np.random.Generator) -> VectorDoom:
        """One inspection task a map, as a vector environment in that state."""
        return inspection_tasks(map_seeds, rng, **asdict(self.settings))

    def detect(self, game: VectorDoom, rng: np.random.Generator, flip: float = 0.0) -> np.ndarray:
        """Whether (B,) a thing to be inspected is in view, by the game's own labels, with a share `flip` of errors."""
        return game.sees() ^ (rng.random(game.batch) < flip)

    def inspected_share(self, state: State) -> np.ndarray:
        """Share (B,) of the things on each player's map that were touched from all four sides."""
        return (state.touched == ALL_SIDES).sum(1) / np.maximum(state.things, 1)

    def picture(self, place: Level) -> np.ndarray:
        """A map from above (6 H, 6 W, 3) uint8: floor that can be reached, walls, the golden path, things."""
        floor = np.where(place.walkable[..., None], (225, 225, 215), (60, 60, 65))
        floor[tuple(place.trail.T)] = (235, 200, 110)
        image = floor.repeat(PICTURE, 0).repeat(PICTURE, 1).astype(np.uint8)
        along = np.linspace(0, 1, 200)[:, None]
        for a, b in place.lines:
            self._dots(image, place, a + along * (b - a), (20, 20, 20))
        for thing in place.things:
            square = thing + np.stack(np.meshgrid(*[np.arange(-24, 25, 6)] * 2), -1).reshape(-1, 2)
            self._dots(image, place, square, (220, 110, 30))
        return image

    @staticmethod
    def _dots(image: np.ndarray, place: Level, where: np.ndarray, colour: tuple[int, int, int]) -> None:
        at = np.floor(((where - place.corner) * (1, -1))[:, ::-1] / CELL * PICTURE).astype(int)
        at = at[((at >= 0) & (at < image.shape[:2])).all(1)]
        image[tuple(at.T)] = colour


__all__ = [
    "ACTIONS",
    "ALL_SIDES",
    "BUGS",
    "CELL",
    "INSPECTION_STEPS",
    "LEVELS",
    "STYLES",
    "Doom",
    "Knobs",
    "Level",
    "State",
    "VectorDoom",
    "World",
    "area_under_coverage",
    "completion",
    "demonstrate",
    "deviation",
    "inspected",
    "inspection",
    "inspection_tasks",
    "level",
    "make",
    "make_vector",
    "style_features",
]
