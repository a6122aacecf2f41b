"""Seeds side by side: the same results as one after the other, and no failure that goes unheard."""

import os
import pathlib
import pickle
import signal
import sys
import tempfile
import time

import numpy as np
import pytest

from autodidact.claims import Study
from autodidact.claims.replicates import side_by_side, workers

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
    apart = study.map(lambda s: (study.progress("stage"), os.getpid(), s * s))
    assert list(apart) == [3, 4, 5, 6] and [value[2] for value in apart.values()] == [9, 16, 25, 36]
    assert len({value[1] for value in apart.values()} - {os.getpid()}) == 2
    assert len((tmp_path / "progress").read_text().splitlines()) == 8
