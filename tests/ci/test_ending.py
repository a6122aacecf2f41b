"""How runs end: none waits for ever, none leaves anything behind, and none that failed is taken for another."""

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
from jupyter_client.kernelspec import KernelSpec
from nbformat.v4 import new_code_cell, new_notebook

from ci import batch, execute, kernel, plan, report
from ci.bench.small_paper import KERNEL, write_paper
from ci.bench.starts import bench_starts
from ci.files import ROOT
from ci.jobs import Job

# Two forked seeds that compute for ever, each with a process in a session of its own.
SEEDS = """
import os, subprocess
from autodidact.claims.replicates import side_by_side
def seed(s):
    subprocess.Popen(["sleep", "600"], start_new_session=True) if "alone" not in os.getcwd() else None
    open(f"seed-{s}", "w").close()
    while True: pass
list(side_by_side(seed, range(2), 2))
"""
OWNER = """
import sys, time
from pathlib import Path
from ci.jobs import Job
folder = Path(sys.argv[1])
job = Job("one", folder / "one.ipynb", folder / "out.ipynb")
job.start(threads=1)
time.sleep(600)
"""


def notebook(folder, *sources):
    """A notebook of these cells in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), folder / "one.ipynb")
    return folder / "one.ipynb"


def run(folder, *sources):
    """The line that says how a notebook of these cells failed, and its output's path."""
    return execute.execute(notebook(folder, *sources), folder / "out.ipynb", {}), folder / "out.ipynb"


