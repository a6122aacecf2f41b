"""Densities whose truth is known: mixtures in the plane, digits, photographs; rewards on them, and exact recursions."""

from autodidact.environments.densities.bounds import (
    best_level,
    exp_reward,
    kl_divergence,
    lemma_2_2,
    theorem_2_3,
    theorem_2_4,
)
from autodidact.environments.densities.images import Images, cifar10, digits
from autodidact.environments.densities.location import LogisticLocation
from autodidact.environments.densities.plane import Modes, Moons
from autodidact.environments.densities.recursion import choice_factor, curate, recursion
from autodidact.environments.densities.rewards import class_reward, confidence_reward, distance_reward


class Densities:
    """The worlds of this folder by name, for `load_world("densities/modes")` and its like."""

    PRESETS = {
        "default": Modes,
        "modes": Modes,
        "moons": Moons,
        "digits": digits,
        "cifar10-16": lambda: cifar10(size=16),
        "cifar10": cifar10,
    }

    @classmethod
    def preset(cls, name: str) -> Modes | Moons | Images:
        """The world of a name, made with its defaults. ValueError lists the names for an unknown one."""
        if name not in cls.PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(cls.PRESETS)}")
        return cls.PRESETS[name]()


WORLDS = {"densities": Densities}

__all__ = [
    "WORLDS",
    "Densities",
    "Images",
    "LogisticLocation",
    "Modes",
    "Moons",
    "best_level",
    "choice_factor",
    "cifar10",
    "class_reward",
    "confidence_reward",
    "curate",
    "digits",
    "distance_reward",
    "exp_reward",
    "kl_divergence",
    "lemma_2_2",
    "recursion",
    "theorem_2_3",
    "theorem_2_4",
]
