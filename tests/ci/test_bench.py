"""The benchmark's bookkeeping: bounds, exit status, and seconds that go to the innermost stage."""

import importlib
import json
import types

import pytest

from ci.bench import rates, stages

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


@pytest.mark.parametrize(("value", "status", "word"), [(99.0, 0, "at most 100: yes"), (101.0, 1, "MISSED")])
def test_a_bound_on_an_inner_measurement_is_kept_to(value, status, word, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "parts", lambda: {"batch": lambda: {"wall": {"bare": value}, "speedup": 2.0}})
    monkeypatch.setattr(bench, "BOUNDS", {"batch": {"wall.bare": ("at most", 100)}})
    monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
    assert bench.main([]) == status
    assert word in capsys.readouterr().out


def test_a_bound_on_what_is_not_measured_is_missed_and_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "parts", lambda: {"batch": lambda: {"overhead": 0.01}})
    monkeypatch.setattr(bench, "BOUNDS", {"batch": {"overhead": ("at most", 0.05), "speedup": ("at least", 1.8)}})
    monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
    assert bench.main([]) == 1
    assert "'speedup'" in capsys.readouterr().err


def test_rates_are_units_by_the_seconds_of_their_clock(monkeypatch):
    for rate, clock in ((rates.cpu_rate, "process_time"), (rates.wall_rate, "perf_counter")):
        now = iter([10.0, 14.0])
        monkeypatch.setattr(rates, "time", types.SimpleNamespace(**{clock: lambda now=now: next(now)}))
        assert rate(lambda: 100) == 25


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
