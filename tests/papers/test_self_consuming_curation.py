"""The notebook on curation: seeds do not touch each other, and its largest scale is the code of its smallest."""

import io

import numpy as np
import pandas as pd
import pytest

from tests.papers.notebooks import measure, numbers, seeds_stand_alone

# The least that the notebook can do and still reach its verdicts; of fewer points none may lie on a mode.
LEAST = {
    "plane_base_steps": 3, "plane_steps": 1, "plane_kept": 512, "plane_data": 200, "plane_rounds": 2, "base_steps": 3,
    "steps": 1, "kept": 64, "rounds": 2, "shown": 20, "classifier_steps": 3, "laws": 4, "law_rounds": 60, "threads": 1,
    "sampler_steps": 2, "batch_size": 64,
}  # fmt: skip


def run(**given):
    return measure("self-consuming-curation", **(LEAST | given))


def test_seeds_together_are_seeds_apart_bit_for_bit():
    together, alone = seeds_stand_alone(run)
    assert any(together[claim, 100] != pair for (claim, seed), pair in alone.items() if seed == 101)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A mirror of CIFAR-10 with a hundred and fifty images, each class a colour and noise."""
    from PIL import Image

    rng, rows = np.random.default_rng(0), []
    for i in range(150):
        pixels = (rng.integers(0, 80, (32, 32, 3)) + np.array([17 * (i % 10), 90, 170 - 17 * (i % 10)])).astype(
            np.uint8
        )
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        rows.append({"img": {"bytes": file.getvalue(), "path": None}, "label": i % 10})
    (tmp_path / "uoft-cs__cifar10").mkdir()
    pd.DataFrame(rows).to_parquet(tmp_path / "uoft-cs__cifar10" / "train.parquet")
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))


def test_paper_scale_runs_on_photographs(photographs):
    least = {
        "width": 16,
        "layers": 2,
        "classifier_width": 8,
        "taste": "linear",
        "measure": "mlp",
        "classifier_steps": 20,
        "kept": 8,
        "steps": 1,
        "base_steps": 1,
        "batch_size": 8,
    }
    given = {"scale": "paper", "seeds": 1, "images": "densities/cifar10-16", **least, "shown": 10}
    record = run(**given)
    assert numbers(record)
    assert record["scale"] == "paper"
