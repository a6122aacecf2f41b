"""What a batch costs over bare papermill calls, and what a second job gains, on short notebooks without a model."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ci.bench.small_paper import MEASURE, write_paper
from ci.execute import environment
from ci.files import ROOT

NOTEBOOKS = 8
WORK_SECONDS = 6
WORK = """
import time
end = time.process_time() + {}
while time.process_time() < end:
    np.linalg.svd(rng.normal(size=(60, 60)))
"""


def bench_batch(notebooks: int = NOTEBOOKS, work: float = WORK_SECONDS) -> dict[str, Any]:
    """Wall and CPU seconds of `notebooks` notebooks of `work` CPU seconds each, three ways, and two ratios.

    `overhead` is the batch with one job over bare papermill calls one after another, minus 1, both on one core;
    `speedup` is one job over two, on two cores. So every notebook has one thread in each way.
    """
    with tempfile.TemporaryDirectory() as folder:
        papers = Path(folder) / "papers"
        notebook = write_paper(papers, "short", MEASURE + WORK.format(work))
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        own = {"AUTODIDACT_PAPERS": str(papers), "PYTHONPATH": path}
        variables = {**os.environ, **environment(threads=1), **own}
        with _cores(1):
            bare = _timed([_papermill(notebook, Path(folder), seed) for seed in range(notebooks)], variables)
            one = _batch(notebooks, 1, variables | {"AUTODIDACT_RERUNS": f"{folder}/one"})
        two = _batch(notebooks, 2, variables | {"AUTODIDACT_RERUNS": f"{folder}/two"})
    times = {f"{name}_{unit}": value for name, pair in {"bare": bare, "one_job": one, "two_jobs": two}.items()
             for unit, value in pair.items()}  # fmt: skip
    overhead = one["wall_seconds"] / bare["wall_seconds"] - 1
    return {**times, "overhead": overhead, "speedup": one["wall_seconds"] / two["wall_seconds"]}


@contextmanager
def _cores(number: int) -> Iterator[None]:
    """Have what is started within run on so many cores: a batch gives each job its share of those that it may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _papermill(notebook: Path, folder: Path, seed: int) -> list[str]:
    words = [sys.executable, "-m", "papermill", str(notebook), str(folder / f"{seed}.ipynb"), "--no-progress-bar"]
    return [*words, "-p", "seed", str(seed), "-p", "seeds", "1", "-p", "scale", "toy", "--cwd", str(notebook.parent)]


def _batch(notebooks: int, jobs: int, variables: dict[str, str]) -> dict[str, float]:
    words = [sys.executable, "-m", "ci.batch", "--seeds", str(notebooks), "--jobs", str(jobs), "--gpus", "0"]
    return _timed([words], variables)


def _timed(commands: list[list[str]], variables: dict[str, str]) -> dict[str, float]:
    """Wall seconds of the commands one after another, and CPU seconds of them and all that they start."""
    before, start = _children_cpu(), time.perf_counter()
    for command in commands:
        subprocess.run(command, env=variables, cwd=ROOT, check=True, capture_output=True)
    return {"wall_seconds": time.perf_counter() - start, "cpu_seconds": _children_cpu() - before}


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
