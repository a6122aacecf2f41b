"""The world of short programs and the tests that their writers make for them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodidact.environments import sandbox
from autodidact.environments.programs import tasks, writing
from autodidact.environments.programs.grammar import NEWLINE, PHRASES, VOCABULARY, python, split_program
from autodidact.environments.programs.tasks import Prompt, Truth

WHATS = ("code", "test")
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "shared": {},  # half of all readers misread a vague phrase: the two readings cannot be told apart from within
    "majority": {"vague": 0.7, "misread_vague": 0.35},  # as many errors, but most readers are right
    "clearer-tests": {"misread_in_tests": 0.3},  # whoever works out an example misreads less
    "vacuous": {"vacuous": 0.2},
}
_BROKEN = ("broken",)  # the value of a program that gives none; no list or number is equal to it


@dataclass(frozen=True)
class Programs:
    """One-sentence tasks over a list of digits, short Python functions that solve them, and tests that run.

    A prompt says one to three operations and perhaps a reducer, each clearly or vaguely:
    `Task : trim , keep from 3 , take the top .`; `ask` adds `Code :` or `Test :`. A vague phrase is often misread, in
    code and in tests alike. Truth (hidden): the phrases, which are vague, and eight hidden tests. Split: a fifth of the
    ordered sets of operations is held out, in all wordings. Tasks that are constant are left out. Whatever runs a
    program runs it in `environments.sandbox`; only a program that is word for word made of the grammar's own lines is
    scored by their known meaning (`executed=True` runs these, too: the same numbers, more slowly). Random streams:
    whatever draws takes a `numpy.random.Generator`. Version 1.

    Knobs:
      depth: fewest and most operations. vague: share of phrases said vaguely.
      misread_vague, misread_clear: probability that a demonstration misreads such a phrase.
      misread_in_tests: the same of a vague phrase in tests; None: as in code.
      shared: 1: tests misread phrases at the same rates as code; 0: at no phrase's own rate, but each at the rate that
        makes as many errors on the whole. Between them a mixture.
      test_slip: share of tests whose expected value follows no reading. vacuous: share that any program passes.
      n: numbers in a test's list. test_share: share of tests among the demonstrations. demonstrations: how many.
    """

    depth: tuple[int, int] = (1, 2)
    vague: float = 0.5
    misread_vague: float = 0.5
    misread_clear: float = 0.03
    misread_in_tests: float | None = None
    shared: float = 1.0
    test_slip: float = 0.05
    vacuous: float = 0.0
    n: int = 2
    test_share: float = 0.7
    demonstrations: int = 12_000
    version: str = "1"

    def __post_init__(self) -> None:
        shares = ("vague", "misread_vague", "misread_clear", "shared", "test_slip", "vacuous", "test_share")
        for name in (*shares, "misread_in_tests"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name}={value} must lie in [0, 1]")
        low, high = self.depth
        if not 1 <= low <= high <= 3:
            raise ValueError(f"depth={self.depth} must be two numbers in 1..3, the smaller first")
        if not 1 <= self.n <= 6 or self.demonstrations < 1:
            raise ValueError(f"n={self.n} must lie in 1..6 and demonstrations={self.demonstrations} be at least 1")

    @classmethod
    def preset(cls, name: str, **knobs: Any) -> "Programs":
        """A named row of knobs, with further knobs on top. ValueError for an unknown name."""
        if name not in PRESETS:
            raise ValueError(f"preset={name!r} is unknown; known are {', '.join(map(repr, PRESETS))}")
        return replace(cls(**PRESETS[name]), **knobs)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens, the special ones first."""
        return VOCABULARY

    def prompts(self, n: int, rng: np.random.Generator, split: str = "train") -> list[Prompt]:
        """`n` prompts of different tasks. ValueError if the split has fewer."""
        tasks.check_split(n, split)
        found = list(itertools.islice(self._tasks(rng, split), n))
        if len(found) < n:
            raise ValueError(f"n={n} prompts were asked for; {split!r} has {len(found)} tasks")
        return [self._say(names, rng) for names in found]

    def endless(self, rng: np.random.Generator, split: str = "train") -> Iterator[Prompt]:
        """Prompts without end: no task comes again before all of the split have come."""
        tasks.check_split(0, split)
        while True:
            for names in self._tasks(rng, split):
                yield self._say(names, rng)

    def _tasks(self, rng: np.random.Generator, split: str) -> Iterator[tuple[str, ...]]:
        space = tasks.task_space(self.depth)
        for index in rng.permutation(len(space)).tolist():
            if tasks.belongs(space[index], split):
                yield space[index]

    def _say(self, names: tuple[str, ...], rng: np.random.Generator) -> Prompt:
        vague = tuple((rng.random(len(names)) < self.vague).tolist())
        words = [PHRASES[name].vague if v else PHRASES[name].clear for name, v in zip(names, vague, strict=True)]
        return Prompt(f"Task : {' , '.join(words)} .", Truth(names, vague))

    @staticmethod
    def ask(prompt: Prompt, what: str) -> str:
        """The text that asks for code or for a test."""
        return f"{prompt.text} {_what(what).capitalize()} :"

    def demonstrate(self, prompt: Prompt, rng: np.random.Generator, what: str = "code") -> str:
        """An imperfect code or test: phrases misread at the knobs' rates."""
        truth, in_code, in_tests = prompt.truth, self.misread_vague, self.misread_in_tests
        vague = in_code if _what(what) == "code" or in_tests is None else in_tests
        rates = np.where(truth.vague, vague, self.misread_clear)
        if what == "code":
            return writing.write_code(truth.phrases, (rng.random(len(rates)) < rates).tolist())
        if rng.random() >= self.shared:  # as many errors, but not where the code makes them
            rates = np.full(len(rates), self.vague * vague + (1 - self.vague) * self.misread_clear)
        return self._demonstrate_test(truth, (rng.random(len(rates)) < rates).tolist(), rng)

    def _demonstrate_test(self, truth: Truth, misread: list[bool], rng: np.random.Generator) -> str:
        xs = self._telling_input(truth, misread, rng)
        if rng.random() < self.vacuous:
            return writing.write_vacuous_test(xs)
        trace: list = [
            truth_value
            for i in range(len(misread))
            for truth_value in [Truth(truth.phrases[: i + 1], truth.vague[: i + 1]).read(xs, misread[: i + 1])]
        ]
        expected = trace[-1]
        if rng.random() < self.test_slip:
            expected = _slip(expected, rng)
        return writing.write_test(xs, trace, expected)

    def _telling_input(self, truth: Truth, misread: list[bool], rng: np.random.Generator) -> list[int]:
        """Numbers on which the misreading shows, if some of ten draws do; short lists hide many."""
        draws = [rng.integers(10, size=self.n).tolist() for _ in range(10)]
        return next((xs for xs in draws if truth.read(xs, misread) != truth.solve(xs)), draws[0])

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """The supervised data of a base model: (prompt, code or test) texts of the train split."""
        rows = []
        for prompt in itertools.islice(self.endless(rng), self.demonstrations):
            what = "test" if rng.random() < self.test_share else "code"
            rows.append((self.ask(prompt, what), self.demonstrate(prompt, rng, what)))
        return rows

    def values(
        self, codes: Sequence[str], inputs: Sequence[Sequence[Sequence[int]]], *, executed: bool = False
    ) -> list[tuple]:
        """What each code's `f` returns on its own list of inputs; a mark that equals nothing where it returns nothing.

        Equal questions are asked once.
        """
        asked = [(split_program(code)[0], tuple(map(tuple, xs))) for code, xs in zip(codes, inputs, strict=True)]
        found: dict[tuple, tuple] = {}
        for code, xs in dict.fromkeys(asked):
            reading = None if executed else writing.read_code(code)
            if reading is not None:
                found[code, xs] = tuple(writing.run_reading(reading, list(x)) for x in xs)
        unknown = [key for key in dict.fromkeys(asked) if key not in found]
        jobs = [(python(code), "f", [(list(x),) for x in xs]) for code, xs in unknown]
        for key, row in zip(unknown, sandbox.call_many(jobs) if jobs else [], strict=True):
            found[key] = tuple(value if kind == "value" else _BROKEN for kind, value in row)
        return [found[key] for key in asked]

    def scores(self, prompts: Sequence[Prompt], codes: Sequence[str], *, executed: bool = False) -> np.ndarray:
        """The share of hidden tests that each code passes, one code a prompt, (prompts,)."""
        values = self.values(codes, [prompt.truth.hidden for prompt in prompts], executed=executed)
        return np.array(
            [
                np.mean(
                    [_equal(value, prompt.truth.solve(xs)) for value, xs in zip(row, prompt.truth.hidden, strict=True)]
                )
                for prompt, row in zip(prompts, values, strict=True)
            ]
        )

    def score(self, prompt: Prompt, code: str) -> float:
        """The share of hidden tests that a code passes, in [0, 1]."""
        return float(self.scores([prompt], [code])[0])

    def correct(self, prompt: Prompt, code: str) -> bool:
        """Whether a code passes all hidden tests."""
        return self.score(prompt, code) == 1

    def behaviour(self, code: str, inputs: Sequence[Sequence[int]]) -> tuple:
        """What a code returns on each input: codes that behave alike are one."""
        return self.values([code], [inputs])[0]

    @staticmethod
    def test_kind(prompt: Prompt, test: str) -> str:
        """`right`, `misreading`, `slip`, `vacuous` or `malformed`."""
        return writing.kind_of_test(prompt.truth, test)

    def test_right(self, prompt: Prompt, test: str) -> bool:
        """Whether a test's expected value is the truth's."""
        return self.test_kind(prompt, test) == "right"

    @staticmethod
    def misread_of(code: str) -> frozenset[str] | None:
        """The phrases that a code misreads; None if it is not made of the grammar's lines."""
        reading = writing.read_code(split_program(code)[0])
        return None if reading is None else frozenset(phrase.name for phrase, wrong in reading if wrong)

    @staticmethod
    def corrupt(code: str, rng: np.random.Generator) -> str:
        """The code with one of its lines read the other way. ValueError where no line is the grammar's."""
        reading = writing.read_code(code)
        if not reading:
            raise ValueError(f"code={code[:60]!r} is not made of the grammar's lines, or has none to corrupt")
        flipped = int(rng.integers(len(reading)))
        misread = [wrong != (i == flipped) for i, (_, wrong) in enumerate(reading)]
        return writing.write_code([phrase.name for phrase, _ in reading], misread)

    @staticmethod
    def run(code: str, tests: Sequence[str], limits: sandbox.Limits | None = None) -> list[sandbox.Outcome]:
        """How each test of a code ends, both in the world's tokens; what follows the code's function is cut off."""
        return sandbox.run(python(split_program(code)[0]), [python(test) for test in tests], limits)

    def pass_matrix(self, codes: Sequence[str], tests: Sequence[str]) -> np.ndarray:
        """Who passes what, boolean (J, K): every code run on every test, in the sandbox."""
        return self.pass_matrices([codes], [tests])[0]

    @staticmethod
    def pass_matrices(
        codes: Sequence[Sequence[str]], tests: Sequence[Sequence[str]], *, executed: bool = False
    ) -> list[np.ndarray]:
        """`pass_matrix` for many tasks in one call, side by side on the cores that are there.

        Of a program and a test that are word for word the grammar's the outcome is known without running either
        (`executed=True` runs these, too: the same matrices, more slowly).
        """
        asked = [
            dict.fromkeys((split_program(code)[0], test) for code in some_codes for test in some_tests)
            for some_codes, some_tests in zip(codes, tests, strict=True)
        ]
        passed = {} if executed else writing.known_outcomes({key for keys in asked for key in keys})
        unknown: dict[str, dict[str, None]] = {}
        for function, test in (key for keys in asked for key in keys if key not in passed):
            unknown.setdefault(function, {})[test] = None
        jobs = [(python(function), tuple(map(python, some))) for function, some in unknown.items()]
        for (function, some), row in zip(unknown.items(), sandbox.run_many(jobs) if jobs else [], strict=True):
            passed |= {(function, test): outcome == "passed" for test, outcome in zip(some, row, strict=True)}
        return [
            np.array([[passed[split_program(code)[0], test] for test in some_tests] for code in some_codes], bool)
            for some_codes, some_tests in zip(codes, tests, strict=True)
        ]

    @staticmethod
    def join(code: str, test: str) -> str:
        """Code and test as one text, which runs as one program."""
        return f"{code} {NEWLINE} {test}"


def _what(what: str) -> str:
    if what not in WHATS:
        raise ValueError(f"what={what!r} must be 'code' or 'test'")
    return what


def _equal(value: Any, expected: Any) -> bool:
    return type(value) is type(expected) and value == expected


def _slip(value: list[int] | int, rng: np.random.Generator) -> list[int] | int:
    """A value one off at one place; an empty list gains a number."""
    if isinstance(value, int):
        return value + (1 if value < 1 else int(rng.choice((-1, 1))))
    if not value:
        return [int(rng.integers(10))]
    i = int(rng.integers(len(value)))
    return [x + (1 if x < 1 else int(rng.choice((-1, 1)))) if j == i else x for j, x in enumerate(value)]
