"""What Snakemake is told of jobs on a cluster, by schedulers that answer as SLURM and Kubernetes do."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ci import kubernetes, slurm, submitted
from ci.bench.small_paper import MEASURE, write_paper
from tests.ci.test_batch import make
from tests.ci.test_cluster import GENERIC, NO_EXECUTORS, SEEN, seen

LOG, OUTPUT = Path("runs/alpha/0.log"), Path("runs/alpha/0.ipynb")
KUBECTL = """#!/usr/bin/env python3
import json, pathlib, subprocess, sys
verb, *rest = sys.argv[1:]
state = pathlib.Path({folder!r}) / "job.json"
if verb == "create":
    job = json.load(sys.stdin)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    done = subprocess.run(["env", "-i", "PATH=/usr/bin:/bin", *container["command"]], stdout=sys.stderr)
    condition = {{"type": "Failed" if done.returncode else "Complete", "status": "True"}}
    state.write_text(json.dumps({{**job, "status": {{"conditions": [condition]}}}}))
elif verb == "get" and rest[0] == "job" and state.exists():
    print(state.read_text())
elif verb == "get" and rest[0] == "pods":
    print(json.dumps({{"items": []}}))
elif verb == "delete":
    state.unlink(missing_ok=True)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a batch, where the schedulers' commands run; job 5 makes its first run."""
    monkeypatch.chdir(tmp_path)
    submitted.note("5", OUTPUT, LOG)
    return tmp_path


def answers(monkeypatch, module, said):
    """Let a scheduler's commands answer from `said`: a text, or the message with which the command fails."""
    asked = []

    def ask(*command, given=None):
        asked.append(" ".join(command))
        answer = said[next(key for key in said if asked[-1].startswith(key))]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module, "ask", ask)
    return asked


def refusal(message, command="squeue"):
    return subprocess.CalledProcessError(1, [command], stderr=message)


FORGOTTEN = refusal("slurm_load_jobs error: Invalid job id specified")
NO_ACCOUNTS = refusal("Slurm accounting storage is disabled", "sacct")


@pytest.mark.parametrize(
    ("squeue", "sacct", "expected", "reason"),
    [
        ("PENDING|Resources\n", NO_ACCOUNTS, "running", None),
        ("COMPLETING|None\n", NO_ACCOUNTS, "running", None),
        ("COMPLETED|None\n", NO_ACCOUNTS, "success", None),
        ("FAILED|NonZeroExitCode\n", NO_ACCOUNTS, "failed", "the run's own word"),
        ("TIMEOUT|TimeLimit\n", NO_ACCOUNTS, "failed", "job 5 left no output: SLURM ended it, TIMEOUT (TimeLimit)"),
        (FORGOTTEN, "CANCELLED by 0|None\n", "failed", "job 5 left no output: SLURM ended it, CANCELLED"),
        (FORGOTTEN, "COMPLETED|None\n", "success", None),
        (FORGOTTEN, NO_ACCOUNTS, "failed", "job 5 left no output: SLURM does not know it any more"),
        ("", FileNotFoundError("sacct"), "failed", "job 5 left no output: SLURM does not know it any more"),
        (refusal("Unable to contact slurm controller (connect failure)"), NO_ACCOUNTS, "running", None),
        (subprocess.TimeoutExpired("squeue", 60), NO_ACCOUNTS, "running", None),
    ],
)
def test_slurms_jobs_end_with_a_reason_and_none_is_waited_for_in_vain(
    folder, monkeypatch, squeue, sacct, expected, reason
):
    answers(monkeypatch, slurm, {"squeue": squeue, "sacct": sacct})
    LOG.parent.mkdir(parents=True)
    LOG.write_text("the run's own word\n")
    assert slurm.status("5") == expected
    assert LOG.read_text().splitlines()[-1] == (reason or "the run's own word")
    OUTPUT.write_text("whole")
    assert slurm.status("5") == ("running" if expected == "running" else "success")


