"""Running and publishing notebooks: one run of two small papers, looked at from every side."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autodidact.claims.record import read_record, recompute
from ci import jobs, publish, run
from ci.agreement import SPREAD, agreement, expected
from ci.bench.small_paper import MEASURE, write_paper
from ci.board import Board, Row, clock
from ci.entries import published
from ci.files import ROOT, only_one, write_atomic
from ci.jobs import Job


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two papers, one of which fails, after `make run`: the folder and the finished process."""
    folder = tmp_path_factory.mktemp("run")
    write_paper(folder / "papers", "alpha")
    write_paper(folder / "papers", "bad", "raise RuntimeError('no luck')")
    variables = {**os.environ, "AUTODIDACT_PAPERS": str(folder / "papers")}
    variables.pop("MAX_SEEDS", None)
    words = ["--out", folder / "out", "--seeds", "3", "--jobs", "2", "--args=-p beta 1.5"]
    return folder, subprocess.run(
        [sys.executable, "-m", "ci.run", *map(str, words)],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture
def folder(finished, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(finished[0] / "papers"))
    return finished[0]


def test_a_run_shows_its_claims_and_where_things_are_and_keeps_the_failed_notebook(finished, folder):
    done, place = finished[1], folder / "out" / "toy-seeds-0-2-beta-1.5"
    assert done.returncode == 1
    record = read_record(place / "alpha.ipynb")
    assert record["parameters"]["beta"] == 1.5 and record["parameters"]["seeds"] == 3
    line = next(line for line in done.stdout.splitlines() if " gain " in line)
    assert line.split()[:6] == ["alpha", "gain", "not", "yet", "here", record["claims"][0]["verdict"]]
    assert "3 of 3" in done.stdout and str(place) in done.stdout and "index.html" in done.stdout
    assert "bad: failed, cell 7: RuntimeError: no luck" in done.stdout
    assert "no luck" in (place / "bad.failed.ipynb").read_text()
    assert not (place / "bad.ipynb").exists()


def with_record(place, record):
    """Put a record into a notebook that has nothing else but the tag of its parameters."""
    output = new_output("display_data", {"application/vnd.autodidact.claims+json": record})
    cell = new_code_cell("", outputs=[output], metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), place)


def test_the_tour_says_whether_the_numbers_are_the_published_ones(folder, papers):
    record = read_record(folder / "out" / "toy-seeds-0-2-beta-1.5" / "alpha.ipynb")
    place = write_paper(papers, "alpha")
    assert run.beside(record)[0][1] == "not yet"
    with_record(place, record)
    (claim,) = run.beside(record)
    assert claim[1] == record["claims"][0]["verdict"] and claim[-1] == "equal"
    other = {**record, "parameters": {**record["parameters"], "beta": 1.0}}
    assert run.beside(other)[0][-1] == "other beta"


def test_numbers_are_equal_within_the_spread_or_off(folder):
    record = read_record(folder / "out" / "toy-seeds-0-2-beta-1.5" / "alpha.ipynb")
    spread = SPREAD * np.std(record["claims"][0]["treatment"], ddof=1)

    def moved(by, seeds=(0, 1, 2)):
        claim = record["claims"][0]
        treatment = [claim["treatment"][0] + by, *claim["treatment"][1:]]
        return recompute({**record, "claims": [{**claim, "treatment": treatment, "replicates": list(seeds)}]})

    words = [agreement(record, moved(by))["gain"] for by in (0.0, 0.9 * spread, -1.1 * spread)]
    assert words == ["equal", "within the spread", "off"]
    assert agreement(record, moved(0.0, (5, 6, 7)))["gain"] == "within the spread"
    assert agreement(record, moved(1000 * spread, (5, 6, 7)))["gain"] == "off"


def test_the_mean_of_other_seeds_lies_where_it_is_expected_as_often_as_is_said():
    rng = np.random.default_rng(0)
    draws = rng.normal(3.0, 2.0, size=(4000, 12))
    inside = np.mean([expected(row[:10], row[10:]) for row in draws])
    assert abs(inside - 0.99) < 0.006
    assert expected(np.ones(1), np.ones(2)) and not expected(np.ones(3), np.array([1.1]))