def working_in(folder):
    """The processes that work in a folder, by what they are; also those that ended and that nobody has buried."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (place / "cwd").readlink() == folder:
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
    return found


def kernels_in(folder):
    """The processes among them that are a kernel or forked by one, and not dead; the kernel first."""
    return sorted(pid for pid, command in working_in(folder).items() if "ipykernel_launcher" in command)


def wait_for(condition, seconds):
    """Whether it holds before the time is over."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def folders(tmp_path):
    """A folder for each way to end; what a failing test, or SIGKILL of a run itself, leaves there is ended after it."""
    folders = {name: tmp_path / name for name in ("owner", "run", "kernel", "papermill-alone")}
    yield folders
    for pid in [pid for folder in folders.values() for pid in working_in(folder)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")
def test_nothing_survives_whatever_is_killed(folders):
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    started = {}
    for name, folder in folders.items():
        place, out = notebook(folder, SEEDS), folder / "out.ipynb"
        words = {"owner": ["-c", OWNER, folder], "papermill-alone": ["-m", "papermill", place, out, "--cwd", folder]}
        command = [sys.executable, *words.get(name, ["-m", "ci.execute", place, out])]
        started[name] = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    for folder in folders.values():
        assert wait_for(lambda folder=folder: len(list(folder.glob("seed-?"))) == 2, 60), folder
    assert [len(kernels_in(folder)) for folder in folders.values()] == [3] * len(folders)
    started["owner"].kill()
    started["run"].kill()
    started["papermill-alone"].terminate()
    os.kill(kernels_in(folders["kernel"])[0], signal.SIGKILL)
    for name, folder in folders.items():  # a kernel of papermill's own looks once a second whether it is alone
        seconds = 2 if name == "papermill-alone" else 1
        assert wait_for(lambda folder=folder: not kernels_in(folder), seconds), working_in(folder)
    error = started["kernel"].communicate(timeout=20)[1].decode()
    assert started["kernel"].returncode == 1 and "DeadKernelError" in error.splitlines()[-1]
    assert wait_for(lambda: not working_in(folders["kernel"]) and not working_in(folders["owner"]), 2)
    for process in started.values():
        process.wait(20)
        process.stderr.close()


def test_a_command_ends_with_its_owner_and_keeps_its_exit_status(tmp_path):
    words = [sys.executable, "-m", "ci.ending", sys.executable, "-c"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([*words, "import time; time.sleep(0.7); exit(3)"], cwd=ROOT, timeout=20).returncode == 3
    owner = subprocess.Popen(["sleep", "600"])
    command = "import subprocess; subprocess.run(['sleep', '600'], start_new_session=True)"
    process = subprocess.Popen([*words, command], cwd=tmp_path, env={**variables, "AUTODIDACT_OWNER": str(owner.pid)})
    assert wait_for(lambda: len(working_in(tmp_path)) == 3, 20)
    owner.kill()
    assert wait_for(lambda: len(working_in(tmp_path)) <= 1, 1), working_in(tmp_path)
    owner.wait(), process.wait(20)
    assert process.returncode != 0 and not working_in(tmp_path)


def test_what_make_started_ends_with_make_and_has_its_interrupts(tmp_path):
    command = "import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); print(1, flush=True); "
    command += "signal.sigwait([signal.SIGINT]); print(2, flush=True)"
    rule = f"asleep: ; @cd {tmp_path} && PYTHONPATH={ROOT} $(BOUND) -c '{command}; time.sleep(600)'"
    words = ["make", "--no-print-directory", f"--eval={rule}", "asleep", f"VENV={sys.prefix}"]
    for sent in (signal.SIGKILL, signal.SIGINT):
        started = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert started.stdout.readline() == "1\n"
        if sent is signal.SIGINT:  # as a terminal does, to all
            os.killpg(started.pid, sent)
            assert started.stdout.readline() == "2\n"
        started.kill()
        assert wait_for(lambda: not working_in(tmp_path), 2), working_in(tmp_path)
        started.communicate(timeout=20)


def test_a_run_is_in_this_python_and_meets_no_other(tmp_path, monkeypatch):
    spec = {"argv": ["false"], "display_name": "another", "language": "python"}
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    source = "import sys; from ipykernel.kernelapp import IPKernelApp as App"
    error, output = run(tmp_path / "a {folder}", f"{source}\nprint(sys.executable, App.instance().transport)")
    assert error is None
    assert nbformat.read(output, 4).cells[0].outputs[0].text.split() == [sys.executable, "ipc"]


def test_a_kernel_that_does_not_answer_is_given_up_and_leaves_nothing(tmp_path, monkeypatch):
    silent = KernelSpec(argv=["sh", "-c", "sleep 600"], display_name="silent", language="python")
    monkeypatch.setattr(kernel.Kernel, "kernel_spec", silent)
    monkeypatch.setattr(kernel, "START_SECONDS", 1)
    begun = time.monotonic()
    error, output = run(tmp_path / "silent", "1")
    assert "Kernel didn't respond in 1 seconds" in error and time.monotonic() - begun < 30
    assert not output.exists() and not working_in(tmp_path / "silent")


def test_runs_that_start_together_all_end():
    measured = bench_starts(runs=3, jobs=3)
    assert (measured["ended"], measured["failed"]) == (3, 0) and measured["longest_seconds"] < 60


def test_a_notebook_that_ends_itself_has_failed(tmp_path):
    error, output = run(tmp_path, "1", "raise SystemExit", "2")
    assert error == "RuntimeError: cell 1 ended the notebook by SystemExit"
    assert not output.exists() and execute.failed_path(output).is_file()


def test_output_beyond_all_measure_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel.Client, "_room", 1000)
    record = 'display({"application/vnd.autodidact.claims+json": {"kept": "r" * 2000}}, raw=True)'
    error, output = run(
        tmp_path, "from IPython.display import display", "print('a' * 600)", "print('b' * 600)", "print('c' * 600)",
        record, "display('d' * 600)", "raise ValueError('e' * 5000)",
    )  # fmt: skip
    assert error.startswith("cell 6: ValueError: eee") and len(error) < 600
    cells = nbformat.read(execute.failed_path(output), 4).cells
    texts = ["".join(o.get("text", "") for o in cell.get("outputs", ())) for cell in cells]
    assert sum(text.count("a") for text in texts if "aaa" in text) == 600
    assert any("bbb\n[cut here: the outputs" in text for text in texts) and not any("ccc" in text for text in texts)
    text = execute.failed_path(output).read_text()
    assert "r" * 2000 in text and "ddd" not in json.dumps([cell.get("outputs") for cell in cells])
    assert len(text) < 20_000


def test_a_run_that_hangs_ends(tmp_path, monkeypatch):
    place = notebook(tmp_path, "import time; time.sleep(600)")
    words = [sys.executable, "-m", "ci.execute", str(place), str(tmp_path / "out.ipynb")]
    variables = {**os.environ, "AUTODIDACT_HOURS": "0.0005"}
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "it did not end within 0.0005 hours; AUTODIDACT_HOURS in the environment sets others"
    )
    assert execute.failed_path(tmp_path / "out.ipynb").is_file() and not working_in(tmp_path)
    monkeypatch.delenv("AUTODIDACT_HOURS", raising=False)
    assert execute.hours({"scale": "toy", "seeds": 4}) == 2 and execute.hours({}) == 5
    assert execute.hours({"scale": "another", "seeds": 1}) == execute.hours({"scale": "paper", "seeds": 1})
    monkeypatch.setenv("AUTODIDACT_HOURS", "long")
    with pytest.raises(ValueError, match="AUTODIDACT_HOURS='long' in the environment must be a number of hours"):
        execute.hours({})


