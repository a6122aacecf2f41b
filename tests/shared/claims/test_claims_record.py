"""The record: through a notebook and back, recomputed, pooled, and refused where it is wrong."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autodidact.claims import MIME, pool, read_record, recompute, validate


def entry(replicates, treatment, control, **changes):
    claim = {"id": "grapes", "role": "central", "test": "difference", "expects": "greater", "margin": None}
    claim |= {"unit": "nats", "replicate": "seed", "whose": "paper", "smallest": None, "needs": None, "stated": "a"}
    return claim | {"replicates": replicates, "treatment": treatment, "control": control} | changes


def record_of(seeds, *claims, **changes):
    parameters = {"seed": seeds[0], "seeds": len(seeds), "beta": 0.1}
    base = {"paper": "fable", "scale": "toy", "parameters": parameters, "seconds": 2.5, "versions": {"python": "3.11"}}
    base["machine"] = {"cpu": "a processor", "capability": "AVX2", "threads": 1}
    return recompute(base | {"code": {"notebook": "a", "autodidact.streams": "b"}, "claims": list(claims)} | changes)


@pytest.fixture
def record():
    law = entry(["lambda=1"], [1.0], [1.0], id="law", test="exact", expects="equal", margin=0.0, replicate="lambda")
    same = entry(
        [0, 1, 2], [0.1, 0.2, 0.1], [0.1, 0.1, 0.2], id="same", test="equivalence", expects="equal", margin=1.0
    )
    return record_of([0, 1, 2], entry([0, 1, 2], [0.3, 0.5, 0.7], [0.1, 0.2, 0.3]), same, law)


def test_recompute_fills_in_the_record(record):
    validate(record)
    grapes, same, law = record["claims"]
    assert grapes["mean_difference"] == pytest.approx(0.3)
    assert (grapes["p"], grapes["p_holm"]) == (0.125, 0.125)
    assert same["p"] < 0.01 and same["p_holm"] == 2 * same["p"]
    assert grapes["attainable_p"] == 0.125 and grapes["verdict"] == "untested" and "too few" in grapes["note"]
    assert same["verdict"] == "reproduced" and same["attainable_p"] is None
    assert law["worst"] == {"replicate": "lambda=1", "treatment": 1.0, "control": 1.0, "excess": 0.0}
    assert (law["p"], law["p_holm"], law["ci95"], law["verdict"]) == (None, None, None, "reproduced")
    assert recompute(record) == record


def test_recompute_trusts_the_numbers_and_nothing_else(record):
    forged = copy.deepcopy(record)
    forged["claims"][0] |= {"verdict": "reproduced", "p_holm": 0.001, "ci95": [0.2, 0.3]}
    assert recompute(forged) == record


def write(path, *bundles):
    cells = [new_code_cell("x", outputs=[new_output("display_data", data=b) for b in bundles])]
    nbformat.write(new_notebook(cells=cells), path)
    nbformat.validate(nbformat.read(path, 4))
    return path


def test_round_trip_through_a_notebook(record, tmp_path):
    older = copy.deepcopy(record) | {"seconds": 99.0}
    path = write(tmp_path / "n.ipynb", {MIME: older}, {MIME: record, "text/plain": "table"}, {"text/plain": "bye"})
    assert read_record(path) == record


def test_a_record_is_strict_json(record):
    single = record_of([4], entry([4], [0.3], [0.1]), entry([4], [0.3], [0.1], id="b", test="equivalence",
                       expects="equal", margin=0.1))  # fmt: skip
    for one in (record, single):
        json.dumps(one, allow_nan=False)
        validate(one)
    assert single["claims"][0]["ci95"] is None and single["claims"][1]["p_holm"] is None


def test_read_refuses(tmp_path, record):
    with pytest.raises(ValueError, match="n.ipynb holds no claims record"):
        read_record(write(tmp_path / "n.ipynb", {"text/plain": "x"}))
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    with pytest.raises(ValueError, match="torn.ipynb is not a notebook"):
        read_record(tmp_path / "torn.ipynb")
    del record["scale"]
    with pytest.raises(ValueError, match="record of fable: top level: 'scale' is a required property"):
        read_record(write(tmp_path / "bad.ipynb", {MIME: record}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "true"}, "claims.grapes.verdict"),
        ({"control": [0.1]}, "claim 'grapes': lists differ in length"),
        ({"control": [0.1, 0.2, float("nan")]}, "claim 'grapes': a measurement is not finite"),
        ({"replicates": [0, 0, 1]}, "claims.grapes.replicates"),
        ({"p": 1.5}, "claims.grapes.p"),
    ],
)
def test_validate_names_the_field(record, change, message):
    record["claims"][0] |= change
    with pytest.raises(ValueError, match=message):
        validate(record)


def test_two_halves_pool_to_the_whole():
    treatment, control = [0.1 * i + 0.5 for i in range(10)], [0.05 * i for i in range(10)]
    parts = [
        record_of(list(range(a, a + 5)), entry(list(range(a, a + 5)), treatment[a : a + 5], control[a : a + 5]))
        for a in (5, 0)
    ]
    pooled = pool(parts)
    whole = record_of(list(range(10)), entry(list(range(10)), treatment, control), seconds=5.0)
    assert pooled == whole
    assert pooled["claims"][0]["verdict"] == "reproduced"
    assert pool(iter([whole])) == whole


def test_pool_keeps_what_every_run_repeats_alike():
    law = {"id": "law", "test": "exact", "expects": "equal", "margin": 0.5, "replicate": "lambda"}
    runs = [record_of([s], entry([s], [1.0], [0.0]), entry(["l=1"], [2.0], [2.0], **law)) for s in (0, 1)]
    pooled = pool(runs)
    assert [c["replicates"] for c in pooled["claims"]] == [[0, 1], ["l=1"]]
    runs[1]["claims"][1]["treatment"] = [2.1]
    with pytest.raises(ValueError, match="claim 'law': replicate 'l=1' occurs in more than one record"):
        pool(runs)


def test_pool_refuses_by_name():
    one, two = (record_of([s], entry([s], [1.0], [0.0])) for s in (0, 1))
    with pytest.raises(ValueError, match="claim 'grapes': replicate 0 occurs in more than one record"):
        pool([one, one])
    with pytest.raises(ValueError, match="records is empty"):
        pool([])
    other = {"parameters": {**two["parameters"], "beta": 0.2}}
    with pytest.raises(ValueError, match="parameter beta is 0.1 in one and 0.2 in another"):
        pool([one, two | other])
    with pytest.raises(ValueError, match="scale is 'toy' in one and 'small' in another"):
        pool([one, two | {"scale": "small"}])
    with pytest.raises(ValueError, match="code of autodidact.streams is 'b' in one and 'c' in another"):
        pool([one, two | {"code": {"notebook": "a", "autodidact.streams": "c"}}])
    with pytest.raises(ValueError, match="differ in their claims"):
        pool([one, record_of([1], entry([1], [1.0], [0.0], expects="less"))])


def test_pool_leaves_its_records_as_they_are():
    runs = [record_of([s], entry([s], [1.0], [0.0])) for s in (0, 1)]
    before = copy.deepcopy(runs)
    pool(runs)
    assert runs == before
