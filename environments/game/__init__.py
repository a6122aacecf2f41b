"""The world `game`: small towns as pixels, walked through by a tester who sees only the window around the player.

`make` gives a `gymnasium.Env`, `make_vector` many towns stepped in one array. Exact truth: reachable cells, coverage,
the golden path, planted bugs, inspections. Scripted demonstrators in three styles. `environments.game.doom` gives
Freedoom maps behind the same names; it needs `vizdoom` and is imported only by those who ask for it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from environments.game.demonstrators import (
    INSPECTION_STEPS,
    STYLES,
    Demonstration,
    demonstrate,
    inspected,
    inspection,
    inspection_task,
    inspection_tasks,
)  # fmt: skip
from environments.game.play import ACTIONS, ALL_SIDES, INTERACT, Game, State, VectorGame, make, make_vector
from environments.game.render import detect
from environments.game.towns import BUGS, Bug, Knobs, Town, town
from environments.game.truth import (
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


@dataclass(frozen=True)
class World:
    """A preset of knobs: `load_world("game/half-trail").knobs(size=16)` for `make`, `make_vector`, `demonstrate`."""

    name: str

    @classmethod
    def preset(cls, name: str) -> "World":
        """Raises ValueError, which lists the presets, for an unknown name."""
        if name not in PRESETS:
            raise ValueError(f"preset {name!r} of the world game is unknown; known are {', '.join(PRESETS)}")
        return cls(name)

    def knobs(self, **other: Any) -> dict[str, Any]:
        """All knobs by name: the preset's, overruled by `other`."""
        return asdict(Knobs(**{**PRESETS[self.name], **other}))


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
