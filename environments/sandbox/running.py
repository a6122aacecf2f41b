"""Run programs on tests: every program in a sandbox of its own, every verdict reached outside of it."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from autodidact.environments.sandbox.bench import Bench, Outcome, Report
from autodidact.environments.sandbox.box import SandboxUnavailable
from autodidact.environments.sandbox.limits import Limits


def run(
    code: str,
    tests: Sequence[str],
    limits: Limits | None = None,
    *,
    entry: str | None = None,
    unisolated: bool = False,
) -> list[Outcome]:
    """How each test of a program ends: `passed`, `failed`, `error` or `timeout`.

    code: the program's text; it is loaded as a module whose `__name__` is "program". tests: texts of Python; the names
    that a test does not have itself mean the program's (a module's name means that module of Python's): what a test
    needs besides what it tests, it must define itself. Each starts from a fresh process and an untouched folder, so
    that tests cannot influence one another (a program can see how many came before, as it can see the clock); a
    program that does not even load is not loaded again for further tests. entry: a function of the program that bears
    the name of a built-in one (else a test's `len` is Python's own).

    A test and the program never share a process: calls and values cross as plain data (see `codec`), so objects,
    functions and generators can be neither passed nor returned (`error`). A function that returns None may change its
    list, dict and set arguments in place, one that returns a value works on copies. `==` is Python's, between the
    test's own built-in types. A test is believed: one that holds whatever a program does is passed by all.

    Raises SandboxUnavailable where this machine cannot isolate the program; `unisolated=True` runs it even then,
    without namespaces: host files can then be read. Neither on any system but Linux. TypeError for anything but texts.
    """
    return [report.outcome for report in examine(code, tests, limits, entry=entry, unisolated=unisolated)]


def examine(
    code: str,
    tests: Sequence[str],
    limits: Limits | None = None,
    *,
    entry: str | None = None,
    unisolated: bool = False,
) -> list[Report]:
    """As `run`, with the reason and what was printed."""
    _check_texts(code, tests)
    with Bench(code, limits or Limits(), entry, _isolated(unisolated)) as bench:
        return [bench.judge(test) for test in tests]


def run_many(
    jobs: Sequence[tuple[str, Sequence[str]]],
    limits: Limits | None = None,
    *,
    workers: int | None = None,
    entry: str | None = None,
    unisolated: bool = False,
) -> list[list[Outcome]]:
    """`run` for many (code, tests), `workers` sandboxes at a time (default: one a core). Equal jobs run once."""
    unique = list(dict.fromkeys((code, tuple(tests)) for code, tests in jobs))
    _isolated(unisolated)
    found = _side_by_side(lambda job: run(job[0], job[1], limits, entry=entry, unisolated=unisolated), unique, workers)
    outcomes = dict(zip(unique, found, strict=True))
    return [list(outcomes[code, tuple(tests)]) for code, tests in jobs]


def call(
    code: str,
    function: str,
    inputs: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    unisolated: bool = False,
) -> list[tuple[str, Any]]:
    """What a program's function does on each input, a tuple of arguments.

    Returns one of ("value", v), ("error", why) and ("timeout", "") an input.

    The limits hold for all calls together, which share a process as long as they return: state that a program keeps
    shows. After an error or a timeout the next call starts from a fresh one. Values are plain data.
    """
    _check_texts(code, ())
    with Bench(code, limits or Limits(), None, _isolated(unisolated)) as bench:
        return bench.values(function, [list(arguments) for arguments in inputs])


def call_many(
    jobs: Sequence[tuple[str, str, Sequence[Sequence[Any]]]],
    limits: Limits | None = None,
    *,
    workers: int | None = None,
    unisolated: bool = False,
) -> list[list[tuple[str, Any]]]:
    """`call` for many (code, function, inputs), `workers` sandboxes at a time (default: one a core)."""
    _isolated(unisolated)
    return _side_by_side(lambda job: call(*job, limits, unisolated=unisolated), list(jobs), workers)


def available() -> bool:
    """Whether this machine can isolate programs."""
    try:
        _isolated(False)
    except SandboxUnavailable:
        return False
    return True


@cache
def _probe() -> None:
    """Raise SandboxUnavailable unless a sandbox comes up and confines what runs in it."""
    with Bench("", Limits(), None, True) as bench:
        report = bench.judge("")
    if report.outcome is not Outcome.PASSED:
        raise SandboxUnavailable(f"the sandbox does not confine what runs in it: {report.detail}")


def _isolated(unisolated: bool) -> bool:
    """Whether to isolate: always, unless the machine cannot and the caller has said that this may be."""
    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"sys.platform={sys.platform!r} has no sandbox: it is made of Linux's namespaces, limits and filters. No "
            "program was run; use Linux, in a container for example"
        )
    try:
        _probe()
    except SandboxUnavailable as error:
        if unisolated:
            return False
        raise SandboxUnavailable(
            f"{error}. No program was run: without namespaces it could read the files of this machine; "
            "unisolated=True runs it all the same"
        ) from None
    return True


def _side_by_side(function: Any, jobs: list, workers: int | None) -> list:
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers} must be 1 or more")
    # A sandbox dies with the thread that started it; each job starts and ends its own.
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(function, jobs))


def _check_texts(code: str, tests: Sequence[str]) -> None:
    if not isinstance(code, str):
        raise TypeError(f"code must be a text, not {type(code).__name__}")
    if isinstance(tests, str) or not all(isinstance(test, str) for test in tests):
        raise TypeError("tests must be a sequence of texts, one a test")
