"""The world `game`: small towns as pixels, walked through by a tester who sees only the window around the player.

`make` gives a `gymnasium.Env`, `make_vector` many towns stepped in one array. Exact truth: reachable cells, coverage,
the golden path, planted bugs, inspections. Scripted demonstrators in three styles. `game.doom` gives
Freedoom maps behind the same names; it needs `vizdoom` and is imported only by those who ask for it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.game.demonstrators import (
    INSPECTION_STEPS,
    STYLES,
    Demonstration,
    demonstrate,
    inspected,
    inspection,
    inspection_task,
    inspection_tasks,
)  # fmt: skip
from autodidact.environments.game.play import ACTIONS, ALL_SIDES, INTERACT, Game, State, VectorGame, make, make_vector
from autodidact.environments.game.render import CELL, detect, picture
from autodidact.environments.game.towns import BUGS, Bug, Knobs, Town, town
from autodidact.environments.game.truth import (
    Progress,
    area_under_coverage,
    completion,
    coverage,
    coverage_curve,
    deviation,
    golden_path,
    reachable,
    style_features,
)  # fmt: skip

PRESETS = {
    "default": {},
    "town": {},
    "half-trail": {"trail_covers": "half"},
    "television": {"animated": True},
    "landmarked": {"landmarks": 1.0},
}
PART = 10**6  # map seeds in each part of a study


@dataclass(frozen=True)
class World:
    """The world with its knobs set, and all that a study asks of it in one object.

    `load_world("game/half-trail").set(size=16)` is the preset with other knobs. Another back end has the same methods.
    """

    settings: Knobs = Knobs()

    styles = STYLES
    actions = ACTIONS
    bugs = BUGS
    inspection_steps = INSPECTION_STEPS
    cell = CELL  # pixels of a cell in `picture`
    inspected = staticmethod(inspected)
    deviation = staticmethod(deviation)
    completion = staticmethod(completion)
    style_features = staticmethod(style_features)
    area_under_coverage = staticmethod(area_under_coverage)
    progress = Progress

    @classmethod
    def preset(cls, name: str) -> object:
        """A preset; `doom` is the other back end. Raises ValueError, which lists the presets, for an unknown name."""
        if name == "doom":
            from autodidact.environments.game.doom import World as Doom

            return Doom()
        if name not in PRESETS:
            raise ValueError(f"preset {name!r} of the world game is unknown; known are {', '.join(PRESETS)}, doom")
        return cls(Knobs(**PRESETS[name]))

    def set(self, **knobs: Any) -> "World":
        """The same world with some knobs set otherwise."""
        return World(replace(self.settings, **knobs))

    def maps(self, part: int, n: int, rng: np.random.Generator) -> list[int]:
        """n map seeds of a part of a study, 0 and up; no two parts share one."""
        return [PART * part + int(i) for i in rng.integers(PART, size=n)]

    def vector(self, map_seeds: Sequence[int]) -> VectorGame:
        """The towns of these seeds, stepped as one."""
        return VectorGame(map_seeds, self.settings)

    def demonstrate(self, map_seed: int, style: str, rng: np.random.Generator, **options: Any) -> Demonstration:
        """A walk in a style; for `noise` and `steps` see `demonstrate`."""
        return demonstrate(map_seed, style, rng, **options, **asdict(self.settings))

    def inspection(self, map_seed: int, rng: np.random.Generator) -> Demonstration:
        """The inspection of one crate by the script."""
        return inspection(map_seed, rng, **asdict(self.settings))

    def detect(self, game: VectorGame, rng: np.random.Generator, flip: float = 0.0) -> np.ndarray:
        """Whether (B,) a crate is in view, read off the frames, with a share `flip` of errors."""
        return detect(game.render(), rng, flip)

    def inspected_share(self, state: State) -> np.ndarray:
        """Share (B,) of each player's crates that were touched from all four sides."""
        return (state.touched == ALL_SIDES).mean(1)

    def picture(self, place: Town) -> np.ndarray:
        """The whole town in pixels, for people."""
        return picture(place.look, place.seed)

    def tasks(self, map_seeds: Sequence[int], rng: np.random.Generator) -> VectorGame:
        """One inspection task a map, as a vector environment in that state."""
        return inspection_tasks(map_seeds, rng, **asdict(self.settings))


WORLDS = {"game": World}

__all__ = [
    "ACTIONS",
    "ALL_SIDES",
    "BUGS",
    "INSPECTION_STEPS",
    "INTERACT",
    "STYLES",
    "WORLDS",
    "Bug",
    "Demonstration",
    "Game",
    "Knobs",
    "Progress",
    "State",
    "Town",
    "VectorGame",
    "World",
    "area_under_coverage",
    "completion",
    "coverage",
    "coverage_curve",
    "demonstrate",
    "detect",
    "deviation",
    "golden_path",
    "inspected",
    "inspection",
    "inspection_task",
    "inspection_tasks",
    "make",
    "make_vector",
    "reachable",
    "style_features",
    "town",
]
