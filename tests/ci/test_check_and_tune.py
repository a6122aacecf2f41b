"""A notebook checked before it is run for long, and a paper on a grid of parameters."""

import csv
import statistics

import pytest

from autodidact.claims.record import read_record
from ci import check, tune
from ci.bench.small_paper import write_paper


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    """Where the runs of a grid lie."""
    monkeypatch.setattr(tune, "RUNS", tmp_path / "tune")
    return tmp_path / "tune"


def test_a_good_paper_is_fit_to_be_run_and_its_notebook_stays(papers, tmp_path, capsys):
    place = write_paper(papers, "alpha")
    before = place.read_bytes()
    assert check.main(["--papers", "alpha", "--out", str(tmp_path / "out")]) == 0
    assert "alpha: fit to be run" in capsys.readouterr().out and place.read_bytes() == before
    (dry,) = (tmp_path / "out").glob("*/alpha.ipynb")
    assert read_record(dry)["parameters"]["seed"] == 100 and read_record(dry)["parameters"]["seeds"] == 1


def test_what_is_wrong_is_named_before_and_after_the_dry_run(papers, tmp_path, monkeypatch, capsys):
    write_paper(papers, "alpha", "import sys\n\nprint('noise', file=sys.stderr)\nraise RuntimeError('no luck')")
    assert check.main(["--papers", "alpha", "--out", str(tmp_path / "out")]) == 1
    assert "the dry run failed: cell 7: RuntimeError: no luck" in capsys.readouterr().out
    monkeypatch.setattr(check, "dry_run", lambda *_: pytest.fail("a dry run of what is wrong already"))
    write_paper(papers, "beta", "x = undefined_name")
    assert check.main(["--papers", "beta", "--out", str(tmp_path / "out")]) == 1
    assert "F821" in capsys.readouterr().out
    assert check.main([]) == 2 and check.main(["--papers", "nope"]) == 2


def test_a_grid_is_every_combination():
    points = tune.parse_grid("beta=0.05,1e-3 rounds=2,3 noise=[0,0.1],[0,0.2]")
    assert len(points) == 8 and points[0] == {"beta": 0.05, "rounds": 2, "noise": [0, 0.1]}
    assert points[-1] == {"beta": 0.001, "rounds": 3, "noise": [0, 0.2]}
    assert tune.parse_grid("") == [{}]


@pytest.mark.parametrize(
    ("words", "named"),
    [(["--grid", "beta"], "'beta' must read name=value"), (["--grid", "beta=1 beta=2"], "more than once"),
     (["--grid", "seed=3"], "is set by SEEDS="), (["--grid", "gamma=1"], "'gamma' is unknown"),
     (["--seeds", "5-9"], "seeds from 100 on"), (["--seeds", "10"], "seeds from 100 on"),
     (["--arms", "treatd"], "did you mean 'treated'?"), (["--papers", "alpha beta"], "must name one paper"),
     (["--grid", "rounds=many"], "rounds='many'")],
)  # fmt: skip
def test_bad_input_is_named_before_anything_runs(words, named, papers, monkeypatch, capsys):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    write_paper(papers, "alpha")
    assert tune.main(["--papers", "alpha", *words]) == 2
    error = capsys.readouterr().err
    assert named in error and error.count("\n") == 1


def rows(papers):
    with open(papers / "alpha" / "results" / "tuning.csv") as file:
        return list(csv.DictReader(file))


def test_the_table_holds_every_arm_at_every_point_and_grows(papers, runs, monkeypatch, capsys):
    write_paper(papers, "alpha")
    words = ["--papers", "alpha", "--seeds", "100-101", "--arms", "treated"]
    assert tune.main([*words, "--grid", "beta=1,2"]) == 0
    shown = capsys.readouterr().out
    assert "untreated" not in shown and "2 points, 0 of them run before" in shown
    table = rows(papers)
    assert [(row["parameters"], row["arm"]) for row in table] == [
        (f'{{"beta": {beta}}}', arm) for beta in (1, 2) for arm in ("treated", "untreated")
    ]
    (first,) = runs.glob("alpha/*-beta-1/alpha.ipynb")
    claim = read_record(first)["claims"][0]
    assert float(table[0]["mean"]) == pytest.approx(statistics.fmean(claim["treatment"]), rel=1e-5)
    assert float(table[0]["sd"]) == pytest.approx(statistics.stdev(claim["treatment"]), rel=1e-5)
    assert table[0]["seeds"] == "100-101" and table[0]["n"] == "2"

    before = first.stat().st_mtime_ns
    assert tune.main([*words, "--grid", "beta=1,3"]) == 0
    assert "2 points, 1 of them run before" in capsys.readouterr().out
    assert first.stat().st_mtime_ns == before and len(rows(papers)) == 6