def test_publishing_twice_differs_in_seconds_only(papers, command, tmp_path):
    place = write_paper(papers, "alpha")
    texts = []
    for _ in range(2):
        done = command("ci.publish", "--papers", "alpha", "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr + done.stdout
        texts.append(place.read_text())
    first, second = ([line for line in text.splitlines() if '"seconds"' not in line] for text in texts)
    assert first == second
    for word in ("papermill", '"execution":', "injected-parameters", str(tmp_path), "start_time", "duration"):
        assert word not in texts[0]
    notebook = nbformat.reads(texts[0], as_version=4)
    assert [cell["id"] for cell in notebook.cells] == [f"cell-{i}" for i in range(len(notebook.cells))]
    assert notebook.cells[3].metadata == {"tags": ["parameters"]}
    assert read_record(place)["parameters"]["seeds"] == 10
    assert "published: " in done.stdout


def test_what_the_check_refuses_is_not_published(papers, command, tmp_path):
    place = write_paper(papers, "alpha")
    good = place.read_text()
    place.write_text(good.replace("## The method", "## Method"))
    done = command("ci.publish", "--papers", "alpha", "--out", tmp_path / "out")
    assert done.returncode == 1 and "the sections are" in done.stderr
    assert not (tmp_path / "out").exists()

    place.write_text(good.replace('[[\\"round\\", \\"points\\"]]', '[[\\"round\\", \\"\\"]]'))
    before = place.read_bytes()
    assert before != good.encode()
    done = command("ci.publish", "--papers", "alpha", "--out", tmp_path / "out")
    assert done.returncode == 1 and "not published" in done.stdout and "['round', '']" in done.stdout
    assert place.read_bytes() == before and (tmp_path / "out" / "alpha.ipynb").is_file()


def test_another_scale_is_published_as_a_record_of_its_own(papers, command, tmp_path):
    place = write_paper(papers, "alpha")
    before = place.read_bytes()
    small = ["ci.publish", "--papers", "alpha", "--scale", "small", "--out", tmp_path / "out"]
    done = command(*small, "--seeds", "2")
    assert done.returncode == 1 and "no claim but a control can be decided by so few replicates" in done.stdout
    assert not (papers / "alpha" / "results").exists()
    done = command(*small, "--seeds", "6")
    assert done.returncode == 0, done.stderr
    record = read_record(papers / "alpha" / "results" / "small.ipynb")
    assert (record["scale"], record["parameters"]["seeds"], record["parameters"]["rounds"]) == ("small", 6, 5)
    assert place.read_bytes() == before
    assert [entry.name for entry in published()] == ["alpha", "alpha-small"]


def test_a_claim_that_changed_is_measured_on_seeds_that_were_not_run(folder, papers):
    record = read_record(folder / "out" / "toy-seeds-0-2-beta-1.5" / "alpha.ipynb")
    place = write_paper(papers, "alpha")
    assert publish.record_problems("alpha", record, place) == []
    with_record(place, record)
    assert publish.record_problems("alpha", record, place) == []
    claim = record["claims"][0]
    with_record(place, {**record, "claims": [{**claim, "stated": "0" * 64}]})
    (problem,) = publish.record_problems("alpha", record, place)
    assert problem.startswith(f"claim {claim['id']} changed after its seeds were run")
    later = {**record, "claims": [{**claim, "replicates": [10, 11, 12]}]}
    assert publish.record_problems("alpha", later, place) == []


def test_a_run_of_another_scale_that_leaves_all_but_controls_untested_is_no_record(folder, papers):
    record = read_record(folder / "out" / "toy-seeds-0-2-beta-1.5" / "alpha.ipynb") | {"scale": "small"}
    place = papers / "alpha" / "results" / "small.ipynb"
    left = {"central": "untested", "supporting": "untested", "control": "holds"}
    claims = [{**claim, "verdict": left[claim["role"]]} for claim in record["claims"]]
    assert publish.record_problems("alpha", {**record, "claims": claims}, place)
    first = next(claim for claim in record["claims"] if claim["role"] != "control" and claim["test"] != "exact")
    supporting = {**first, "role": "supporting", "verdict": "reproduced"}
    assert publish.record_problems("alpha", {**record, "claims": [*claims, supporting]}, place) == []


def test_the_quickest_papers_go_first(folder, tmp_path, monkeypatch):
    papers = tmp_path / "papers"
    for slug, seconds in {"slow": 50.0, "quick": 2.0, "unknown": None}.items():
        place = write_paper(papers, slug)
        if seconds:
            record = read_record(folder / "out" / "toy-seeds-0-2-beta-1.5" / "alpha.ipynb")
            with_record(place, {**record, "paper": slug, "seconds": seconds})
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(papers))
    assert [job.slug for job in run.plan("", "", "", "", tmp_path)] == ["quick", "slow", "unknown"]
    assert run.plan("quick", "small", "5-9", "-p beta 1", tmp_path)[0].parameters == {
        "scale": "small", "seed": 5, "seeds": 5, "beta": 1,
    }  # fmt: skip


