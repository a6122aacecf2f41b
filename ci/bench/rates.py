"""How fast something runs, in units of work a second: the clock of every part that compares two rates."""

import time
from collections.abc import Callable


def cpu_rate(run: Callable[[], int]) -> float:
    """Units a CPU second of this process; `run` does the work and says how many units it was."""
    return _rate(run, time.process_time)


def wall_rate(run: Callable[[], int]) -> float:
    """Units a second of the wall clock: for work that a GPU or other processes do."""
    return _rate(run, time.perf_counter)


def _rate(run: Callable[[], int], clock: Callable[[], float]) -> float:
    start = clock()
    return run() / (clock() - start)
