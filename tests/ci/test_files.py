"""What kills and full disks leave: removed by the next command, or said in one line."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci import batch, run
from ci.bench.small_paper import write_paper
from ci.files import only_one, write_atomic


@pytest.fixture
def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_killed_runs_left_is_removed_by_the_next_command(tmp_path, dead):
    runs = tmp_path / "runs" / "alpha"
    runs.mkdir(parents=True)
    left = [runs / f".3.{dead}.part.ipynb", tmp_path / f".config.json.{dead}.part"]
    others = [runs / f".4.{os.getpid()}.part.ipynb", runs / "3.ipynb", runs / ".part.ipynb", runs / "a.1.part"]
    for path in (*left, *others):
        path.touch()
    with only_one(tmp_path):
        assert not any(path.exists() for path in left)
        assert all(path.exists() for path in others)


def test_a_killed_writer_leaves_what_is_removed(tmp_path):
    """The names that are looked for are those that are written."""
    code = f"import os; os.replace = lambda *_: os._exit(9); write_atomic(Path({str(tmp_path / 'a')!r}), 'x')"
    assert subprocess.run([sys.executable, "-c", f"from ci.files import *; {code}"]).returncode == 9
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    with only_one(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_one_line(papers, tmp_path, monkeypatch, capsys):
    write_paper(papers, "alpha")
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTODIDACT_RERUNS", str(tmp_path / "file" / "below"))
    for main, words in ((run.main, ["--out", str(tmp_path / "file")]), (batch.main, ["--gpus", "0"])):
        assert main(words) == 2
        error = capsys.readouterr().err
        assert "cannot be written: " in error and str(tmp_path / "file") in error and error.count("\n") == 1


def test_a_disk_that_fills_up_is_one_line_and_other_errors_are_as_they_were(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="cannot be written: No space left on device"), only_one(tmp_path):
        monkeypatch.setattr("os.replace", _full)
        write_atomic(tmp_path / "a", "x")
    with pytest.raises(FileNotFoundError), only_one(tmp_path):
        Path("/no/such/file").read_text()


def _full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")
