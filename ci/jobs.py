"""Several notebooks at a time, each in a process of its own, followed while they run and ended with this one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodidact.claims.replicates import VARIABLE as WORKERS
from autodidact.cores import allotted
from ci import ending, execute
from ci.board import Board, Row, clock
from ci.files import ROOT

POLL_SECONDS = 0.2
YIELDING = 10  # niceness of a job that starts beside another: a notebook uses every core that it is left
GRACE_SECONDS = 5


@dataclass
class Job:
    """One notebook to execute into `output`; `error` is one line once it has failed.

    `label` is its name on the board, the slug if it is empty. What lies at `output` from an earlier run stays until
    this one is whole.
    """

    slug: str
    notebook: Path
    output: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    state: str = "waiting"
    error: str | None = None
    label: str = ""
    started: float = 0.0
    process: subprocess.Popen | None = None

    @property
    def log(self) -> Path:
        """What the run wrote to its streams; its last line tells why it failed."""
        return self.output.with_suffix(".log")

    @property
    def progress(self) -> Path:
        """The file to which the running notebook appends its progress, a JSON line a stage and a seed."""
        return self.output.with_suffix(".progress")

    def start(self, threads: int, workers: int = 1, niceness: int = 0) -> None:
        """Start the process: `threads` for each numerical library, `workers` seeds side by side."""
        self.output.parent.mkdir(parents=True, exist_ok=True)
        self.progress.unlink(missing_ok=True)
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        own = {"AUTODIDACT_PROGRESS": str(self.progress), ending.OWNER: str(os.getpid()), "PYTHONPATH": path}
        own[WORKERS] = os.environ.get(WORKERS) or str(workers)
        command = ["nice", "-n", str(niceness), sys.executable, "-m", "ci.execute"]
        command += [str(self.notebook), str(self.output), json.dumps(self.parameters)]
        self.state, self.started = "running", time.monotonic()
        variables = {**os.environ, **execute.environment(threads), **own}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=variables, start_new_session=True)

    def ended(self) -> bool:
        """Whether the process is over; notes how it ended."""
        if self.process is None or self.process.poll() is None:
            return False
        code = self.process.returncode
        self.state = "done" if code == 0 else "failed"
        if code < 0:  # whatever its log ends with, that was not the reason
            self.error = f"killed by {signal.Signals(-code).name}"
        elif code:
            self.error = execute.last_line(self.log) or f"exit status {code}"
        self.progress.unlink(missing_ok=True)
        return True

    def row(self) -> Row:
        """The job as the board shows it."""
        seeds, stage = seeds_and_stage(self.progress)
        return Row(self.label or self.slug, self.state, seeds, clock(time.monotonic() - self.started), stage)


def seeds_and_stage(progress: Path) -> tuple[str, str]:
    """`3 of 10` and what each seed under way is doing, out of a file of progress; `starting` before its first line."""
    try:
        lines = progress.read_text(errors="replace").splitlines(keepends=True)
    except OSError:
        return "starting", ""
    whole = [line for line in lines if line.endswith("\n")]
    if not whole:
        return "starting", ""
    last = json.loads(whole[-1])
    stages = [f"seed {seed}: {stage}" for seed, stage in last["stages"].items() if stage]
    return f"{last['done']} of {last['of']}", "; ".join(stages)


def run_all(jobs: Sequence[Job], limit: int, on_end: Callable[[Job], None], board: Board) -> None:
    """Run the jobs in their order, `limit` at a time, and call `on_end` for each that ends; an interrupt ends all.

    One that starts alone may run a seed on every core, the others keep to their share and yield to it: so the first
    result is soon there.
    """
    waiting, running = list(jobs), []
    cores = allotted()
    share = max(1, cores // limit)
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                first = not running
                waiting[0].start(share, cores if first else share, 0 if first else YIELDING)
                running.append(waiting.pop(0))
            board.show([job.row() for job in running], f"{len(waiting)} waiting" if waiting else "")
            time.sleep(POLL_SECONDS)
            for job in [job for job in running if job.ended()]:
                running.remove(job)
                on_end(job)
    finally:
        board.close()
        _end(running)


def _end(jobs: Sequence[Job]) -> None:
    """Ask the processes to end, which shuts their kernels down, and kill those that do not."""
    for job in jobs:
        job.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for job in jobs:
        try:
            job.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            job.process.kill()
            job.process.wait()
