"""Seeds side by side: the same results as one after the other, and no failure that goes unheard."""

import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest

from autodidact.claims import Study, progress
from autodidact.claims.replicates import side_by_side, tell, workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")


def draw(seed):
    return {"seed": seed, "numbers": np.random.default_rng(seed).normal(size=3)}


def test_results_are_those_of_a_loop_whatever_the_number_of_processes():
    for processes in (1, 2, 3, 9):
        found = dict(side_by_side(draw, range(5, 12), processes))
        assert sorted(found) == list(range(5, 12))
        assert all((found[s]["numbers"] == draw(s)["numbers"]).all() for s in found)


def test_they_run_at_the_same_time_in_processes_of_their_own():
    def meet(seed):
        deadline = time.monotonic() + 20
        (folder / str(seed)).touch()
        while len(list(folder.iterdir())) < 3:
            assert time.monotonic() < deadline, "the others never came"
            time.sleep(0.01)
        return os.getpid()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pids = set(dict(side_by_side(meet, range(3), 3)).values())
    assert len(pids) == 3 and os.getpid() not in pids


def test_an_error_is_raised_as_itself_with_its_traceback_and_ends_the_others():
    def fail(seed):
        if seed == 1:
            raise KeyError("seed one")
        time.sleep(60)

    started = time.monotonic()
    with pytest.raises(KeyError, match="seed one") as caught:
        list(side_by_side(fail, range(2), 2))
    assert time.monotonic() - started < 30
    assert "in fail" in caught.value.__notes__[0]


def test_an_error_that_cannot_be_sent_is_still_heard():
    class Odd(Exception):
        def __reduce__(self):
            raise TypeError("not to be sent")

    def fail(seed):
        raise Odd("odd one")

    with pytest.raises(RuntimeError, match="Odd: odd one"):
        list(side_by_side(fail, [0], 1))


def test_a_result_that_cannot_be_sent_is_named():
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        list(side_by_side(lambda seed: lambda: seed, [0], 1))


def test_a_killed_process_is_named_with_its_seeds():
    def die(seed):
        if seed == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return seed

    with pytest.raises(RuntimeError, match=r"seeds \[2, 4\] have no result: its process ended with exit code -9"):
        list(side_by_side(die, range(5), 2))


def test_number_of_processes(monkeypatch):
    monkeypatch.delenv("AUTODIDACT_WORKERS", raising=False)
    cores = len(os.sched_getaffinity(0))
    assert workers(100, 1) == cores and workers(1, 1) == 1 and workers(100, 2 * cores) == 1
    monkeypatch.setenv("AUTODIDACT_WORKERS", "3")
    assert workers(100, 1) == 3 and workers(2, 1) == 2
    monkeypatch.setenv("AUTODIDACT_WORKERS", "all")
    with pytest.raises(ValueError, match="AUTODIDACT_WORKERS='all'"):
        workers(2, 1)


def test_a_study_maps_in_order_with_its_progress(write_paper, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_WORKERS", "2")
    monkeypatch.setenv("AUTODIDACT_PROGRESS", str(tmp_path / "progress"))
    write_paper(scales={"toy": {"threads": None, "slow": 0.0}})
    study = Study("fable", {"seed": 3, "seeds": 4})
    together = study.map(lambda s: (os.getpid(), s * s))
    assert {s: square for s, (_, square) in together.items()} == {3: 9, 4: 16, 5: 25, 6: 36}
    assert {pid for pid, _ in together.values()} == {os.getpid()}  # a preset without `threads` runs here
    write_paper(scales={"toy": {"threads": 1, "slow": 0.0}})
    study = Study("fable", {"seed": 3, "seeds": 4})
    apart = study.map(lambda s: (study.progress("stage"), os.getpid(), s * s, time.sleep(0.1)))
    assert list(apart) == [3, 4, 5, 6] and [value[2] for value in apart.values()] == [9, 16, 25, 36]
    assert len({value[1] for value in apart.values()} - {os.getpid()}) == 2
    lines = [json.loads(line) for line in (tmp_path / "progress").read_text().splitlines()]
    assert len(lines) == 8 + 12 and lines[-1]["done"] == 4  # begun, done; and begun, named its stage, done
    told = [line["stages"] for line in lines[8:]]
    assert any(set(stages.values()) == {"stage"} for stages in told) and any(len(stages) == 2 for stages in told)


def test_stages_are_told_while_seeds_run(tmp_path):
    heard = []

    def work(seed):
        assert tell(f"sampling {seed}")
        return seed

    assert dict(side_by_side(work, [4, 5, 6], 2, lambda stage, seed: heard.append((seed, stage)))) == {4: 4, 5: 5, 6: 6}
    assert sorted(heard) == [(s, t) for s in (4, 5, 6) for t in ("", f"sampling {s}")]
    assert not tell("here nobody listens")


SCRIPT = """
import os, sys, time
from autodidact.claims.replicates import side_by_side
def work(seed):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(60)
list(side_by_side(work, range(2), 2))
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_seeds_end_with_their_parent_however_it_ends(ending):
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    children = [int(parent.stdout.readline()) for _ in range(2)]
    parent.send_signal(ending)
    parent.wait(10)
    deadline = time.monotonic() + 1
    while any(alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in children if alive(pid)]


def alive(pid):
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_long_run_in_a_pipe_says_what_every_seed_is_doing(write_paper, monkeypatch, capfd):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.2)
    monkeypatch.setenv("AUTODIDACT_WORKERS", "2")
    write_paper(scales={"toy": {"threads": 1}})
    study = Study("fable", {"seeds": 2})

    def work(seed):
        study.progress("round 1")
        time.sleep(0.4)
        study.progress("round 2")

    study.map(work)
    lines = capfd.readouterr().err.splitlines()
    assert lines and lines[0].startswith("fable toy: seed 0 (round ") and "0 of 2 done" in lines[0]
