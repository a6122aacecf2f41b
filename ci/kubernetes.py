"""What Snakemake asks of Kubernetes, with `ci/profiles/kubernetes`: submit a run, and tell what became of it.

Everything lies on one volume that the driver and every pod mount at the same path; `kubectl` reaches the cluster.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ci import submitted
from ci.submitted import ask

KEPT_SECONDS = 24 * 3600  # how long an ended job can still be looked at


def submit(output: Path, log: Path, options: list[str]) -> str:
    """The name of the job that makes `output`: of the one that is there already, or else of a new one."""
    chosen = _parser().parse_args(options)
    name = submitted.name(output)
    there = _job(name)
    if there is None or _over(there):
        ask("kubectl", "delete", "job", name, "--ignore-not-found", "--wait")
        ask("kubectl", "create", "--filename=-", given=json.dumps(manifest(name, chosen)))
    submitted.note(name, output, log)
    return name


def status(name: str) -> str:
    """`running`, `success` or `failed`; running also where the cluster does not answer, so that it is asked again."""
    try:
        job = _job(name)
        if job is None:
            return submitted.ended(name, False, "Kubernetes does not know it any more")
        if not _over(job):
            return submitted.RUNNING
        completed = _condition(job, "Complete") is not None
        return submitted.ended(name, completed, "" if completed else _reason(name, job))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return submitted.RUNNING


def manifest(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """A job that runs the script once. What it asks for is also its limit: so it sees no more cores than it has."""
    resources = {"cpu": str(chosen.threads), "memory": f"{chosen.mem}M"}
    if chosen.gpus:
        resources["nvidia.com/gpu"] = str(chosen.gpus)
    volume, _, path = chosen.volume.partition(":")
    container = {
        "name": "run",
        "image": chosen.image,
        "command": ["/bin/sh", "-c", chosen.script.read_text()],
        "resources": {"requests": resources, "limits": resources},
        "volumeMounts": [{"name": "shared", "mountPath": path}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": volume}}],
    }
    spec = {"backoffLimit": 0, "activeDeadlineSeconds": chosen.time * 60, "ttlSecondsAfterFinished": KEPT_SECONDS}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": {"app": "autodidact"}}}
    return {**job, "spec": {**spec, "template": {"metadata": {"labels": {"app": "autodidact"}}, "spec": pod}}}


def _job(name: str) -> dict[str, Any] | None:
    found = ask("kubectl", "get", "job", name, "--ignore-not-found", "--output=json")
    return json.loads(found) if found.strip() else None


def _condition(job: dict[str, Any], kind: str) -> dict[str, Any] | None:
    conditions = job.get("status", {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == kind and c["status"] == "True"), None)


def _over(job: dict[str, Any]) -> bool:
    return any(_condition(job, kind) for kind in ("Complete", "Failed"))


def _reason(name: str, job: dict[str, Any]) -> str:
    """What Kubernetes did to a job, such as OOMKilled or DeadlineExceeded; empty where its command failed by itself."""
    why = _condition(job, "Failed")
    pods = json.loads(ask("kubectl", "get", "pods", f"--selector=job-name={name}", "--output=json"))["items"]
    states = [c.get("state", {}) for pod in pods for c in pod.get("status", {}).get("containerStatuses") or []]
    reasons = {state["terminated"].get("reason", "Error") for state in states if "terminated" in state} - {"Error"}
    own = why.get("reason") == "BackoffLimitExceeded" and states and not reasons
    return "" if own else f"Kubernetes ended it, {', '.join(sorted(reasons)) or why.get('reason', 'Failed')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.kubernetes")
    parser.add_argument("--image", required=True, help="the image in which a run's shell starts")
    parser.add_argument("--volume", required=True, help="CLAIM:PATH, a volume claim and where it is mounted")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--mem", type=int, required=True, help="megabytes")
    parser.add_argument("--time", type=int, required=True, help="minutes")
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("script", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(submitted.main(submit, status))
