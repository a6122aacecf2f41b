"""GSM8K: grade-school word problems with human solutions and one number as the answer."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autodidact.environments.mirror import read_dataset

FINAL = re.compile(r"####\s*(-?[\d,]*\.?\d+)\s*\.?\s*$")
CALCULATOR = re.compile(r"<<[^>]*>>")


@dataclass(frozen=True)
class Problem:
    """A question; `truth` (hidden) is the human solution, which ends in `#### number`."""

    text: str
    truth: str


@dataclass(frozen=True)
class GSM8K:
    """Word problems from openai/gsm8k (train split), answered by a solution that ends in `#### number`.

    What a prompt asks: the question, then the form of the answer. Truth: the human solution, its calculator notes left
    out. Score: 1 if the response ends in `#### number` with the right number, else 0; anything malformed scores 0.
    Split: by a stable hash of the question, a tenth held out. Version 1.

    longest: only problems whose solution has at most this many characters (None: all), so that a small model with few
    tokens a response can finish.
    """

    longest: int | None = None
    version: str = "1"

    @classmethod
    def preset(cls, name: str) -> "GSM8K":
        """A named row of knobs: `default` (all problems) or `short` (solutions of 160 characters at most)."""
        presets = {"default": cls(), "short": cls(longest=160)}
        if name not in presets:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(presets)}")
        return presets[name]

    def prompts(
        self, n: int, rng: np.random.Generator, split: str = "train", part: int = 0, parts: int = 1
    ) -> list[Problem]:
        """`n` different problems of a split; parts of a split share none. ValueError if there are fewer."""
        if split not in ("train", "held-out"):
            raise ValueError(f"split={split!r} is unknown; known are 'train' and 'held-out'")
        if not 0 <= part < parts:
            raise ValueError(f"part={part} must lie in 0..{parts - 1}")
        pool = self._pool(split, part, parts)
        if n > len(pool):
            raise ValueError(f"n={n} problems were asked for; part {part} of {parts} of {split!r} has {len(pool)}")
        return [pool[i] for i in rng.choice(len(pool), size=n, replace=False)]

    def _pool(self, split: str, part: int, parts: int) -> list[Problem]:
        return [
            problem
            for problem in _problems()
            if (self.longest is None or len(problem.truth) <= self.longest)
            and (_hash(problem.text, "split") % 10 == 0) == (split == "held-out")
            and _hash(problem.text, "part") % parts == part
        ]

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """All (question, human solution) texts of the training split, in random order: supervised data."""
        pool = self._pool("train", 0, 1)
        return [(pool[i].text, pool[i].truth) for i in rng.permutation(len(pool))]

    def demonstrate(self, prompt: Problem, rng: np.random.Generator) -> str:
        """The human solution."""
        return prompt.truth

    def score(self, prompt: Problem, response: str) -> float:
        """1.0 if the final number is the right one, else 0.0."""
        answer = final_number(response)
        return float(answer is not None and answer == final_number(prompt.truth))

    def well_formed(self, response: str) -> bool:
        """Whether the response ends in `#### number`."""
        return final_number(response) is not None


def final_number(text: str) -> float | None:
    """The number after the last `####` if the text ends with it, else None."""
    match = FINAL.search(text[-40:].rstrip())
    return float(match.group(1).replace(",", "")) if match else None


def _hash(text: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{text}".encode()).digest()[:8], "big")


@lru_cache(maxsize=1)
def _problems() -> tuple[Problem, ...]:
    import pyarrow as pa

    schema = pa.schema({"question": pa.string(), "answer": pa.string()})
    rows = read_dataset("openai/gsm8k", "train", schema, "main")
    ask = " Solve it in short steps and end with #### and the number."
    problems = []
    for number, (question, answer) in enumerate(zip(rows["question"], rows["answer"], strict=True)):
        truth = CALCULATOR.sub("", answer).strip()
        if final_number(truth) is None:
            raise rows.error("answer", number, f"must end in #### and a number, not in {truth[-40:]!r}")
        problems.append(Problem(question.strip() + ask, truth))
    return tuple(problems)
