"""What a toy seed of a paper costs, and the warm start of a cached base model."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ci.execute import environment
from ci.files import ROOT
from ci.profiling import stages

REPEATS = 5
WARM = """
import json, time
from autodidact.environments import load_world
from autodidact.bases import load_policy
import transformers.models.llama.modeling_llama
world, times = load_world({world!r}), []
for _ in range({repeats} + 1):
    start = time.perf_counter()
    load_policy("tiny", world, seed=0)
    times.append(time.perf_counter() - start)
print(json.dumps(times))
"""


def bench_seed(slug: str) -> dict[str, Any]:
    """CPU seconds of a toy seed of a paper, its base and what is paid once a process apart, and all by stage."""
    with tempfile.TemporaryDirectory() as cache:
        spent = stages(slug, {}, Path(cache))
    apart = spent["start"] + spent["import"] + spent["base"]
    return {"seed": spent["total"] - apart, **spent}


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
    return {**os.environ, **environment(threads=1)}
