"""Executions a second in the sandbox, each program in one of its own: with one test each, and with eight."""

import os
import time
from typing import Any

PROGRAMS = 100


def bench_sandbox() -> dict[str, Any]:
    """Programs x tests a second on the clock, on all cores that this process may use, and how many these are.

    An execution is a fresh process that loads the program and answers a test; the sandbox around it is made once a
    program, so that one test each is the dearest case.
    """
    from autodidact.environments import sandbox

    sandbox.run("", [""])  # the check of this machine, done once
    measured: dict[str, Any] = {"cores": len(os.sched_getaffinity(0))}
    for name, tests in (("one_test", 1), ("eight_tests", 8)):
        jobs = [
            (
                f"def f(xs):\n    return max(xs) + {i}\n",
                [f"t = [{k}, 1]\nassert f(t) == {max(k, 1) + i}" for k in range(tests)],
            )
            for i in range(PROGRAMS)
        ]
        start = time.monotonic()
        outcomes = sandbox.run_many(jobs)
        seconds = time.monotonic() - start
        if not all(outcome == "passed" for row in outcomes for outcome in row):
            raise RuntimeError("a right program has not passed: the measurement means nothing")
        measured[f"{name}_per_second"] = PROGRAMS * tests / seconds
    return measured
