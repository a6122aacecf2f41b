"""A study from parameters to record: in a plain process and in a notebook."""

import base64
import json
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from threadpoolctl import threadpool_info, threadpool_limits

from autodidact import provenance
from autodidact.claims import MIME, Study, claims_table, read_record, recompute, validate


def run(study, law=1.0):
    for s in study.seeds():
        study.progress("only stage")
        study.measure("grapes", treatment=np.float32(1.0 + s / 100), control=0.5, replicate=s)
        study.measure("sour", treatment=0.01 * (-1) ** s, control=0.0, replicate=np.int64(s))
    study.measure("law", treatment=law, control=1.0, replicate="lambda=1")
    study.verdicts()
    return study.record


def test_from_parameters_to_verdicts(fable, capfd):
    study = Study("fable", {"scale": "toy", "seed": 3, "seeds": 6, "beta": 0.5, "model": None, "unrelated": object()})
    assert vars(study.parameters) == {
        "scale": "toy", "seed": 3, "seeds": 6, "model": "tiny", "beta": 0.5, "rounds": 3, "clip": None, "soft": True,
        "etas": [1.0, 2.0],
    }  # fmt: skip
    record = run(study, law=1.5)
    validate(record)
    assert recompute(record) == record
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["parameters"]["beta"] == 0.5 and record["scale"] == "toy" and "scale" not in record["parameters"]
    assert [c["verdict"] for c in record["claims"]] == ["reproduced", "reproduced", "contradicted"]
    assert record["claims"][0]["p_holm"] == 1 / 64
    assert record["claims"][0]["replicates"] == [3, 4, 5, 6, 7, 8]
    assert record["claims"][2]["worst"]["replicate"] == "lambda=1"
    assert record["code"]["notebook"] == provenance.notebook_hash(fable / "fable.ipynb")
    assert provenance.current_code(record) == record["code"]
    out, err = capfd.readouterr()
    assert "sppo > dpo" in out and "contradicted" in out and err == ""


def test_claims_are_shown_before_any_parameter(fable, capsys):
    claims_table("fable")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["claim", "grapes", "law", "sour"]  # central first
    assert "sppo = dpo ± 0.5" in lines[3] and "control, ours" in lines[3] and "Table 1: 0.3" in lines[3]


def test_measure_refuses(fable):
    study = Study("fable")
    study.measure("grapes", treatment=1, control=0, replicate=0)
    with pytest.raises(
        ValueError, match="claim 'grape' is unknown to fable; did you mean 'grapes'\\? Known are grapes, sour, law"
    ):
        study.measure("grape", treatment=1, control=0, replicate=0)
    with pytest.raises(ValueError, match="claim 'grapes': replicate 0 is measured already"):
        study.measure("grapes", treatment=1, control=0, replicate=0)
    for bad in (float("nan"), float("inf"), None, "0.3", np.zeros(2)):
        with pytest.raises(ValueError, match="claim 'grapes': control=.* must be one finite number"):
            study.measure("grapes", treatment=1, control=bad, replicate=1)
    with pytest.raises(ValueError, match="fable: not measured: sour, law"):
        study.verdicts()
    with pytest.raises(ValueError, match="rows is empty"):
        study.table([])


def test_max_seeds_caps(fable, monkeypatch):
    monkeypatch.setenv("MAX_SEEDS", "2")
    assert list(Study("fable").seeds()) == [0, 1]
    assert Study("fable", {"seeds": 1}).parameters.seeds == 1
    monkeypatch.setenv("MAX_SEEDS", "none")
    with pytest.raises(ValueError, match="MAX_SEEDS='none'"):
        Study("fable")


