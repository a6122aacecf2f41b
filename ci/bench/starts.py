"""Many short runs at once, more than there are cores: does each begin and end in time, whatever else is starting?"""

import io
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from ci.bench.small_paper import KERNEL
from ci.board import Board
from ci.jobs import Job, run_all

RUNS, JOBS = 200, 12


def bench_starts(runs: int = RUNS, jobs: int = JOBS) -> dict[str, Any]:
    """Of `runs` notebooks of one line, `jobs` at a time: how many ended and failed, seconds of all and the longest."""
    seconds, failed = [], []

    def note(job: Job) -> None:
        seconds.append(time.monotonic() - job.started)
        failed.extend([job.error] if job.error else [])

    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "one.ipynb")
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")], metadata=KERNEL), place)
        waiting = [Job(f"run {number}", place, Path(folder, f"out/{number}.ipynb")) for number in range(runs)]
        run_all(waiting, jobs, note, Board(io.StringIO()))
    wall = time.monotonic() - begun
    return {"ended": len(seconds), "failed": len(failed), "longest_seconds": max(seconds), "wall_seconds": wall}
