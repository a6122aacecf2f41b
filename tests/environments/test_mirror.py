"""Data sets out of a local mirror."""

import pandas as pd
import pytest

from autodidact.environments import load_world
from autodidact.environments.mirror import read_dataset


def test_one_file_or_shards_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    folder = tmp_path / "some__set"
    folder.mkdir()
    pd.DataFrame({"x": [1, 2]}).to_parquet(folder / "test.parquet")
    for i in range(2):
        pd.DataFrame({"x": [10 * i]}).to_parquet(folder / f"train-0000{i}-of-00002.parquet")
    assert read_dataset("some/set", "test")["x"].tolist() == [1, 2]
    assert read_dataset("some/set", "train")["x"].tolist() == [0, 10]
    with pytest.raises(FileNotFoundError, match=r"some__set.validation\.parquet"):
        read_dataset("some/set", "validation")


def test_unknown_worlds_are_named():
    for name in ("chess", "os", "../instructions"):
        with pytest.raises(ValueError, match="is unknown; known are .*gsm8k, humaneval, ifeval"):
            load_world(name)
    with pytest.raises(ValueError, match="preset='odd' is unknown"):
        load_world("instructions/odd")
