"""Control under preferences: a point mass, a swimmer, MuJoCo's runners, and those who rate whole trajectories."""

from autodidact.environments.control.batched import Batched
from autodidact.environments.control.locomotion import Locomotion
from autodidact.environments.control.point_mass import PointMass, PointMasses
from autodidact.environments.control.raters import ByReturn, FinalPosition, Noisy, NonMarkovian, Populations, Rater
from autodidact.environments.control.swimmer import Swimmer, Swimmers
from autodidact.environments.control.trajectories import Answers, Batch, Trajectories


class Control:
    """The tasks by name: `load_world("control/point-mass")`, `load_world("control/Hopper-v5")`."""

    @classmethod
    def preset(cls, name: str, **options: int) -> Batched | Locomotion:
        """The point mass ("point-mass" or "default"), a swimmer ("swimmer", "swimmer-8" with so many joints) or a task
        of gymnasium.

        options: `horizon`. Raises ValueError for a name that gymnasium does not know.
        """
        kind, _, joints = name.partition("-")
        if kind == "swimmer" and (not joints or joints.isdecimal()):
            return Swimmers(**options, **({"joints": int(joints)} if joints else {}))
        return PointMasses(**options) if name in ("point-mass", "default") else Locomotion(name, **options)


WORLDS = {"control": Control}

__all__ = [
    "WORLDS",
    "Answers",
    "Batch",
    "Batched",
    "ByReturn",
    "Control",
    "FinalPosition",
    "Locomotion",
    "Noisy",
    "NonMarkovian",
    "PointMass",
    "PointMasses",
    "Populations",
    "Rater",
    "Swimmer",
    "Swimmers",
    "Trajectories",
]
