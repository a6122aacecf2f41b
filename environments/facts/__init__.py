"""A made-up almanac with popular mistakes, risky requests whose answers may turn harmful, and real requests."""

from autodidact.environments.facts.almanac import Fact, make_almanac, parse_pair
from autodidact.environments.facts.evaluators import OracleEvaluator, choice, evaluator_prompt
from autodidact.environments.facts.hh import HHRequests
from autodidact.environments.facts.requests import (
    MODES,
    ReferencePolicy,
    clause_harmful,
    clauses,
    complete_clause,
    harm_onset,
    hazards,
    verb_probabilities,
)
from autodidact.environments.facts.world import Facts, Prompt, Truth, mc1, mc2

WORLDS = {"facts": Facts}

__all__ = [
    "MODES",
    "WORLDS",
    "Fact",
    "Facts",
    "HHRequests",
    "OracleEvaluator",
    "Prompt",
    "ReferencePolicy",
    "Truth",
    "make_almanac",
    "choice",
    "clause_harmful",
    "clauses",
    "complete_clause",
    "evaluator_prompt",
    "harm_onset",
    "hazards",
    "mc1",
    "mc2",
    "parse_pair",
    "verb_probabilities",
]
