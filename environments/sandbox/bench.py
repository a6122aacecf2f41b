"""One program before its tests: its sandbox, the tester's, and what is believed of what either says."""

import re
import signal
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autodidact.environments.sandbox.box import Box, Ended, Late
from autodidact.environments.sandbox.codec import NotPlain, adopt_all
from autodidact.environments.sandbox.limits import Limits
from autodidact.environments.sandbox.plans import Assignment, Name, plan

_REST_SECONDS = 1.0  # for a child to end when told to
_DETAIL = 500  # characters of a reason, at most; it may be a program's own words
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_PRELOADED = set(
    """bisect collections copy datetime decimal fractions functools hashlib heapq itertools json math operator random re
    statistics string typing""".split()  # noqa: SIM905 (a list of names would take twenty lines)
)


class Outcome(StrEnum):
    """How a test of a program ended."""

    PASSED = "passed"
    FAILED = "failed"  # an assertion of the test did not hold
    ERROR = "error"  # anything else that is not as it should be: an exception, an end, a value that is no plain data
    TIMEOUT = "timeout"  # of processor time or of the clock


@dataclass(frozen=True)
class Report:
    """An outcome, why in a few words (empty if passed), and what was printed, cut at the limit."""

    outcome: Outcome
    detail: str = ""
    output: str = ""


class _Over(Exception):
    """The test of a program has ended; `lost` if its process is not where it should be and must be given up."""

    def __init__(self, outcome: Outcome, detail: str, *, lost: bool = True) -> None:
        detail = _sendable(detail[:_DETAIL])
        super().__init__(detail)
        self.outcome, self.detail, self.lost = outcome, detail, lost


