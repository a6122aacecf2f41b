"""Short programs from one-sentence tasks, tests that share their misreadings, and hidden tests that know better."""

from autodidact.environments.programs.grammar import python, split_program
from autodidact.environments.programs.plain import PlainPrograms
from autodidact.environments.programs.simulation import Matrix, simulate_matrix
from autodidact.environments.programs.tasks import Prompt, Truth
from autodidact.environments.programs.world import Programs

WORLDS = {"programs": Programs, "plain-programs": PlainPrograms}

__all__ = [
    "WORLDS",
    "Matrix",
    "PlainPrograms",
    "Programs",
    "Prompt",
    "Truth",
    "python",
    "simulate_matrix",
    "split_program",
]
