"""Running, publishing and showing notebooks: one run of two small papers, looked at from every side."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autodidact.claims.record import read_record
from ci import form, gallery, publish, run, stale
from ci.bench.small_paper import MEASURE, write_paper
from ci.board import Board, clock
from ci.entries import executed, published
from ci.files import ROOT, write_atomic


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two papers, one of which fails, after `make run`: the folder and the finished process."""
    folder = tmp_path_factory.mktemp("run")
    write_paper(folder / "papers", "alpha")
    write_paper(folder / "papers", "bad", "raise RuntimeError('no luck')")
    variables = {**os.environ, "AUTODIDACT_PAPERS": str(folder / "papers")}
    variables.pop("MAX_SEEDS", None)
    words = ["--out", folder / "out", "--site", folder / "site", "--jobs", "2", "--args=-p beta 1.5"]
    return folder, subprocess.run(
        [sys.executable, "-m", "ci.run", *map(str, words)],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture
def folder(finished, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(finished[0] / "papers"))
    return finished[0]


def test_a_run_shows_verdicts_and_where_things_are_and_keeps_the_failed_notebook(finished, folder):
    done = finished[1]
    assert done.returncode == 1
    record = read_record(folder / "out" / "alpha.ipynb")
    assert record["parameters"]["beta"] == 1.5
    line = next(line for line in done.stdout.splitlines() if " gain " in line)
    assert line.split()[:4] == ["alpha", "gain", "central", record["claims"][0]["verdict"]]
    assert "3 of 3" in done.stdout and str(folder / "out") in done.stdout and "index.html" in done.stdout
    assert "bad: failed, cell 4: RuntimeError: no luck" in done.stdout.replace("cell 3", "cell 4")
    assert "no luck" in (folder / "out" / "bad.failed.ipynb").read_text()
    assert not (folder / "out" / "bad.ipynb").exists()


def test_the_site_has_every_notebook_and_a_row_with_its_numbers(finished, folder):
    index = (folder / "site" / "index.html").read_text()
    record = read_record(folder / "out" / "alpha.ipynb")
    claim = record["claims"][0]
    assert f"{claim['mean_difference']:.3g} [{claim['ci95'][0]:.3g}, {claim['ci95'][1]:.3g}] points" in index
    assert '<a href="alpha.html">On alpha</a>' in index and "The treatment gains beta" in index
    assert (folder / "site" / "alpha.png").read_bytes().startswith(b"\x89PNG")
    assert "On alpha" in (folder / "site" / "alpha.html").read_text()
    assert "addEventListener" in index and "other code" not in index


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
    assert [cell["id"] for cell in notebook.cells] == [f"cell-{i}" for i in range(6)]
    assert notebook.cells[1].metadata == {"tags": ["parameters"]}
    assert read_record(place)["parameters"]["seeds"] == 3
    assert "a figure without the labels of its axes" in done.stdout


def test_another_scale_is_published_as_a_record_of_its_own(papers, command, tmp_path):
    place = write_paper(papers, "alpha")
    before = place.read_bytes()
    done = command("ci.publish", "--papers", "alpha", "--scale", "small", "--seeds", "2", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    record = read_record(papers / "alpha" / "results" / "small.ipynb")
    assert (record["scale"], record["parameters"]["seeds"], record["parameters"]["rounds"]) == ("small", 2, 5)
    assert place.read_bytes() == before
    assert [entry.name for entry in published()] == ["alpha", "alpha-small"]


def test_the_gallery_is_generated_and_marks_what_other_code_made(folder, tmp_path, monkeypatch, capsys):
    papers = tmp_path / "papers"
    shutil.copytree(folder / "papers", papers)
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(papers))
    publish.write(folder / "out" / "alpha.ipynb", papers / "alpha" / "alpha.ipynb")
    (tmp_path / "README.md").write_text("before\n<!-- gallery -->\nold\n<!-- /gallery -->\nafter\n")
    files = gallery.readmes()
    table = files[papers / "README.md"]
    assert files[papers / "alpha" / "figure.png"].startswith(b"\x89PNG")
    assert "[On alpha](alpha/alpha.ipynb)" in table and 'src="alpha/figure.png"' in table
    assert "| not executed |" in next(line for line in table.splitlines() if "On bad" in line)
    readme = files[tmp_path / "README.md"]
    assert readme.startswith("before\n<!-- gallery -->\n|") and readme.endswith("<!-- /gallery -->\nafter\n")
    assert "papers/alpha/alpha.ipynb" in readme and "old" not in readme
    assert stale.main() == 0

    notebook = nbformat.read(papers / "alpha" / "alpha.ipynb", 4)
    notebook.cells[4].source += "\nedited = True"
    nbformat.write(notebook, papers / "alpha" / "alpha.ipynb")
    assert stale.main() == 1
    assert "changed since: notebook" in capsys.readouterr().out
    assert "other code made this record" in gallery.readmes()[papers / "README.md"]


def test_the_readme_needs_both_markers():
    with pytest.raises(ValueError, match="markers"):
        gallery.between_markers("<!-- gallery --> only", "table")


def test_the_quickest_papers_go_first(folder, tmp_path, monkeypatch):
    papers = tmp_path / "papers"
    for slug, seconds in {"slow": 50.0, "quick": 2.0, "unknown": None}.items():
        place = write_paper(papers, slug)
        if seconds:
            record = {**read_record(folder / "out" / "alpha.ipynb"), "paper": slug, "seconds": seconds}
            output = new_output("display_data", {"application/vnd.autodidact.claims+json": record})
            nbformat.write(new_notebook(cells=[new_code_cell("", outputs=[output])]), place)
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(papers))
    assert [job.slug for job in run.plan("", "", "", "", tmp_path)] == ["quick", "slow", "unknown"]
    assert run.plan("quick", "small", "5-9", "-p beta 1", tmp_path)[0].parameters == {
        "scale": "small", "seed": 5, "seeds": 5, "beta": 1,
    }  # fmt: skip


