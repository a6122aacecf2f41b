"""A batch on a real SLURM, with the profile as it is: what a run is given, and what becomes of jobs and drivers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from autodidact.claims.record import read_record
from ci.bench.small_paper import MEASURE, write_paper
from ci.files import ROOT
from tests.ci.test_batch import make, wait_for
from tests.ci.test_cluster import SEEN, seen

pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="no executors: pip install '.[cluster]'")
pytestmark = pytest.mark.skipif(not shutil.which("slurmctld"), reason="no SLURM here: apt-get install slurm-wlm")
PROFILE = "--profile ci/profiles/slurm --seconds-between-status-checks 1 --set-threads execute=1"
FLAGS = f"{PROFILE} --default-resources mem_mb=300 runtime=10"


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory):
    """A SLURM of one node with two GPUs in name, without accounting, which forgets a job after two seconds."""
    folder = tmp_path_factory.mktemp("slurm")
    script = str(Path(__file__).with_name("slurm.sh"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        subprocess.run(["bash", script, "start", folder], check=True, timeout=60)
        yield
        subprocess.run(["bash", script, "stop", folder], check=True, timeout=60)


@contextmanager
def started(words):
    """A driver that is killed at the end, if it has not ended."""
    command = [sys.executable, "-m", "ci.batch", *words]
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield driver
    finally:
        driver.kill()
        driver.wait()


def test_jobs_of_a_killed_driver_are_followed_by_the_next(papers, home, command, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # the driver's own
    write_paper(papers, "alpha", MEASURE + SEEN + "import time; time.sleep(4)")
    words = ["--scale", "small", "--seeds", "3", "--jobs", "2", "--flags", FLAGS]
    batch = make(scale="small", seeds="3", gpus="")
    submitted = lambda: sorted(batch.folder.glob("jobs/*.json"))  # noqa: E731
    with started(words) as driver:
        wait_for(lambda: len(submitted()) == 2 and batch.output("alpha", 0).with_suffix(".log").exists(), seconds=180)
    assert driver.returncode == -signal.SIGKILL
    before = submitted()

    resumed = command("ci.batch", *words, timeout=300)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr + (batch.folder / "snakemake.log").read_text()
    assert "0 of them finished before" in resumed.stdout
    assert len(before) == 2 and len(submitted()) == 3, "a run was submitted twice"
    assert [read_record(batch.output("alpha", s))["parameters"]["seed"] for s in range(3)] == [0, 1, 2]
    for seed in range(3):
        worker = seen(batch.output("alpha", seed))
        assert worker["CUDA_VISIBLE_DEVICES"] in ("0", "1") and worker["OMP_NUM_THREADS"] == "1"
        assert worker["cores"] == 1, "the notebook takes more than SLURM gave it"


def test_a_cancelled_job_fails_with_slurms_reason_and_the_driver_ends(papers, home, command):
    write_paper(papers, "alpha", MEASURE + "import time; time.sleep(600 * s)")
    batch = make(seeds="2", gpus="")
    words = ["--seeds", "2", "--jobs", "2", "--flags", FLAGS]
    with started(words) as driver:
        wait_for(lambda: batch.output("alpha", 0).exists(), seconds=180)
        jobs = {json.loads(path.read_text())["output"]: path.stem for path in batch.folder.glob("jobs/*.json")}
        cancelled = jobs["runs/alpha/1.ipynb"]
        subprocess.run(["scancel", cancelled], check=True)
        said, _ = driver.communicate(timeout=180)
    assert driver.returncode == 1 and "alpha seed 0 done" in said
    assert f"seed 1 failed: job {cancelled} left no output: SLURM ended it, CANCELLED" in said


def test_an_interrupt_takes_the_jobs_back(papers, home, command):
    write_paper(papers, "alpha", MEASURE + "import time; time.sleep(600)")
    batch = make(seeds="2", gpus="")
    with started(["--seeds", "2", "--jobs", "2", "--flags", FLAGS]) as driver:
        wait_for(lambda: len(list(batch.folder.glob("jobs/*.json"))) == 2, seconds=180)
        time.sleep(1)  # Snakemake hears of the second job
        os.killpg(driver.pid, signal.SIGINT)  # as a terminal does
        driver.wait(60)
    queue = ["squeue", "--noheader", "--states=PENDING,RUNNING"]
    assert driver.returncode == 1 and subprocess.run(queue, capture_output=True, text=True).stdout == ""