def test_progress_file(fable, tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("AUTODIDACT_PROGRESS", str(path))
    seen = []
    for _ in Study("fable", {"seed": 5, "seeds": 3}).seeds():
        seen.append(len(path.read_text().splitlines()) if path.exists() else 0)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert seen == [1, 3, 5]  # when a seed begins, and when it is done
    assert [(e["paper"], e["scale"], e["seed"], e["done"], e["of"], e["stages"]) for e in lines] == [
        ("fable", "toy", 5, 0, 3, {"5": ""}), ("fable", "toy", 5, 1, 3, {}), ("fable", "toy", 6, 1, 3, {"6": ""}),
        ("fable", "toy", 6, 2, 3, {}), ("fable", "toy", 7, 2, 3, {"7": ""}), ("fable", "toy", 7, 3, 3, {}),
    ]  # fmt: skip


def test_threads_and_device(write_paper):
    import torch

    before = torch.get_num_threads()
    write_paper(scales={"toy": {"threads": before + 1, "device": "cpu"}})
    try:
        study = Study("fable")
        assert torch.get_num_threads() == before + 1 and study.device == "cpu"
    finally:
        torch.set_num_threads(before)
    write_paper(scales={"toy": {"device": None}})
    assert Study("fable").device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_seeds_side_by_side_do_not_fight_for_the_cores(write_paper, monkeypatch):
    """BLAS has the preset's threads too, here and in the forks: more would slow seeds that run side by side."""

    def blas(seed=0):
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    monkeypatch.setenv("AUTODIDACT_WORKERS", "2")
    monkeypatch.setenv("MAX_SEEDS", "2")
    write_paper(scales={"toy": {"threads": 1}})
    with threadpool_limits(2, user_api="blas"):
        assert blas() == {2}
        runs = Study("fable").map(blas)
        assert blas() == {1} and set(map(tuple, runs.values())) == {(1,)}


def test_a_study_needs_no_torch(fable):
    code = (
        "import sys; from autodidact.claims import Study\n"
        "heavy = {'torch', 'scipy', 'matplotlib', 'jsonschema', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "Study('fable'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=provenance.ROOT)


def execute(path):
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(provenance.ROOT)}}).execute()
    nbformat.write(notebook, path)
    return notebook


def test_in_a_notebook(fable):
    """The outputs a reader sees, the record that is kept, and the same bytes from a second execution."""
    path = fable / "fable.ipynb"
    before = provenance.notebook_hash(path)
    first = execute(path)
    outputs = [cell["outputs"] for cell in first.cells]
    assert [len(o) for o in outputs] == [0, 2, 1, 3, 1]
    assert not any(o["output_type"] in ("stream", "error") for cell in outputs for o in cell)
    assert outputs[2][0]["data"] == {"text/plain": "seeds 0 to 9: 10 of 10 done"}
    outcome, claimed = (output["data"] for output in outputs[1])
    assert "<table>" in claimed["text/html"] and "Table 1: 0.3" in claimed["text/plain"]
    assert "<details><summary>1 supporting and control claims</summary>" in claimed["text/html"]
    assert outcome["text/plain"].splitlines()[0] == "What came out: The grapes hang higher."
    assert "● reproduced: the treatment is greater (grapes: " in outcome["text/plain"]
    verdicts = outputs[4][0]["data"]
    assert set(verdicts) == {MIME, "text/html", "text/plain"}
    assert "reproduced" in verdicts["text/plain"] and "reproduced" in verdicts["text/html"]
    figure = next(o["data"]["image/png"] for o in outputs[3] if "image/png" in o["data"])
    assert len(figure) < 300_000 and b"Matplotlib" not in base64.b64decode(figure)
    record = read_record(path)
    assert record == verdicts[MIME] and recompute(record) == record
    assert record["code"]["notebook"] == before == provenance.notebook_hash(path)
    assert {"autodidact.streams", "autodidact.claims.study"} <= set(record["code"])
    assert not any(name.startswith("autodidact.figures") for name in record["code"])
    assert record["machine"].keys() == {"cpu", "capability", "threads"}
    assert record["generalises"] == "Verdicts generalise over seeds."

    second = execute(path)
    for a, b in zip(first.cells, second.cells, strict=True):
        for x, y in zip(a["outputs"], b["outputs"], strict=True):
            for bundle in (x["data"], y["data"]):
                bundle.get(MIME, {}).pop("seconds", None)
            assert x["data"] == y["data"]
