"""Answers: the five findings and quality, the manner and its rewriting, and writers of known skill and manner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodidact.environments.judging.requests import Prompt
from autodidact.environments.judging.vocabulary import (
    CLASS_OF,
    CLASSES,
    CONTENT,
    DETAILS,
    FINDINGS,
    MANNER_OF,
    MANNERS,
    MARKS,
    NEUTRAL,
)


def findings(prompt: Prompt, answer: str) -> dict[str, bool]:
    """The five findings, by content alone; all False if the answer is malformed (no content word, an unknown word)."""
    words = answer.split()
    content = [word for word in words if word in CONTENT]
    if not content or any(word not in CONTENT and word not in CLASS_OF and word not in (",", *MARKS) for word in words):
        return dict.fromkeys(FINDINGS, False)
    at = {word: content.index(word) for word in content}
    asked = prompt.first in at and prompt.second in at and at[prompt.first] < at[prompt.second]
    return {
        "topic": prompt.topic in at,
        "order": asked,
        "short": len(content) <= prompt.limit,
        "fresh": len(at) == len(content),
        "ending": words[-1] == prompt.ending,
    }


def quality(prompt: Prompt, answer: str) -> int:
    """Number of findings met, 0 to 5."""
    return sum(findings(prompt, answer).values())


def manner_of(answer: str) -> str | None:
    """The manner of which all manner words of the answer are; None if there is none or they are mixed."""
    found = {MANNER_OF.get(word, "neutral") for word in answer.split() if word in CLASS_OF}
    return found.pop() if len(found) == 1 else None


def restyle(answer: str, manner: str) -> str:
    """The answer with its manner words replaced by those of `manner` ("plain", "brisk" or "neutral"), content kept.

    A word becomes its partner; a neutral one becomes the first of its class. Raises ValueError for another manner.
    """
    if manner not in (*MANNERS, "neutral"):
        raise ValueError(f"manner={manner!r} is unknown; it must be one of {', '.join(MANNERS)} or neutral")
    return " ".join(_restyled(word, manner) for word in answer.split())


def _restyled(word: str, manner: str) -> str:
    kind = CLASS_OF.get(word)
    if kind is None or manner == "neutral":
        return word if kind is None else NEUTRAL[kind]
    sides = CLASSES[kind]
    at = next((words.index(word) for words in sides.values() if word in words), 0)
    return sides[manner][at]


@dataclass(frozen=True)
class Writer:
    """Writes answers that meet each finding independently with probability `skill` (one number or five)."""

    skill: float | Sequence[float] = 0.7
    manner: str = "plain"
    name: str = "writer"

    def __post_init__(self) -> None:
        skills = np.broadcast_to(np.asarray(self.skill, float), (len(FINDINGS),)) if np.ndim(self.skill) == 0 else None
        values = np.asarray(self.skill, float) if skills is None else skills
        if values.shape != (len(FINDINGS),) or not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f"skill={self.skill!r} must be one number or five, each in [0, 1]")
        if self.manner not in (*MANNERS, "neutral"):
            raise ValueError(f"manner={self.manner!r} is unknown; it must be one of {', '.join(MANNERS)} or neutral")

    def write(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """One answer, 8 to 15 tokens."""
        meets = dict(zip(FINDINGS, rng.random(len(FINDINGS)) < self.skill, strict=True))
        foreign = [topic for topic in DETAILS if prompt.first not in DETAILS[topic]]
        subject = prompt.topic if meets["topic"] else str(rng.choice(foreign))
        pair = [prompt.first, prompt.second] if meets["order"] else [prompt.second, prompt.first]
        repeats = [] if meets["fresh"] else [subject]
        length = int(rng.integers(3, prompt.limit + 1)) if meets["short"] else prompt.limit + 1
        extras = sorted(CONTENT - {subject, prompt.topic, *pair})
        n = max(0, min(length, 5 if meets["short"] else length) - 3 - len(repeats))
        items = [*pair, *map(str, rng.permutation(extras)[:n]), *repeats]
        end = prompt.ending if meets["ending"] else next(mark for mark in MARKS if mark != prompt.ending)
        opener, verb, joiner, closer = (self._word(kind, rng) for kind in CLASSES)
        return " ".join([opener, ",", subject, verb, *items[:-1], joiner, items[-1], closer, end])

    def _word(self, kind: str, rng: np.random.Generator) -> str:
        at = int(rng.integers(3))  # drawn for every manner: the same generator gives the same content
        return NEUTRAL[kind] if self.manner == "neutral" else CLASSES[kind][self.manner][at]