def test_an_interrupt_ends_the_notebooks_too(papers, tmp_path):
    write_paper(papers, "alpha", MEASURE + "open('started', 'w').close()\nimport time; time.sleep(60)")
    command = [sys.executable, "-m", "ci.run", "--out", tmp_path / "out", "--site", tmp_path / "site"]
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
    assert not kernels and not list((tmp_path / "out").glob(".*part*"))


def test_only_notebooks_of_papers_are_shown(folder, tmp_path):
    shutil.copy(folder / "out" / "alpha.ipynb", tmp_path / "alpha.ipynb")
    shutil.copy(folder / "out" / "alpha.ipynb", tmp_path / "other.ipynb")
    assert [entry.slug for entry in executed(tmp_path)] == ["alpha"]


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


def test_progress_is_redrawn_in_a_terminal_and_a_line_a_change_in_a_pipe():
    row = ("alpha", "running", "1 of 3", "0:10")
    pipe, terminal = Terminal(False), Terminal(True)
    for stream in (pipe, terminal):
        board = Board(stream)
        board.show([row])
        board.show([(*row[:3], "0:11")])
        board.show([(*row[:2], "2 of 3", "0:12")])
        board.say("verdict")
        board.close()
    assert pipe.text.count("alpha") == 2 and "\x1b" not in pipe.text
    assert terminal.text.count("alpha") == 3 and terminal.text.count("\x1b[2F") == 3
    assert (clock(125), clock(3725)) == ("2:05", "1:02:05")


def test_form_names_what_is_wrong_with_outputs(tmp_path):
    figure = {"data": {"image/png": "aa"}, "metadata": {"autodidact": {"axes": [["round", ""]]}}}
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": ["warning"]},
        {"output_type": "stream", "name": "stdout", "text": "saved to /home/someone/x and https://a.org/home/b"},
        {"output_type": "display_data", "data": {"text/html": "x" * 300_001}, "metadata": {}},
        {"output_type": "display_data", **figure},
    ]
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": outputs, "execution_count": 2}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [cell]}))
    problems = form.output_problems(path)
    expected = [
        "execution counts are [2]",
        "stderr: 'warning'",
        "machine: /home/someone/x",
        "of 300 kB",
        "['round', '']",
    ]
    assert len(problems) == len(expected)
    for problem, words in zip(problems, expected, strict=True):
        assert words in problem
