"""Rerun papers over many seeds: `make rerun SCALE=small SEEDS=20 PAPERS="sppo spin" JOBS=2 ARGS="-p beta 0.05"`.

Everything that was typed is checked before anything runs (exit status 2, one line). The runs go through Snakemake, a
job for each paper and seed, and whatever is finished is pooled into one report. The same command goes on where the
last one ended. Exit status 1 if a run failed.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ci import cluster, ending, execute, plan, report, submitted
from ci.arguments import whole
from ci.board import clock
from ci.cluster import Flags
from ci.files import only_one, shown
from ci.jobs import POLL_SECONDS

LINGER_SECONDS = 300  # how long Snakemake may go on after the last run has ended: it asks a cluster now and then only
# Outputs appear by rename, so Snakemake's own bookkeeping of torn files would only discard good ones.
TRUST_OUTPUTS = ["--nolock", "--ignore-incomplete", "--keep-incomplete", "--rerun-triggers", "mtime", "--drop-metadata"]


def main(argv: list[str] | None = None) -> int:
    """Command line of the batch."""
    options = _parser().parse_args(argv)
    try:
        jobs, flags = whole("JOBS", options.jobs), cluster.read(options.flags)
        scale, seeds = options.scale or "toy", options.seeds or "10"
        batch = plan.make(options.papers, scale, seeds, options.args, options.gpus, flags.cluster)
        with only_one(batch.folder):
            return _run(batch, jobs, flags)
    except ValueError as error:
        print(f"rerun: {error}", file=sys.stderr)
        return 2


def _run(batch: plan.Plan, jobs: int, flags: Flags) -> int:
    for path in plan.set_aside_outdated(batch):
        print(f"made by other code or presets, will be run again: {shown(path)}")
    done = sum(batch.output(*run).is_file() for run in batch.runs)
    print(f"{len(batch.runs)} runs, {done} of them finished before; logs and notebooks in {shown(batch.folder)}/runs")
    if done < len(batch.runs):
        _snakemake(batch, jobs, flags)
    summary = report.write(batch)
    print(f"\n{report.text(summary)}\nreport: {shown(batch.folder)}/report.html (.md, .json)")
    return 0 if report.complete(summary) else 1  # whatever became of Snakemake and of its shells


def _snakemake(batch: plan.Plan, jobs: int, flags: Flags) -> None:
    """Run what is missing, with a line for each run that ends."""
    config, log = plan.write(batch, jobs), batch.folder / "snakemake.log"
    bases = [name for name in batch.config()["bases"] if not (batch.folder / "bases" / f"{name}.txt").is_file()]
    if bases:
        print(f"{len(bases)} base models are prepared, each before the runs that need it", flush=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(cluster.SNAKEFILE)]
    command += ["--directory", str(batch.folder), "--configfile", str(config), "--keep-going", "--scheduler", "greedy"]
    command += ["--jobs", str(jobs)] if batch.cluster else ["--cores", str(jobs * batch.threads(jobs))]
    command += [] if batch.most_gpus is None else ["--resources", f"gpu={batch.most_gpus}"]
    command += [*TRUST_OUTPUTS, *flags.words]
    variables = _environment(batch)
    started = time.time()
    with open(log, "w") as stream:
        process = subprocess.Popen(
            command, env=variables, preexec_fn=ending.end_with_parent(), stdout=stream, stderr=stream,
            start_new_session=batch.cluster,  # a second Ctrl-C, the terminal's, would leave a cluster's jobs there
        )  # fmt: skip
    try:
        ended = _follow(process, batch, flags.retries)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        _take_back(batch, flags, started)
        return
    if process.returncode and not ended:
        print(f"Snakemake ended before any run did; {shown(log)} ends so:\n{_tail(log)}", file=sys.stderr)


def _follow(process: subprocess.Popen, batch: plan.Plan, retries: int = 0) -> int:
    """Print a line for every run that ends until the process does; how many ended.

    A process that goes on long after the last run, for a cluster that tells it nothing, is ended.
    """
    started, last_end = time.time(), time.monotonic()
    clock_start = last_end
    waiting = [run for run in batch.runs if not batch.output(*run).is_file()]
    total, over = len(waiting), False
    while not over:
        over = process.poll() is not None
        for slug, seed in list(waiting):
            state = _state(batch.output(slug, seed), started)
            if state:
                waiting.remove((slug, seed))
                last_end = time.monotonic()
                at = f"{total - len(waiting)} of {total}, {clock(time.monotonic() - clock_start)}"
                print(f"{slug} seed {seed} {state} ({at})", flush=True)
        final = not waiting and (not retries or all(batch.output(*run).is_file() for run in batch.runs))
        if final and not over and time.monotonic() - last_end > LINGER_SECONDS:
            print("every run has ended, yet Snakemake waits: it is ended", flush=True)
            _end(process)
        if not over:
            time.sleep(POLL_SECONDS)
    return total - len(waiting)


def _take_back(batch: plan.Plan, flags: Flags, since: float) -> None:
    """Cancel the jobs of this batch: interrupted while it asks how they are, Snakemake forgets to."""
    jobs = submitted.unfinished(batch.folder, since) if flags.cancel else []
    if jobs:
        subprocess.run([flags.cancel, *jobs], capture_output=True)


def _end(process: subprocess.Popen, seconds: float = 30) -> None:
    """Interrupt a process, which lets it take its jobs back, and kill it if it has not ended by then."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def _state(output: Path, since: float) -> str | None:
    if output.is_file():
        return "done"
    failed = execute.failed_path(output)
    return "failed" if failed.is_file() and failed.stat().st_mtime >= since else None


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _environment(batch: plan.Plan) -> dict[str, str]:
    """Snakemake's variables. A job on this machine ends with this process and takes one of its GPUs."""
    variables = {k: v for k, v in os.environ.items() if k not in (ending.OWNER, execute.GPUS)}
    variables |= {**cluster.passed(os.environ), "AUTODIDACT_PYTHON": sys.executable}
    if not batch.cluster:
        variables[ending.OWNER] = str(os.getpid())
    if batch.gpu and batch.gpus:
        variables[execute.GPUS] = ",".join(batch.gpus)
    return variables


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.batch", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks; default: all")
    parser.add_argument("--scale", default="", help="default: toy")
    parser.add_argument("--seeds", default="", help="default: 10; 20 (0 to 19), 5-9, or 0,3,7")
    parser.add_argument("--jobs", default="2", help="how many notebooks run at once")
    parser.add_argument("--args", default="", help="-p NAME VALUE, any number of times")
    parser.add_argument("--gpus", default="", help="how many GPUs to use; default: all that are visible")
    parser.add_argument("--flags", default="", help="flags for Snakemake, such as --profile NAME for a cluster")
    return parser


if __name__ == "__main__":
    sys.exit(main())
