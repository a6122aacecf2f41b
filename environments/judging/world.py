"""The world as a notebook loads it."""

from dataclasses import dataclass

import numpy as np

from environments.judging.answers import Writer, findings, manner_of, quality, restyle
from environments.judging.requests import Prompt, all_requests
from environments.judging.vocabulary import VOCABULARY


@dataclass(frozen=True)
class Judging:
    """Requests, two writers of known skill and manner, and the truth about what they write."""

    skills: tuple[float, float] = (0.7, 0.7)
    version: str = "1"
    vocabulary = VOCABULARY
    findings = staticmethod(findings)
    quality = staticmethod(quality)
    manner_of = staticmethod(manner_of)
    restyle = staticmethod(restyle)

    @classmethod
    def preset(cls, name: str) -> "Judging":
        """`default` or `dbg`: two writers of equal skill. Raises ValueError for another name."""
        if name not in ("default", "dbg"):
            raise ValueError(f"preset {name!r} of the world judging is unknown; known are default, dbg")
        return cls()

    @property
    def writers(self) -> tuple[Writer, Writer]:
        """The plain and the brisk writer."""
        return Writer(self.skills[0], "plain", "A"), Writer(self.skills[1], "brisk", "B")

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[Prompt]:
        """n requests of a split, without replacement. Raises ValueError if the split has fewer."""
        known = all_requests(split)
        if not 1 <= n <= len(known):
            raise ValueError(f"n={n} requests of split {split!r} were asked for; it must be 1 to {len(known)}")
        return [known[i] for i in rng.permutation(len(known))[:n]]

    def score(self, prompt: Prompt, answer: str) -> float:
        """quality / 5, in [0, 1]."""
        return quality(prompt, answer) / 5

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, writer: Writer) -> str:
        """What the writer writes."""
        return writer.write(prompt, rng)

    @staticmethod
    def compare_prompt(prompt: Prompt, a: str, b: str) -> str:
        """What a pairwise judge reads; its answer is the token A or B."""
        return f"Request : {prompt.text} A : {a} B : {b} Better answer :"
