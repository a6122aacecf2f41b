"""Batch reruns: finished runs survive anything, torn ones nothing; the report is what a direct computation gives."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from autodidact.claims.record import pool, read_record
from ci import plan, report
from ci.bench.small_paper import MEASURE, write_paper
from ci.execute import claim_gpu, environment
from ci.files import ROOT

FAILING = MEASURE.replace("rng = ", "if s == 1: raise RuntimeError('no luck')\n    rng = ")
SLOW = MEASURE + "import time; time.sleep(1.5)"


def make(papers="", scale="toy", seeds="2", args="", gpus="0"):
    return plan.make(papers, scale, seeds, args, gpus)


def test_a_failing_run_is_kept_the_others_go_on_and_the_report_pools(papers, home, command):
    write_paper(papers, "alpha")
    write_paper(papers, "bad", FAILING)
    words = ["--seeds", "1,4", "--args=-p beta 1.5", "--gpus", "0"]
    done = command("ci.batch", *words)
    assert done.returncode == 1, done.stderr
    batch = make(seeds="1,4", args="-p beta 1.5")

    failed = batch.output("bad", 1).with_suffix(".failed.ipynb")
    outputs = [output for cell in nbformat.read(failed, 4).cells for output in cell.get("outputs", ())]
    assert [o["evalue"] for o in outputs if o["output_type"] == "error" and o["traceback"]] == ["no luck"]
    assert not batch.output("bad", 1).exists()
    assert "no luck" in batch.output("bad", 1).with_suffix(".log").read_text()

    written = json.loads((batch.folder / "report.json").read_text())
    direct = pool([read_record(batch.output("alpha", seed)) for seed in (1, 4)])
    assert written["papers"]["alpha"]["record"] == json.loads(json.dumps(direct))
    assert written["papers"]["alpha"]["record"]["claims"][0]["replicates"] == [1, 4]
    assert written["papers"]["bad"]["finished"] == [4]
    assert "no luck" in written["papers"]["bad"]["failed"]["1"]
    for text in ((batch.folder / "report.md").read_text(), (batch.folder / "report.html").read_text(), done.stdout):
        assert "beta = 1.5" in text and "seed 1 failed" in text and direct["claims"][0]["verdict"] in text

    before = {path: path.stat().st_mtime_ns for path in batch.folder.glob("runs/*/?.ipynb")}
    again = command("ci.batch", *words)
    assert again.returncode == 1 and len(before) == 3
    assert before == {path: path.stat().st_mtime_ns for path in batch.folder.glob("runs/*/?.ipynb")}, again.stdout


@pytest.mark.parametrize("whole_group", [True, False], ids=["process group", "driver alone"])
def test_a_killed_batch_goes_on_without_losing_or_tearing_a_run(papers, home, command, whole_group):
    write_paper(papers, "alpha", SLOW)
    words = ["--seeds", "4", "--jobs", "2", "--gpus", "0"]
    batch = make(seeds="4")
    driver = subprocess.Popen(
        [sys.executable, "-m", "ci.batch", *words], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
    )
    wait_for(lambda: [s for s in range(4) if batch.output("alpha", s).exists()])
    time.sleep(1)
    assert processes_in(batch.folder), "no run is under way"
    kill = os.killpg if whole_group else os.kill
    kill(driver.pid, signal.SIGKILL)
    driver.wait()
    wait_for(lambda: not processes_in(papers) and not processes_in(batch.folder))  # a run may be in its last write
    finished = {s: batch.output("alpha", s).read_bytes() for s in range(4) if batch.output("alpha", s).exists()}
    assert 0 < len(finished) < 4
    for seed in finished:
        read_record(batch.output("alpha", seed))
    assert not (batch.folder / "report.json").exists()

    resumed = command("ci.batch", *words)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert f"{len(finished)} of them finished before" in resumed.stdout
    for seed, content in finished.items():
        assert batch.output("alpha", seed).read_bytes() == content
    assert [read_record(batch.output("alpha", s))["parameters"]["seed"] for s in range(4)] == [0, 1, 2, 3]
    assert not list(batch.folder.rglob(".*.part*"))
    wait_for(lambda: not processes_in(papers), seconds=10)


def test_runs_of_other_code_or_presets_are_set_aside(papers, home):
    write_paper(papers, "alpha")
    batch = make(seeds="2")
    output = batch.output("alpha", 0)
    output.parent.mkdir(parents=True)
    output.write_text('{"cells": [')
    assert plan.set_aside_outdated(batch) == [output.with_suffix(".stale.ipynb")]
    assert not output.exists()


def test_more_seeds_belong_to_the_same_batch_and_other_parameters_to_another(papers, home):
    write_paper(papers, "alpha")
    assert make(seeds="2").folder == make(seeds="5-9").folder
    folders = {
        make().folder,
        make(scale="small").folder,
        make(args="-p beta 1.0").folder,
        make(args="-p beta 2.0").folder,
    }
    assert len(folders) == 4


def test_papers_share_the_base_models_that_they_both_need(papers, home, monkeypatch):
    for slug in ("alpha", "beta", "gamma"):
        write_paper(papers, slug)
    batch = make(seeds="0,3")
    shared = {"model": "tiny", "world": "instructions", "base_steps": 100}
    for slug, needs in {"alpha": shared, "beta": shared | {"lr": 1.0}, "gamma": {"model": "smollm2"}}.items():
        batch.resolved[slug].update(needs)
    config = batch.config()
    assert config["runs"]["alpha/0"] == config["runs"]["beta/0"] != config["runs"]["alpha/3"]
    assert config["runs"]["gamma/0"] == config["runs"]["gamma/3"], "a pretrained model is the same for every seed"
    assert len(config["bases"]) == 3
    assert plan.base_parameters({"rounds": 3, "model": None, "world": "instructions"}) == {}


def test_a_gpu_goes_to_one_run_at_a_time(papers, home, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    write_paper(papers, "alpha")
    assert make(scale="small", gpus="").gpus == ("4", "7") and make(scale="small", gpus="1").gpus == ("4",)
    assert (make(scale="small", gpus="").gpu, make(gpus="").gpu, make(scale="small").gpu) == (1, 0, 0)
    first = claim_gpu("4,7", tmp_path)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4"
    second = claim_gpu("4,7", tmp_path)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"
    first.close()
    third = claim_gpu("4,7", tmp_path)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4"
    second.close(), third.close()
    assert claim_gpu(None, tmp_path) is None


def test_the_report_names_what_is_missing(papers, home):
    write_paper(papers, "alpha")
    summary = report.summarise(make(seeds="3"))
    assert summary["papers"]["alpha"]["missing"] == [0, 1, 2] and not report.complete(summary)
    assert "missing: seeds 0, 1, 2" in report.text(summary)


def test_threads_are_shared_out():
    assert environment(3)["OMP_NUM_THREADS"] == "3"


def wait_for(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def processes_in(folder):
    """Processes that work in a folder, as every kernel does in its notebook's and every run in its batch's."""
    working = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            working += [link] if link.readlink().is_relative_to(folder) else []
    return working