def test_an_interrupt_ends_the_notebooks_too(papers, tmp_path):
    write_paper(papers, "alpha", MEASURE + "open('started', 'w').close()\nimport time; time.sleep(60)")
    command = [sys.executable, "-m", "ci.run", "--out", tmp_path / "out"]
    process = subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (papers / "alpha" / "started").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert "interrupted" in process.communicate(timeout=20)[1].decode()
    assert process.returncode == 130
    kernels = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout
    assert not kernels and not list((tmp_path / "out").glob("*/.*part*"))


def test_an_earlier_result_stays_until_the_new_one_is_whole(papers, tmp_path):
    write_paper(papers, "alpha", "open('started', 'w').close()\nimport time; time.sleep(60)")
    output = tmp_path / "alpha.ipynb"
    output.write_text("earlier")
    job = Job("alpha", papers / "alpha" / "alpha.ipynb", output)
    job.start(threads=1)
    end = time.monotonic() + 60
    while not (papers / "alpha" / "started").exists():
        assert time.monotonic() < end and not job.ended()
        time.sleep(0.1)
    assert output.read_text() == "earlier"
    job.process.terminate()
    job.process.wait()
    assert job.ended() and job.error and output.read_text() == "earlier"


def test_runs_with_other_parameters_have_names_of_their_own():
    names = [
        run.variant(scale, seeds, args)
        for scale, seeds, args in [
            ("toy", "2", ""), ("toy", "10", ""), ("small", "2", ""), ("toy", "2", "-p beta 0.05"),
            ("toy", "2", "-p beta 0.5"), ("toy", "2", "-p model a/b"), ("toy", "2", "-p model ab"),
            ("toy", "2", "-y '{names: [a, b]}'"), ("toy", "2", f"-p name {'x' * 200}"),
            ("toy", "2", f"-p name {'x' * 201}"),
        ]
    ]  # fmt: skip
    assert names[0] == "toy-seeds-0-1" and names[3] == "toy-seeds-0-1-beta-0.05"
    assert len(set(names)) == len(names) and all(len(name) < 100 and "/" not in name for name in names)
    assert run.variant("toy", "2", "-p a 1 -p b 2") == run.variant("toy", "2", "-p b 2 -p a 1")


def test_two_runs_in_one_folder_are_refused(papers, tmp_path, capsys):
    write_paper(papers, "alpha")
    folder = tmp_path / run.variant("toy", "2", "")
    folder.mkdir()
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run.main(["--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert str(folder) in error and error.count("\n") == 1
    with only_one(folder):
        pass


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    place = tmp_path / "a" / "file"
    write_atomic(place, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_atomic(place, "new")
    assert place.read_text() == "old" and list(place.parent.iterdir()) == [place]


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self, live):
        self.live, self.text = live, ""

    def isatty(self):
        return self.live

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_is_redrawn_in_a_terminal_and_a_line_a_change_in_a_pipe(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("ci.board.time.monotonic", lambda: now[0])
    row = Row("alpha", "running", "1 of 3", "0:10")
    pipe, terminal = Terminal(False), Terminal(True)
    for stream in (pipe, terminal):
        board = Board(stream)
        board.show([row])
        board.show([row._replace(elapsed="0:11")])
        board.show([row._replace(seeds="2 of 3")])
        board.show([row._replace(seeds="2 of 3", stage="seed 2: round 1")])
        now[0] += 20
        board.show([row._replace(seeds="2 of 3", stage="seed 2: round 2")])
        board.say("verdict")
        board.close()
    assert pipe.text.count("alpha") == 3 and "\x1b" not in pipe.text
    assert "round 1" not in pipe.text and "round 2" in pipe.text
    assert terminal.text.count("alpha") == 5 and terminal.text.count("\x1b[2F") == 5
    assert (clock(125), clock(3725)) == ("2:05", "1:02:05")


def test_progress_says_what_each_seed_is_doing(tmp_path):
    path = tmp_path / "progress"
    assert jobs.seeds_and_stage(path) == ("starting", "")
    entry = {"seed": 1, "done": 1, "of": 4, "stages": {"1": "round 2: training", "3": ""}}
    path.write_text(json.dumps(entry) + "\n" + '{"seed": 1, "do')
    assert jobs.seeds_and_stage(path) == ("1 of 4", "seed 1: round 2: training")