def test_a_run_whose_job_is_there_is_not_submitted_to_slurm_again(folder, monkeypatch):
    asked = answers(monkeypatch, slurm, {"squeue": "17\n"})
    assert slurm.submit(OUTPUT, LOG, ["--gpus=1", "script"]) == "17"
    assert submitted.name(OUTPUT) in asked[0] and len(asked) == 1
    asked = answers(monkeypatch, slurm, {"squeue": "", "sbatch": "18;cluster\n"})
    assert slurm.submit(OUTPUT, LOG, ["--gpus=0", "script"]) == "18"
    assert asked[1].endswith(" script") and "--gpus" not in asked[1]
    assert {path.stem for path in submitted.NOTES.iterdir()} == {"5", "17", "18"}


def test_a_run_whose_job_is_there_is_not_submitted_to_kubernetes_again(folder, monkeypatch):
    (folder / "script").write_text("#!/bin/sh\necho done\n")
    words = [
        "--image",
        "debian",
        "--volume",
        "shared:/work",
        "--threads",
        "2",
        "--mem",
        "8000",
        "--time",
        "60",
        "script",
    ]
    there = {"status": {"active": 1}}
    asked = answers(monkeypatch, kubernetes, {"kubectl get job": json.dumps(there)})
    assert kubernetes.submit(OUTPUT, LOG, words) == submitted.name(OUTPUT) and len(asked) == 1
    over = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    asked = answers(monkeypatch, kubernetes, {"kubectl get job": json.dumps(over), "kubectl": ""})
    assert kubernetes.submit(OUTPUT, LOG, words) == submitted.name(OUTPUT)
    assert [line.split()[1] for line in asked] == ["get", "delete", "create"]


@pytest.mark.parametrize(
    ("condition", "pods", "expected", "reason"),
    [
        ([], [], "running", ""),
        ([("Complete", None)], [], "success", ""),
        ([("Failed", "BackoffLimitExceeded")], ["Error"], "failed", "its command failed, and wrote no log"),
        ([("Failed", "BackoffLimitExceeded")], ["OOMKilled"], "failed", "Kubernetes ended it, OOMKilled"),
        ([("Failed", "DeadlineExceeded")], [], "failed", "Kubernetes ended it, DeadlineExceeded"),
        (None, [], "failed", "Kubernetes does not know it any more"),
    ],
)
def test_kubernetes_jobs_end_with_a_reason(folder, monkeypatch, condition, pods, expected, reason):
    conditions = [{"type": kind, "status": "True", "reason": why} for kind, why in condition or ()]
    job = "" if condition is None else json.dumps({"status": {"conditions": conditions}})
    items = [{"status": {"containerStatuses": [{"state": {"terminated": {"reason": why}}}]}} for why in pods]
    said = {"kubectl get job": job, "kubectl get pods": json.dumps({"items": items})}
    answers(monkeypatch, kubernetes, said)
    assert kubernetes.status("5") == expected
    assert (LOG.read_text() if LOG.exists() else "").endswith(f"job 5 left no output: {reason}\n" if reason else "")
    answers(monkeypatch, kubernetes, {"kubectl": refusal("Unable to connect to the server", "kubectl")})
    assert kubernetes.status("5") == "running"


def test_the_profile_for_kubernetes_runs_a_batch(papers, home, command, tmp_path, monkeypatch):
    pytest.importorskip(GENERIC, reason=NO_EXECUTORS)
    monkeypatch.setenv("AUTODIDACT_IMAGE", "debian:12")
    monkeypatch.setenv("AUTODIDACT_VOLUME", "shared:/work")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "kubectl").write_text(KUBECTL.format(folder=str(tmp_path)))
    (tmp_path / "kubectl").chmod(0o755)
    write_paper(papers, "alpha", MEASURE + SEEN)
    quick = "--profile ci/profiles/kubernetes --seconds-between-status-checks 1"
    done = command("ci.batch", "--scale", "small", "--seeds", "1", "--jobs", "1", "--flags", quick, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AUTODIDACT_IMAGE" not in seen(make(scale="small", seeds="1", gpus="").output("alpha", 0))
    job = json.loads((tmp_path / "job.json").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    wanted = {"cpu": "2", "memory": "8000M", "nvidia.com/gpu": "1"}
    assert container["image"] == "debian:12" and container["resources"] == {"requests": wanted, "limits": wanted}
    assert container["volumeMounts"] == [{"name": "shared", "mountPath": "/work"}]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "shared"}
