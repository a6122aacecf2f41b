"""A record beside a rerun: what differs, what is stamped, and the check of every run against what is published."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autodidact.claims import MIME, Study, compare, load_paper, published_path, read_record, stamp, validate
from autodidact.claims.finding import changed_claims, finding_problems
from autodidact.claims.reruns import digest, same_machine


def run(**given):
    study = Study("fable", {"seeds": 6, **given})
    for s in study.seeds():
        study.measure("grapes", treatment=1.0 + s / 100, control=0.5, replicate=s)
        study.measure("sour", treatment=0.01 * (-1) ** s, control=0.0, replicate=s)
    study.measure("law", treatment=1.0, control=1.0, replicate="lambda=1")
    study.verdicts()
    return study.record


def changed(record, claim, side, index, value, **fields):
    other = copy.deepcopy(record) | fields
    other["claims"][claim][side][index] = value
    return other


def test_equal_numbers_differ_in_nothing(fable):
    record = run()
    assert compare(record, record) == [] == compare(record, run(seeds=1))
    assert compare(record, changed(record, 0, "treatment", 2, 1.02 * (1 + 1e-12))) == []


def test_a_difference_names_claim_replicate_and_both_numbers(fable):
    record = run()
    (found,) = compare(record, changed(record, 0, "treatment", 2, 1.021))
    assert found == ("grapes", 2, "treatment", 1.02, 1.021)
    assert str(found) == "claim 'grapes', treatment of replicate 2: 1.02, now 1.021"
    assert [d.side for d in compare(record, changed(record, 2, "control", 0, 2.0))] == ["control"]


def test_elsewhere_numbers_may_lie_apart_by_the_spread_over_replicates(fable):
    """The treatment of `grapes` is 1.00 to 1.05: its standard deviation is 0.0187; that of its control is 0."""
    record = run()
    elsewhere = {"machine": {"cpu": "another", "capability": "AVX512", "threads": 1}}
    near, far = (changed(record, 0, "treatment", 2, 1.02 + x, **elsewhere) for x in (0.148, 0.151))
    assert not same_machine(record, near) and same_machine(record, record)
    assert compare(record, near) == [] and len(compare(record, far)) == 1
    assert len(compare(record, near, tolerance=7.8)) == 1 and compare(record, far, tolerance=8.2) == []
    assert compare(record, changed(record, 0, "control", 2, 0.9, **elsewhere)) == []  # it does not vary: its own size
    assert len(compare(record, changed(record, 0, "control", 2, 5.0, **elsewhere))) == 1
    single = run(seeds=1)
    assert compare(single, changed(single, 0, "treatment", 0, 1.4, **elsewhere), tolerance=0.5) == []
    assert not same_machine(record, changed(record, 0, "control", 0, 1.0, machine=record["machine"] | {"threads": 2}))
    del record["machine"]
    assert not same_machine(record, record)


def test_what_cannot_be_compared(fable):
    record = run()
    with pytest.raises(ValueError, match="cannot compare runs of fable: they differ in beta"):
        compare(record, run(beta=0.2))
    later = run(seed=50)
    later["claims"][2]["replicates"] = ["lambda=2"]
    with pytest.raises(ValueError, match="no replicate of any claim in common"):
        compare(record, later)


def test_a_stamp_takes_over_the_code_and_says_what_confirmed_it(fable):
    record = run()
    rerun = run(seeds=2) | {"code": {"notebook": "new", "autodidact.other": "x"}}
    stamped = stamp(record, rerun)
    validate(stamped)
    assert stamped["code"] == rerun["code"] and stamped["claims"] == record["claims"]
    entry = {"before": digest(record["code"]), "code": digest(rerun["code"]), "seeds": [0, 1]}
    assert stamped["confirmed"] == [entry | {"machine": rerun["machine"]}] and "confirmed" not in record
    assert len(stamp(stamped, run())["confirmed"]) == 2
    with pytest.raises(ValueError, match="fable: 1 numbers differ; claim 'grapes', control of replicate 0"):
        stamp(record, changed(rerun, 0, "control", 0, 0.4))


def publish(record, path):
    path.parent.mkdir(exist_ok=True)
    cells = [new_code_cell("x", outputs=[new_output("display_data", data={MIME: record})])]
    nbformat.write(new_notebook(cells=cells), path)


def test_a_run_is_checked_against_the_published_record(fable, monkeypatch):
    record = run()
    publish(record, fable / "fable.ipynb")
    monkeypatch.setenv("AUTODIDACT_CHECK", "1")
    assert run(seeds=1)["claims"][0]["treatment"] == [1.0]
    publish(changed(record, 0, "treatment", 0, 1.5), fable / "fable.ipynb")
    message = "fable is not as published at toy: claim 'grapes', treatment of replicate 0: 1.5, now 1.0"
    with pytest.raises(ValueError, match=message):
        run(seeds=1)
    with pytest.raises(ValueError, match="fable is published with other parameters: beta"):
        run(beta=0.3)
    assert run(seed=50)["parameters"]["seed"] == 50  # seeds of which nothing is published
    assert run(scale="small")["scale"] == "small"
    publish(run(scale="small") | {"seconds": 1.0}, published_path("fable", "small"))
    other = changed(read_record(published_path("fable", "small")), 2, "control", 0, 3.0)
    publish(other, published_path("fable", "small"))
    with pytest.raises(ValueError, match="not as published at small: claim 'law'"):
        run(scale="small", seeds=1)
    monkeypatch.setenv("AUTODIDACT_CHECK", "0")
    run(seeds=1)


def test_the_finding_is_held_to_the_record(fable, write_paper):
    record = run()
    assert finding_problems(load_paper("fable"), record) == []
    write_paper(finding={"says": "x", "verdicts": {"grapes": "open", "sour": "reproduced"}})
    assert finding_problems(load_paper("fable"), record) == ["the finding needs grapes to be open, it is reproduced"]
    del record["claims"][0]
    assert finding_problems(load_paper("fable"), record) == ["the finding needs grapes to be open, it is not judged"]


def test_claims_that_changed_after_the_run(fable, write_paper):
    record = run()
    paper = load_paper("fable")
    assert changed_claims(paper, record) == []
    claims = [{**c, "smallest": 0.1} if c["id"] == "grapes" else c for c in paper.data["claims"]][:2]
    write_paper(claims=claims)
    assert changed_claims(load_paper("fable"), record) == ["grapes", "law"]


@pytest.mark.parametrize(
    "slug", [p.parent.name for p in sorted(published_path("x", "toy").parents[1].glob("*/paper.yaml"))]
)
def test_every_finding_is_what_its_record_says(slug):
    assert finding_problems(load_paper(slug), read_record(published_path(slug, "toy"))) == []
