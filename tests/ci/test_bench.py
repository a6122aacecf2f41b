"""The benchmark's bookkeeping: bounds, exit status, and seconds that go to the innermost stage."""

import importlib
import json
import types

import pytest

from ci.bench import stages

bench = importlib.import_module("ci.bench.__main__")


@pytest.mark.parametrize(("overhead", "status", "word"), [(0.04, 0, "at most 0.05: yes"), (0.06, 1, "MISSED")])
def test_a_missed_bound_is_shown_and_is_the_exit_status(overhead, status, word, monkeypatch, tmp_path, capsys):
    measured = {"overhead": overhead, "speedup": 1.9, "wall": {"bare": 100.0}}
    monkeypatch.setattr(bench, "parts", lambda: {"batch": lambda: measured})
    monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
    assert bench.main([]) == status
    text = capsys.readouterr().out
    assert word in text and "wall.bare" in text
    assert json.loads((tmp_path / "bench.json").read_text()) == {"batch": measured}


def test_an_unknown_part_is_named(monkeypatch, capsys):
    monkeypatch.setattr(bench, "parts", lambda: {"batch": dict})
    assert bench.main(["nope"]) == 2
    assert "'nope' is unknown" in capsys.readouterr().err


def test_seconds_go_to_the_innermost_stage(monkeypatch, tmp_path):
    now = [0.0]
    monkeypatch.setattr(stages, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(stages, "seconds", {})
    monkeypatch.setattr(stages, "_started", 0.0)

    def passing(seconds, then=lambda: None):
        def function():
            now[0] += seconds
            then()
            now[0] += seconds

        return function

    sampling = stages._timed("sampling", passing(1.0))
    training = stages._timed("training", passing(10.0, then=sampling))
    training()
    now[0] += 5.0
    sampling()
    stages.write(tmp_path / "stages.json")
    expected = {"sampling": 4.0, "training": 20.0, "evaluation": 5.0, "total": 29.0}
    assert json.loads((tmp_path / "stages.json").read_text()) == expected


def test_wrapped_places_exist():
    for places in stages.STAGES.values():
        for owner, name in places:
            assert callable(getattr(stages._resolve(owner), name))
