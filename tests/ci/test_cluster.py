"""Batches whose runs go elsewhere: what a notebook sees is what its worker has, not what the driver had."""

import json
import subprocess
import sys
import time

import nbformat
import pytest

from autodidact.cores import allotted
from ci import batch as driver
from ci import cluster, once
from ci.bench.small_paper import MEASURE, write_paper
from ci.files import ROOT
from tests.ci.test_batch import make

GENERIC = "snakemake_executor_plugin_cluster_generic"
NO_EXECUTORS = "no executors: pip install '.[cluster]'"
SEEN = """
import json, os
from autodidact.cores import allotted
print(json.dumps({**os.environ, "cores": allotted()}))
"""


def seen(output):
    """The variables that a run with `SEEN` in its notebook had, and `cores`, those that it may use."""
    outputs = [output for cell in nbformat.read(output, 4).cells for output in cell.get("outputs", ())]
    return next(json.loads(o["text"]) for o in outputs if o["output_type"] == "stream" and o["text"].startswith("{"))


def flags(submit):
    quick = "--latency-wait 1 --seconds-between-status-checks 1"
    return f"--executor cluster-generic {quick} --cluster-generic-submit-cmd '{submit}'"


def test_a_worker_without_the_drivers_variables_keeps_what_it_was_allotted(
    papers, home, command, tmp_path, monkeypatch
):
    pytest.importorskip(GENERIC, reason=NO_EXECUTORS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # the driver's own
    write_paper(papers, "alpha", MEASURE + SEEN)
    asked = tmp_path / "asked"
    worker = f"echo {{threads}} {{resources.gpu}} > {asked}; env -i PATH=/usr/bin:/bin CUDA_VISIBLE_DEVICES=3 sh"
    words = ["--scale", "small", "--seeds", "1", "--jobs", "1", "--flags", flags(worker)]
    done = command("ci.batch", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert asked.read_text().split() == ["2", "1"]
    found = seen(make(scale="small", seeds="1", gpus="").output("alpha", 0))
    assert found["CUDA_VISIBLE_DEVICES"] == "3"
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == str(min(2, allotted()))
    assert found["AUTODIDACT_PAPERS"] == str(papers) and "AUTODIDACT_OWNER" not in found


def test_a_run_that_was_given_out_twice_keeps_its_first_output(papers, home, command):
    pytest.importorskip(GENERIC, reason=NO_EXECUTORS)
    write_paper(papers, "alpha")
    first = 'mkdir -p runs/alpha; echo "of the first job" > {output}; sh'
    command("ci.batch", "--seeds", "1", "--jobs", "1", "--flags", flags(first))
    assert make(seeds="1").output("alpha", 0).read_text() == "of the first job\n"


def test_the_second_of_two_waits_for_the_first(tmp_path):
    output = tmp_path / "runs" / "0.ipynb"
    lock = once.hold(output)
    second = subprocess.Popen([sys.executable, "-m", "ci.once", "nowhere.ipynb", str(output)], cwd=ROOT)
    time.sleep(1)
    assert second.poll() is None
    output.write_text("whole")
    lock.close()
    assert second.wait(20) == 0 and output.read_text() == "whole"


def test_a_snakemake_that_hears_of_no_end_is_ended(papers, home, monkeypatch, capsys):
    write_paper(papers, "alpha")
    batch = make(seeds="1")
    batch.output("alpha", 0).parent.mkdir(parents=True)
    batch.output("alpha", 0).write_text("{}")
    monkeypatch.setattr(driver, "LINGER_SECONDS", 0.3)
    waiting = subprocess.Popen(["sleep", "60"])
    driver._follow(waiting, batch)
    assert waiting.wait(1) != 0 and "it is ended" in capsys.readouterr().out


def test_a_cluster_has_gpus_of_its_own(papers, home, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    write_paper(papers, "alpha")

    def there(gpus, scale="small"):
        batch = driver.plan.make("", scale, "1", "", gpus, cluster=True)
        return batch.gpu, batch.most_gpus

    assert there("") == (1, None) and there("4") == (1, 4) and there("0") == (0, 0) and there("", "toy") == (0, None)
    batch = driver.plan.make("", "small", "1", "", "4", cluster=True)
    monkeypatch.setenv("AUTODIDACT_GPUS", "0")
    monkeypatch.setenv("AUTODIDACT_OWNER", "1")
    assert not {"AUTODIDACT_GPUS", "AUTODIDACT_OWNER"} & set(driver._environment(batch))


def test_flags_are_read_as_snakemake_reads_them(monkeypatch):
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    assert cluster.read("") == cluster.Flags()
    assert cluster.read("--retries 2") == cluster.Flags(("--retries", "2"), False, 2)
    with pytest.raises(ValueError, match="FLAGS='--executor nosuch'.*invalid choice: 'nosuch'"):
        cluster.read("--executor nosuch")
    with pytest.raises(ValueError, match="FLAGS='--profile nosuch'"):
        cluster.read("--profile nosuch")


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_the_profiles_are_for_clusters(name):
    pytest.importorskip(GENERIC, reason=NO_EXECUTORS)
    found = cluster.read(f"--profile {ROOT}/ci/profiles/{name}")
    cancel = {"slurm": "scancel", "kubernetes": f"{ROOT}/ci/profiles/kubernetes/cancel"}
    assert found.cluster and found.cancel == cancel[name]
