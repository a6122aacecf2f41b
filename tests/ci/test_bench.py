"""The benchmark's bookkeeping: bounds, exit status, and seconds that go to the innermost stage."""

import importlib
import json
import types

import pytest

from ci import profiling, stages
from ci.bench import evolution, notebook, rates
from ci.bench.small_paper import write_paper

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


def test_what_is_skipped_misses_no_bound(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "parts", lambda: {"batch": lambda: {"overhead": 0.01, "speedup": None}})
    monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
    assert bench.main([]) == 0
    assert "skipped" in capsys.readouterr().out


def test_evolution_is_measured_without_pyoperon(monkeypatch, capsys):
    monkeypatch.setattr(evolution, "find_spec", lambda name: None)
    monkeypatch.setattr(evolution, "_operon", lambda instance: pytest.fail("pyoperon ran"))
    monkeypatch.setattr(evolution, "REPEATS", 1)
    monkeypatch.setattr(evolution, "GENERATIONS", 2)
    measured = evolution.bench_evolution()
    assert measured["of_pyoperon"] is None and measured["speedup"] > 0
    assert "pyoperon is not installed" in capsys.readouterr().err


def test_rates_are_units_by_the_seconds_of_their_clock(monkeypatch):
    for rate, clock in ((rates.cpu_rate, "process_time"), (rates.wall_rate, "perf_counter")):
        now = iter([10.0, 14.0])
        monkeypatch.setattr(rates, "time", types.SimpleNamespace(**{clock: lambda now=now: next(now)}))
        assert rate(lambda: 100) == 25


def test_an_unknown_part_is_named(monkeypatch, capsys):
    monkeypatch.setattr(bench, "parts", lambda: {"batch": dict})
    assert bench.main(["nope"]) == 2
    assert "'nope' is unknown" in capsys.readouterr().err


@pytest.fixture
def clock(monkeypatch):
    """A clock of the stages that moves when a test says so, and no seconds counted yet."""
    now = [0.0]
    monkeypatch.setattr(stages, "cpu", lambda: now[0])
    monkeypatch.setattr(stages, "seconds", {})
    return now


def passing(clock, seconds, then=lambda: None):
    def function():
        clock[0] += seconds
        then()
        clock[0] += seconds

    return function


def test_seconds_go_to_the_innermost_stage_and_a_base_has_all_its_own(clock, tmp_path):
    sampling = stages._timed("sampling", passing(clock, 1.0))
    training = stages._timed("training", passing(clock, 10.0, then=sampling))
    base = stages._timed("base", passing(clock, 100.0, then=training))
    training()
    clock[0] += 5.0
    sampling()
    base()
    stages.write(tmp_path / "stages.json")
    spent = json.loads((tmp_path / "stages.json").read_text())
    assert {name: value for name, value in spent.items() if value} == {
        "sampling": 4.0, "training": 20.0, "base": 222.0, "rest": 5.0, "total": 251.0,
    }  # fmt: skip
    assert tuple(spent) == stages.STAGES


def test_functions_are_wrapped_wherever_they_are_looked_up_and_once(clock, monkeypatch):
    def train_supervised():
        clock[0] += 3.0

    class World:
        def score(self):
            clock[0] += 1.0

    train_supervised.__module__ = World.__module__ = World.score.__module__ = "autodidact.fable"
    module = types.ModuleType("autodidact.fable")
    module.train_supervised = train_supervised
    monkeypatch.setitem(stages.sys.modules, "autodidact.fable", module)
    namespace = {"train_supervised": train_supervised, "World": World, "other": len}
    with monkeypatch.context() as alone:
        alone.setattr(stages.sys, "modules", {"autodidact.fable": module})
        stages.wrap(namespace)
        stages.wrap(namespace)
    assert namespace["train_supervised"] is module.train_supervised is not train_supervised
    module.train_supervised()
    World().score()
    assert stages.seconds == {"training": 3.0, "scoring": 1.0}


def test_what_is_to_be_wrapped_exists():
    from autodidact import bases, choosers, generative, models, samplers, training, vision
    from autodidact.environments import load_world
    from autodidact.training import kto

    places = [bases, choosers, generative, models, models.policy, samplers, training, kto, vision]
    for names in stages.FUNCTIONS.values():
        for name in names:
            assert any(callable(getattr(place, name, None)) for place in places), name
    assert {"generate", "logprobs", "sequence_logprobs"} <= set(dir(models.Policy))
    assert callable(load_world("instructions").score)


def test_a_seed_over_its_budget_is_a_missed_bound(papers, monkeypatch, tmp_path, capsys):
    write_paper(papers, "alpha")
    monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
    spent = {"start": 1.0, "import": 5.0, "base": 30.0, "rest": 26.0, "total": 62.0}
    monkeypatch.setattr(notebook, "stages", lambda slug, parameters, cache: spent)
    assert bench.main(["seed of alpha"]) == 1
    assert "at most 25: MISSED" in capsys.readouterr().out


def test_a_profile_has_every_stage_and_a_warm_base_costs_less(papers, capsys):
    write_paper(papers, "alpha")
    assert profiling.main(["--papers", "alpha"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(stages.STAGES)
    total, parts = [float(x) for x in lines[-1].split()[1:]], [line.split()[-2:] for line in lines[2:-1]]
    assert all(abs(total[i] - sum(float(row[i]) for row in parts)) < 0.5 for i in (0, 1))


def test_profiling_names_a_notebook_that_fails(papers, capsys):
    write_paper(papers, "alpha", "raise RuntimeError('no luck')")
    assert profiling.main(["--papers", "alpha"]) == 1
    assert "no luck" in capsys.readouterr().err
    assert profiling.main([]) == 2
