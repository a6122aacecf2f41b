"""Records whose code changed: confirmed by numbers and stamped, or stale by the numbers that differ."""

import json
from pathlib import Path

import pytest

import autodidact
from autodidact import provenance
from autodidact.claims.record import read_record
from ci import verify
from ci.bench.small_paper import write_paper


@pytest.fixture
def published(papers, command, tmp_path, monkeypatch):
    """The notebook of a paper that is published."""
    monkeypatch.setattr(verify, "SCRATCH", tmp_path / "verify")
    place = write_paper(papers, "alpha")
    done = command("ci.publish", "--papers", "alpha", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def replace(place, old, new):
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


def test_a_record_of_the_present_code_is_left_alone(published, monkeypatch, capsys):
    monkeypatch.setattr(verify, "run_all", lambda jobs, *_: pytest.fail("a notebook ran") if jobs else None)
    before = published.read_bytes()
    assert verify.main([]) == 0 and published.read_bytes() == before
    assert "1 records, 0 of them of other code" in capsys.readouterr().out


def test_code_that_changes_no_number_is_stamped_and_nothing_else_changes(published, capsys):
    replace(published, "rng = np.random.default_rng(s)", "rng = np.random.default_rng(int(s))")
    before, record = json.loads(published.read_text()), read_record(published)
    assert verify.changed_code(record) == ["notebook"]
    assert verify.main([]) == 0, capsys.readouterr().out
    stamped = read_record(published)
    assert verify.changed_code(stamped) == [] and stamped["confirmed"][0]["seeds"] == [0]
    assert {**stamped, "code": record["code"], "confirmed": []} == {**record, "confirmed": []}
    after = json.loads(published.read_text())
    places = [
        output["data"]
        for content in (before, after)
        for cell in content["cells"]
        for output in cell.get("outputs", ())
        if verify.MIME in output.get("data", ())
    ]
    for data in places:
        del data[verify.MIME]
    assert before == after
    assert published.read_text().endswith("}\n") and verify.main([]) == 0


def test_a_changed_constant_is_found_and_the_record_stays(published, capsys):
    replace(published, "p.beta + rng.normal()", "p.beta + 1.01 * rng.normal()")
    before = published.read_bytes()
    assert verify.main([]) == 1
    text = capsys.readouterr().out
    assert "stale, to be published again" in text and "claim 'gain', treatment of replicate 0" in text
    assert published.read_bytes() == before


def test_a_changed_claim_or_preset_is_stale_without_a_run(published, papers, monkeypatch, capsys):
    monkeypatch.setattr(verify, "run_all", lambda jobs, *_: pytest.fail("a notebook ran") if jobs else None)
    replace(papers / "alpha" / "paper.yaml", "beta: 2.0", "beta: 2.5")
    replace(papers / "alpha" / "paper.yaml", "unit: points", "unit: nats")
    assert verify.main([]) == 1
    text = capsys.readouterr().out
    assert "parameter beta is 2.5 now, the record has 2.0" in text and "claim 'gain' is not stated as it was" in text


def test_a_rerun_that_fails_confirms_nothing(published, capsys):
    replace(published, "p.beta + rng.normal()", "p.gamma")
    assert verify.main([]) == 1
    assert "the rerun failed" in capsys.readouterr().out


def test_the_first_seed_is_checked_where_the_environment_asks_for_it(published, papers, monkeypatch, command, tmp_path):
    monkeypatch.setenv("AUTODIDACT_CHECK", "1")
    words = ("ci.run", "--papers", "alpha", "--seeds", "1", "--out", tmp_path / "run")
    assert command(*words).returncode == 0
    replace(published, "p.beta + rng.normal()", "p.beta + 1.01 * rng.normal()")
    done = command(*words)
    assert done.returncode == 1 and "is not as published at toy" in done.stdout


MEASURE = """
import numpy as np

from autodidact.{module} import gain

for s in study.seeds():
    rng = np.random.default_rng(s)
    study.measure("gain", treatment=gain(p.beta, rng.normal()), control=float(rng.normal()), replicate=s)
"""
OWN = """
from autodidact.both import shifted

SCALE = 1.0

def gain(beta, noise):
    return shifted(beta) + SCALE * noise
"""
BOTH = """
UNIT = 1.0

def shifted(beta):
    return UNIT * beta
"""


@pytest.fixture
def house(papers, tmp_path, monkeypatch):
    """The package with three modules more, `first` and `second`, which both use `both`: its folder."""
    folder = tmp_path / "src" / "autodidact"
    folder.mkdir(parents=True)
    for path in Path(autodidact.__file__).parent.iterdir():
        if path.name != "__pycache__":
            (folder / path.name).symlink_to(path.resolve())
    for name, text in {"first": OWN, "second": OWN, "both": BOTH}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))  # of the notebooks
    monkeypatch.setattr(provenance, "ROOT", folder.parent)  # of this process
    monkeypatch.setattr(verify, "SCRATCH", tmp_path / "verify")
    return folder


def test_a_move_leaves_all_records_valid_and_a_constant_is_found_where_it_counts(
    house, papers, command, tmp_path, monkeypatch, capsys
):
    places = {name: write_paper(papers, name, MEASURE.format(module=name)) for name in ("first", "second")}
    done = command("ci.publish", "--papers", "first second", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "autodidact.both" in read_record(places["first"])["code"]

    (house / "moved.py").write_text(BOTH)
    (house / "both.py").write_text("from autodidact.moved import shifted\n")
    assert [verify.changed_code(read_record(place)) for place in places.values()] == [["autodidact.both"]] * 2
    assert verify.main([]) == 0, capsys.readouterr().out
    for place in places.values():
        record = read_record(place)
        assert verify.changed_code(record) == [] and "autodidact.moved" in record["code"]

    replace(house / "first.py", "SCALE = 1.0", "SCALE = 1.01")
    assert [bool(verify.changed_code(read_record(place))) for place in places.values()] == [True, False]
    monkeypatch.setenv("AUTODIDACT_CHECK", "1")  # as `make test` runs every notebook
    words = ("--seeds", "1", "--out", tmp_path / "run")
    checked = {name: command("ci.run", "--papers", name, *words) for name in places}
    assert [done.returncode for done in checked.values()] == [1, 0], checked["second"].stdout
    assert "is not as published at toy" in checked["first"].stdout