def test_a_run_that_could_not_begin_is_shown_as_it_is(tmp_path):
    place = tmp_path / "one.ipynb"
    place.write_text("<<<<<<< ours\n{}\n")
    job = Job("one", place, tmp_path / "out.ipynb")
    execute.failed_path(job.output).write_text("of an earlier run")
    job.start(threads=1)
    job.process.wait(60)
    assert job.ended() and job.error.startswith("NotJSONError: ")
    assert execute.kept(job.output) == f"nothing was executed; its log: {job.log}"
    job = Job("one", notebook(tmp_path, "import time; time.sleep(600)"), tmp_path / "out.ipynb")
    job.start(threads=1)
    job.process.kill()
    job.process.wait(60)
    assert job.ended() and job.error == "killed by SIGKILL"


def test_what_ended_without_an_output_has_failed_and_spoils_no_other(papers, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_RERUNS", str(tmp_path / "rerun"))
    write_paper(papers, "alpha")
    wanted = plan.make("alpha", "toy", "4", "", "0")
    wanted.resolved["alpha"].update(model="tiny", world="instructions")
    outputs = {seed: wanted.output("alpha", seed) for seed in range(4)}
    outputs[0].parent.mkdir(parents=True)
    outputs[0].with_suffix(".log").write_text("a warning\nNotJSONError: no notebook\n")
    outputs[1].with_suffix(".log").write_text("")
    notebook(outputs[2].parent, "1").rename(outputs[2])
    (base,) = wanted.config()["runs"]["alpha/3"]
    (wanted.folder / "bases").mkdir()
    (wanted.folder / "bases" / f"{base}.log").write_text("RuntimeError: no world\n")
    paper = report.summarise(wanted)["papers"]["alpha"]
    assert paper["finished"] == [] and paper["missing"] == [] and paper["error"] is None
    assert paper["failed"][0] == "NotJSONError: no notebook" and paper["failed"][1] == "it ended without a word"
    assert "holds no claims record" in paper["failed"][2]
    assert paper["failed"][3] == "its base model: RuntimeError: no world"


@pytest.mark.parametrize("complete", [True, False])
def test_a_batch_has_succeeded_when_every_run_has(papers, tmp_path, monkeypatch, complete):
    monkeypatch.setenv("AUTODIDACT_RERUNS", str(tmp_path / "rerun"))
    write_paper(papers, "alpha")
    monkeypatch.setattr(batch, "_snakemake", lambda *_: 1)  # as when a job's shell is killed after its run
    monkeypatch.setattr(report, "complete", lambda _: complete)
    assert batch.main(["--seeds", "1", "--gpus", "0"]) == (0 if complete else 1)
