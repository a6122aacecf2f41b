"""A toy notebook's wall time by stage, and the warm start of a cached base model."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

from ci.arguments import all_papers
from ci.execute import environment
from ci.files import ROOT
from ci.jobs import Job
from ci.plan import notebook

SEEDS = 2
REPEATS = 5
WARM = """
import json, time
from autodidact.environments import load_world
from autodidact.models import load_policy
import transformers.models.llama.modeling_llama
world, times = load_world({world!r}), []
for _ in range({repeats} + 1):
    start = time.perf_counter()
    load_policy("tiny", world, seed=0)
    times.append(time.perf_counter() - start)
print(json.dumps(times))
"""


def bench_notebook(slug: str | None = None, seeds: int = SEEDS) -> dict[str, Any]:
    """Wall seconds of a paper's notebook at toy scale by stage: start, import, base, sampling, training, evaluation.

    `start` is what happens before the first cell runs and after the last. The paper is the first one by default.
    """
    slug = slug or all_papers()[0]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "stages.json"
        copy = nbformat.read(notebook(slug), as_version=4)
        copy.cells.insert(0, new_code_cell("from ci.bench import stages\nstages.install()"))
        copy.cells.append(new_code_cell(f"stages.write({str(result)!r})"))
        nbformat.write(copy, Path(folder) / "timed.ipynb")
        job = Job(slug, Path(folder) / "timed.ipynb", Path(folder) / "out.ipynb", {"seeds": seeds})
        begin = time.perf_counter()
        job.start(threads=1)  # and one seed at a time: forked processes could not be timed from here
        job.process.wait()
        wall = time.perf_counter() - begin
        if not (job.ended() and job.error is None):
            raise RuntimeError(f"the notebook of {slug} failed: {job.error}")
        stages = json.loads(result.read_text())
    return {"paper": slug, "seeds": seeds, "start": wall - stages.pop("total"), **stages, "wall_seconds": wall}


def bench_warm_start(world: str = "instructions/default") -> dict[str, Any]:
    """Seconds of `load_policy("tiny")` from the cache in a fresh process after imports: the first call and the median.

    The first of all calls may train the base; it is made in a process before.
    """
    code = WARM.format(world=world, repeats=REPEATS)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=_quiet())
        if done.returncode:
            raise RuntimeError(f"load_policy failed: {done.stderr.strip().splitlines()[-1]}")
    times = json.loads(done.stdout.splitlines()[-1])
    return {"first_call_seconds": times[0], "median_seconds": sorted(times[1:])[REPEATS // 2]}


def _quiet() -> dict[str, str]:
    import os

    return {**os.environ, **environment(threads=1)}
