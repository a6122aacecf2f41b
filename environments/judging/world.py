"""The world as a notebook loads it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments.judging.answers import Writer, findings, manner_of, quality, restyle
from autodidact.environments.judging.pointwise import criteria, judgement_prompt, noisy_judgement
from autodidact.environments.judging.requests import Prompt, all_requests
from autodidact.environments.judging.vocabulary import DETAILS, MANNERS, VOCABULARY

TASKS = ("write", "compare", "judge")
_EASY = (0.5, 0.9, 0.5, 0.9, 0.6)  # order and fresh, hard for two layers, seldom decide
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "dbg": {"tasks": ("judge", "compare", "compare", "write"), "skills": (_EASY, _EASY), "topics": 6},
    "findings": {"tasks": ("write", "judge"), "written": "neutral"},
}


@dataclass(frozen=True)
class Judging:
    """Requests, two writers of known skill and manner, and the truth about what they write.

    What a prompt asks: `Write about the boat . Put the sail before the mast . Use at most 7 words . End with a question
    mark .` Answer: `so , boat has sail and mast today ?`. Truth: five findings, decided by the content and never by the
    manner. Score: the share of findings met; malformed answers score 0.

    Knobs:
      skills: of the plain and the brisk writer, the probability of meeting a finding, one number or five each.
      tasks: what the corpus holds, in equal numbers: "write" (request -> answer), "compare" (two answers -> the letter
        of the better one, ties left out) and "judge" (answer and criterion -> findings and mark, with noise).
        A task named twice has twice the share.
      written, compared: manner of the answers that are to be written, and of those that are to be compared or judged:
        "own" (each writer's), "neutral", "plain" or "brisk".
      demonstrations: texts of the corpus.
      topics: requests are about the first so many of the 24 topics; a tiny model learns few of them sooner.
    """

    skills: tuple[Any, Any] = (0.7, 0.7)
    tasks: tuple[str, ...] = TASKS
    written: str = "own"
    compared: str = "neutral"
    demonstrations: int = 12000
    topics: int = len(DETAILS)
    version: str = "1"
    vocabulary = VOCABULARY
    findings = staticmethod(findings)
    quality = staticmethod(quality)
    manner_of = staticmethod(manner_of)
    restyle = staticmethod(restyle)
    manners = MANNERS

    def __post_init__(self) -> None:
        if not self.tasks or not set(self.tasks) <= set(TASKS):
            raise ValueError(f"tasks={self.tasks} must be one or more of {', '.join(TASKS)}")
        for name in ("written", "compared"):
            if getattr(self, name) not in ("own", "neutral", *MANNERS):
                known = ", ".join(("own", "neutral", *MANNERS))
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; it must be one of {known}")
        if self.demonstrations < 1 or not 1 <= self.topics <= len(DETAILS):
            given = f"demonstrations={self.demonstrations} and topics={self.topics}"
            raise ValueError(f"{given} must be at least 1, and topics {len(DETAILS)} at most")

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "object":
        """A named row of knobs, with further knobs on top.

        `default` (all three tasks), `dbg` (for tiny writers and judges: few topics, easy findings decide), `findings`
        (writing and judging, all neutral), `ifeval` (real prompts: `JudgingIFEval`), `sentences` (prompts that a small
        pretrained model can meet: `JudgingSentences`). ValueError for another name.
        """
        if name in ("ifeval", "sentences"):
            from autodidact.environments.judging import real

            return (real.JudgingIFEval if name == "ifeval" else real.JudgingSentences)(**knobs)
        if name not in PRESETS:
            known = ", ".join([*PRESETS, "ifeval", "sentences"])
            raise ValueError(f"preset {name!r} of the world judging is unknown; known are {known}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def writers(self) -> tuple[Writer, Writer]:
        """The plain and the brisk writer."""
        return Writer(self.skills[0], "plain", "A"), Writer(self.skills[1], "brisk", "B")

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[Prompt]:
        """n requests of a split, without replacement. Raises ValueError if the split has fewer."""
        known = self._requests(split)
        if not 1 <= n <= len(known):
            raise ValueError(f"n={n} requests of split {split!r} were asked for; it must be 1 to {len(known)}")
        return [known[i] for i in rng.permutation(len(known))[:n]]

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """(prompt, response) texts for supervised training, of training requests only, the tasks in turn."""
        known = self._requests("train")
        asked = [known[i] for i in rng.integers(len(known), size=self.demonstrations)]
        return [self._item(self.tasks[i % len(self.tasks)], x, rng) for i, x in enumerate(asked)]

    def score(self, prompt: Prompt, answer: str) -> float:
        """quality / 5, in [0, 1]."""
        return quality(prompt, answer) / 5

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, writer: Writer) -> str:
        """What the writer writes."""
        return writer.write(prompt, rng)

    def opponent(self, prompt: Prompt, rng: np.random.Generator, skill: float) -> str:
        """An answer by a third writer, in neither manner, that meets each finding with probability `skill`."""
        return Writer(skill, "neutral").write(prompt, rng)

    @staticmethod
    def compare_prompt(prompt: Prompt, a: str, b: str) -> str:
        """What a pairwise judge reads; its answer is the token A or B."""
        return f"Request : {prompt.text} A : {a} B : {b} Better answer :"

    def _requests(self, split: str) -> list[Prompt]:
        topics = set(list(DETAILS)[: self.topics])
        return [x for x in all_requests(split) if x.topic in topics]

    def _item(self, task: str, x: Prompt, rng: np.random.Generator) -> tuple[str, str]:
        if task == "write":
            return x.text, self._drawn(x, self.written, rng)
        if task == "judge":
            (criterion,), y = criteria(1, rng), self._drawn(x, self.compared, rng)
            return judgement_prompt(x, y, criterion), noisy_judgement(x, y, criterion, rng)
        a = b = self._drawn(x, self.compared, rng)
        while quality(x, a) == quality(x, b):
            b = self._drawn(x, self.compared, rng)
        return self.compare_prompt(x, a, b), "A" if quality(x, a) > quality(x, b) else "B"

    def _drawn(self, x: Prompt, manner: str, rng: np.random.Generator) -> str:
        """An answer by either writer. Which of two is drawn first says nothing of its quality, so slots are fair."""
        answer = self.writers[rng.integers(2)].write(x, rng)
        return answer if manner == "own" else restyle(answer, manner)
