"""Runs that were given to a cluster's scheduler: how their jobs are named, found again, and told to Snakemake.

A job is named after what it makes. So a run whose job is still there is not submitted again: a killed driver's jobs are
followed by the next driver as its own. A job that the scheduler ended says so as the last line of its run's log.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ci.files import write_atomic

NOTES = Path("jobs")  # in the batch's folder: for each job what it makes and where it logs
RUNNING, SUCCESS, FAILED = "running", "success", "failed"  # the words that Snakemake wants to hear


def name(output: Path) -> str:
    """The name of the job that makes `output`, the same for whoever asks for it."""
    return "autodidact-" + hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:16]


def note(job: str, output: Path, log: Path) -> None:
    """Remember what a job makes."""
    write_atomic(NOTES / f"{job}.json", json.dumps({"output": str(output), "log": str(log)}))


def unfinished(folder: Path, since: float) -> list[str]:
    """The jobs of the batch in `folder`, noted after the time `since`, whose output is not there."""
    notes = [path for path in (folder / NOTES).glob("*.json") if path.stat().st_mtime >= since]
    return [path.stem for path in notes if not (folder / json.loads(path.read_text())["output"]).is_file()]


def ended(job: str, completed: bool, reason: str = "") -> str:
    """What became of a job that is over: a run is finished if its output is there, whatever the scheduler says.

    `completed`: its command ended well, and a shared folder may show the output a little later. `reason` is what the
    scheduler did to it; without one the run's own log tells, if there is any.
    """
    run = json.loads((NOTES / f"{job}.json").read_text())
    if completed or Path(run["output"]).is_file():
        return SUCCESS
    log = Path(run["log"])
    if reason or not log.is_file():
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a") as stream:
            print(f"\njob {job} left no output: {reason or 'its command failed, and wrote no log'}", file=stream)
    return FAILED


def ask(*command: str, given: str | None = None) -> str:
    """What a command of the scheduler prints; CalledProcessError or TimeoutExpired if it does not serve."""
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=True).stdout


def main(submit: Callable[[Path, Path, list[str]], str], status: Callable[[str], str]) -> int:
    """Command line: `submit OUTPUT LOG OPTIONS... SCRIPT` prints the id of a job, `status JOB` what became of it."""
    verb, first, *rest = sys.argv[1:]
    try:
        print(submit(Path(first), Path(rest[0]), rest[1:]) if verb == "submit" else status(first))
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]}: {error.stderr.strip()}", file=sys.stderr)
        return 1
    return 0
