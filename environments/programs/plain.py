"""The same tasks, programs and tests in Python's own spelling, for models that know Python."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autodidact.environments import sandbox
from autodidact.environments.programs.grammar import INDENT, NEWLINE, python
from autodidact.environments.programs.tasks import Prompt
from autodidact.environments.programs.world import Programs

_SPELLING = (  # tokens joined by blanks to what a person would write
    (r" ([,.:)\]])", r"\1"),
    (r"([(\[]) ", r"\1"),
    (r"(?<=[\w)\]]) ([(\[])", r"\1"),
    (r"(?<=[(\[,:=>])( ?)- (?=\w)", r"\1-"),
    (r": -", ":-"),
)
_WORD = re.compile(r"[A-Za-z_]\w*|\d+\.\d+|\d+|->|//|\*\*|[=!<>+*/%-]=|\S")


def plain(text: str) -> str:
    """The world's tokens in Python's spelling; a sentence of the world becomes one with the usual blanks."""
    lines = python(text).rstrip("\n").split("\n")
    for pattern, spelling in _SPELLING:
        lines = [re.sub(pattern, spelling, line) for line in lines]
    return "\n".join(lines)


def tokens(text: str) -> str:
    """A text of Python in the world's tokens. Never raises; `tokens(plain(x)) == x` for what the world writes."""
    lines = []
    for line in text.strip("\n").split("\n"):
        depth = (len(line) - len(line.lstrip(" "))) // 4
        lines.append(" ".join([INDENT] * depth + _WORD.findall(line)))
    return f" {NEWLINE} ".join(lines)


class PlainPrograms(Programs):
    """`Programs`, whose prompts, demonstrations and answers are plain Python: what it takes it reads as its tokens.

    Blanks between the words of a line are lost on the way, those of a text in quotation marks among them.
    """

    @staticmethod
    def ask(prompt: Prompt, what: str) -> str:
        """The text that asks for code or for a test."""
        return plain(Programs.ask(prompt, what))

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, what: str = "code") -> str:
        """An imperfect code or test: phrases misread at the knobs' rates."""
        return plain(super().demonstrate(prompt, rng, what))

    def values(
        self, codes: Sequence[str], inputs: Sequence[Sequence[Sequence[int]]], *, executed: bool = False
    ) -> list[tuple]:
        """What each code's `f` returns on its own list of inputs."""
        return super().values([tokens(code) for code in codes], inputs, executed=executed)

    @staticmethod
    def test_kind(prompt: Prompt, test: str) -> str:
        """`right`, `misreading`, `slip`, `vacuous` or `malformed`."""
        return Programs.test_kind(prompt, tokens(test))

    @staticmethod
    def misread_of(code: str) -> frozenset[str] | None:
        """The phrases that a code misreads; None if it is not made of the grammar's lines."""
        return Programs.misread_of(tokens(code))

    @staticmethod
    def corrupt(code: str, rng: np.random.Generator) -> str:
        """The code with one of its lines read the other way."""
        return plain(Programs.corrupt(tokens(code), rng))

    @staticmethod
    def run(code: str, tests: Sequence[str], limits: sandbox.Limits | None = None) -> list[sandbox.Outcome]:
        """How each test of a code ends; what follows the code's function is cut off."""
        return Programs.run(tokens(code), [tokens(test) for test in tests], limits)

    @staticmethod
    def pass_matrices(
        codes: Sequence[Sequence[str]], tests: Sequence[Sequence[str]], *, executed: bool = False
    ) -> list[np.ndarray]:
        """Who passes what, one boolean (J, K) a task."""
        both = ([[tokens(text) for text in row] for row in some] for some in (codes, tests))
        return Programs.pass_matrices(*both, executed=executed)

    @staticmethod
    def join(code: str, test: str) -> str:
        """Code and test as one text, which runs as one program."""
        return f"{code}\n{test}"

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "PlainPrograms":
        """A named row of knobs of `Programs`, with further knobs on top."""
        return super().preset(name, **knobs)