class Bench:
    """A program and its tests: the program's sandbox, and a tester's where a test needs an interpreter."""

    def __init__(self, code: str, limits: Limits, entry: str | None, isolated: bool) -> None:
        self.limits, self.entry, self.isolated = limits, entry, isolated
        self._boxes: dict[str, Box] = {}
        self._unloadable: Report | None = None
        self._deadline = 0.0
        self._oversize = _oversize("the program", code, limits)
        code = "" if self._oversize else _sendable(code)
        imports = tuple(sorted(set(_IMPORT.findall(code)) & _PRELOADED & sys.stdlib_module_names))
        self._settings = {"program": {"source": code, "imports": imports}, "tester": {}}

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *error: object) -> None:
        for box in self._boxes.values():
            box.close()

    def judge(self, test: str) -> Report:
        """Run one test on a fresh copy of the program."""
        if self._unloadable is not None:
            return self._unloadable
        if reason := self._oversize or _oversize("the test", test, self.limits):
            return Report(Outcome.ERROR, reason)
        steps = plan(test, self.entry)
        loaded = False
        try:
            program = self._load()
            loaded = True
            if steps is None:
                self._converse(program, _sendable(test))
            else:
                self._follow(program, steps)
            over = _Over(Outcome.PASSED, "", lost=False)
        except _Over as reason:
            over = reason
        report = Report(over.outcome, over.detail, self._printed())
        if not loaded:
            self._unloadable = report
        self._finish(over.lost)
        return report

    def values(self, function: str, inputs: list[list]) -> list[tuple[str, Any]]:
        """The values of a function, see `call`."""
        if self._oversize:
            return [("error", self._oversize)] * len(inputs)
        found: list[tuple[str, Any]] = []
        program = None
        while len(found) < len(inputs):
            try:
                program = program or self._load()
                found.append(("value", self._call(program, function, inputs[len(found)], {})[0]))
            except _Over as over:
                found.append(("timeout", "") if over.outcome is Outcome.TIMEOUT else ("error", over.detail))
                if program is None:  # it does not load
                    return found * len(inputs) if len(found) == 1 else found + found[-1:] * (len(inputs) - len(found))
                if over.lost:
                    self._finish(True)
                    program = None
        return found

    def _printed(self) -> str:
        return "".join(bytes(box.output).decode("utf-8", "replace") for box in self._boxes.values())

    def _fork(self, role: str, order: dict) -> Box:
        """A fresh child in the role's sandbox, which is itself made anew if there is none."""
        if role not in self._boxes:
            self._boxes[role] = Box(role, self.limits, isolated=self.isolated, **self._settings[role])
        self._boxes[role].fork(order)
        return self._boxes[role]

    def _load(self) -> Box:
        program = self._fork("program", {"test": "", "entry": None})
        self._deadline = time.monotonic() + self.limits.wall_seconds
        answer = self._next(program, "the program")
        match answer:
            case ["loaded"]:
                return program
            case ["raise", str(kind), str(text)]:
                raise _Over(Outcome.ERROR, f"the program does not load: {kind}: {text}")
        raise _Over(Outcome.ERROR, "the program does not load: it has written to its channel")

    def _finish(self, lost: bool) -> None:
        """End the children. A tester's sandbox serves once, a program's as long as its children leave it as it was."""
        if tester := self._boxes.pop("tester", None):
            tester.close()
        program = self._boxes["program"]
        if not lost:
            program.post(["quit"])
        if lost or not program.finish(time.monotonic() + _REST_SECONDS):
            self._boxes.pop("program").close()

    def _next(self, box: Box, who: str) -> list:
        """The next message of a child, or how the test is over."""
        try:
            return box.next(self._deadline)
        except Late:
            reason = f"{who} took more than {self.limits.wall_seconds} s on the clock"
            raise _Over(Outcome.TIMEOUT, reason) from None
        except NotPlain as error:
            raise _Over(Outcome.ERROR, f"{who}: {error}") from None
        except Ended as error:
            killed = error.code == -signal.SIGKILL and error.seconds >= self.limits.cpu_seconds
            if killed or error.code == -signal.SIGXCPU:
                reason = f"{who} took more than {self.limits.cpu_seconds} s of processor time"
                raise _Over(Outcome.TIMEOUT, reason) from None
            reason = f"{who} has ended its process, exit code {error.code}"
            raise _Over(Outcome.ERROR, reason) from None

    def _ask(self, program: Box, message: list) -> list:
        """The program's answer to a call or a look, if it has the form that the protocol knows for it.

        A program can write to its channel what it likes, so only this is taken over: how the arguments are now after a
        call that returned None, and what those names mean that were asked for.
        """
        try:
            program.post(message)
        except NotPlain as error:
            raise _Over(Outcome.ERROR, f"arguments: {error}", lost=False) from None
        match message, self._next(program, "the program"):
            case ["call", *_], ["raise", str(), str()] | ["bad", str()] as answer:
                return answer
            case ["call", *_], ["return", value, list(), dict()] if value is not None:
                return ["return", value, [], {}]
            case ["call", _, arguments, named], ["return", None, list(after), dict(named_after)] if (
                len(after) == len(arguments) and named_after.keys() == named.keys()
            ):
                return ["return", None, after, {name: named_after[name] for name in named}]
            case ["look", names], ["found", dict(found)] if all(map(_meaning, found.values())):
                return ["found", {name: found[name] for name in names if name in found}]
        raise _Over(Outcome.ERROR, "the program: it has written to its channel")

    def _call(self, program: Box, function: str, arguments: list, named: dict) -> tuple[Any, list]:
        """The value of a call, and the arguments as they are afterwards if it returned None."""
        match self._ask(program, ["call", function, arguments, named]):
            case ["return", value, after, named_after]:
                return value, [*after, *named_after.values()]
            case ["raise", kind, text]:
                raise _Over(Outcome.ERROR, f"{kind}: {text}", lost=False)
            case [_, why]:
                raise _Over(Outcome.ERROR, f"the program's value: {why}", lost=False)

    def _follow(self, program: Box, steps: list) -> None:
        """A test in the simple form: call by call, with the comparison out here."""
        values: dict[str, Any] = {}
        for step in steps:
            if isinstance(step, Assignment):
                values[step.name] = step.value()
                continue

            def meant(part: Any) -> Any:
                return values[part.name] if isinstance(part, Name) else part()

            arguments = [meant(part) for part in step.arguments]
            named = {name: meant(part) for name, part in step.named.items()}
            value, after = self._call(program, step.function, arguments, named)
            adopt_all([*arguments, *named.values()], after)
            if not step.holds(value, meant(step.expected)):
                raise _Over(Outcome.FAILED, "AssertionError: the value is not as expected", lost=False)

    def _converse(self, program: Box, test: str) -> None:
        """Any other test: it runs in a sandbox of its own, and its calls are handed to the program's."""
        tester = self._fork("tester", {"test": test, "entry": self.entry})
        while True:
            message = self._next(tester, "the test")
            match message:
                case ["verdict", "passed", str()]:
                    return
                case ["verdict", "failed" | "error" as verdict, str(detail)]:
                    raise _Over(Outcome(verdict), detail, lost=False)
                case ["look", list(names)] if all(type(name) is str for name in names):
                    answer = self._ask(program, message)
                case ["call", str(), list(), dict(named)] if all(type(name) is str for name in named):
                    answer = self._ask(program, message)
                case _:
                    raise _Over(Outcome.ERROR, "the test: it has written to its channel")
            try:
                tester.post(answer)
            except NotPlain as error:  # in a spelling of its own a program says more than goes into ours
                raise _Over(Outcome.ERROR, f"the program's value: {error}") from None


def _meaning(meaning: Any) -> bool:
    """Whether this says what a name means: see `look` in `inside`."""
    match meaning:
        case ["call"] | ["module", str()] | ["value", _]:
            return True
    return False


def _oversize(who: str, text: str, limits: Limits) -> str:
    """Why a text is not run at all, empty if it can be."""
    size = len(text) if len(text) > limits.text_bytes else len(_sendable(text).encode())
    return f"{who} is longer than {limits.text_bytes} bytes" if size > limits.text_bytes else ""


def _sendable(text: str) -> str:
    """The text itself; what UTF-8 does not have is replaced, which no valid program holds."""
    return text.encode("utf-8", "replace").decode()
