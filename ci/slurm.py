"""What Snakemake asks of SLURM, with `ci/profiles/slurm`: submit a run, and tell what became of it.

What became of a job is read from `squeue`; once SLURM has forgotten it, from `sacct`; and where no accounts are kept,
from whether its output is there.
"""

import subprocess
import sys
from pathlib import Path

from ci import submitted
from ci.submitted import NOTES, ask

THERE = "PENDING,CONFIGURING,RUNNING,SUSPENDED"
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE")
OVER += ("PREEMPTED", "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL")


def submit(output: Path, log: Path, options: list[str]) -> str:
    """The id of the job that makes `output`: of the one that is there already, or else of a new one.

    `options` are sbatch's, and last the script. A request for no GPU is left out: a SLURM without any refuses it.
    """
    name = submitted.name(output)
    there = ask("squeue", "--me", "--noheader", "--format=%i", f"--states={THERE}", "--name", name).split()
    if not there:
        NOTES.mkdir(exist_ok=True)
        words = [word for word in options if word != "--gpus=0"]
        there = ask("sbatch", "--parsable", "--job-name", name, "--output", str(NOTES / "%j.log"), *words).split(";")
    job = there[0].strip()
    submitted.note(job, output, log)
    return job


def status(job: str) -> str:
    """`running`, `success` or `failed`; running also where SLURM does not answer, so that it is asked again."""
    try:
        state, reason = _state(job)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return submitted.RUNNING
    if state and state not in OVER:
        return submitted.RUNNING
    if state in ("COMPLETED", "FAILED"):
        return submitted.ended(job, state == "COMPLETED")
    said = f"SLURM ended it, {state}{reason}" if state else "SLURM does not know it any more"
    return submitted.ended(job, False, said)


def _state(job: str) -> tuple[str, str]:
    """A job's state, and the reason for it in brackets; both empty if SLURM does not know the job any more."""
    found = ""
    try:
        found = ask("squeue", "--noheader", "--states=all", "--format=%T|%r", "--jobs", job).strip()
    except subprocess.CalledProcessError as error:
        if "Invalid job id" not in error.stderr:
            raise
    if not found:
        found = _accounted(job)
    state, _, reason = found.partition("|")
    return state.split(" ")[0], f" ({reason})" if reason not in ("", "None") else ""


def _accounted(job: str) -> str:
    """State and reason by the accounts, empty where none are kept."""
    words = ["sacct", "--noheader", "--parsable2", "--allocations", "--format=State,Reason", "--jobs", job]
    try:
        return (ask(*words).splitlines() or [""])[0]
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(submitted.main(submit, status))
