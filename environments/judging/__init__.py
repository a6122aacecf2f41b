"""Two short answers side by side, their truth, and judges whose skill, vanity, slot bias and noise are known."""

from autodidact.environments.judging.answers import Writer, findings, manner_of, quality, restyle
from autodidact.environments.judging.pairwise import Judge, accuracy, gold_votes, noise_for_accuracy, panel, quality_law
from autodidact.environments.judging.pointwise import (
    CRITERIA,
    Judgement,
    corrupt,
    criteria,
    gold_judgement,
    judgement_prompt,
    mark,
    noisy_judgement,
    parse,
)
from autodidact.environments.judging.real import JudgingIFEval, JudgingSentences
from autodidact.environments.judging.requests import Prompt, all_requests
from autodidact.environments.judging.world import Judging

WORLDS = {"judging": Judging}

__all__ = [
    "CRITERIA",
    "WORLDS",
    "Judge",
    "Judgement",
    "Judging",
    "JudgingIFEval",
    "JudgingSentences",
    "Prompt",
    "Writer",
    "accuracy",
    "all_requests",
    "corrupt",
    "criteria",
    "findings",
    "gold_judgement",
    "gold_votes",
    "judgement_prompt",
    "manner_of",
    "mark",
    "noise_for_accuracy",
    "noisy_judgement",
    "panel",
    "parse",
    "quality",
    "quality_law",
    "restyle",
]
