"""Data sets out of a local mirror: what is read is what was asked for, or an error names file, column and row."""

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from autodidact.environments import load_world
from autodidact.environments.arithmetic import gsm8k
from autodidact.environments.densities import images
from autodidact.environments.facts import hh
from autodidact.environments.instructions import ifeval
from autodidact.environments.mirror import read_dataset

NUMBERS = pa.schema({"x": pa.int64()})
TEXTS = pa.schema({"x": pa.string()})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the data set some/set in a mirror."""
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    path = tmp_path / "some__set"
    path.mkdir()
    return path


def write(path, *values, column="x"):
    pd.DataFrame({column: list(values)}).to_parquet(path)


def test_one_file_or_shards_in_order(folder):
    write(folder / "test.parquet", 1, 2)
    write(folder / "test-clean.parquet", 9)  # another split
    for i in range(12):
        write(folder / f"train-{i:05d}-of-00012.parquet", 10 * i)
    assert read_dataset("some/set", "test", NUMBERS)["x"] == [1, 2]
    assert read_dataset("some/set", "test-clean", NUMBERS)["x"] == [9]
    rows = read_dataset("some/set", "train", NUMBERS)
    assert rows["x"] == [10 * i for i in range(12)] and len(rows) == 12
    assert str(rows.error("x", 11, "is odd")) == f"{folder}/train-00011-of-00012.parquet: column 'x', row 0 is odd"
    with pytest.raises(FileNotFoundError, match=r"some__set.validation\.parquet"):
        read_dataset("some/set", "validation", NUMBERS)


def test_a_file_beside_its_own_shards_is_not_read_twice(folder):
    write(folder / "train.parquet", 1)
    write(folder / "train-00000-of-00001.parquet", 1)
    with pytest.raises(ValueError, match=r"some__set has train\.parquet and its shard train-00000-of-00001\.parquet"):
        read_dataset("some/set", "train", NUMBERS)


def test_some_shards_are_not_taken_for_all(folder):
    write(folder / "train-00001-of-00002.parquet", 1)
    with pytest.raises(FileNotFoundError, match=r"some__set.train-00000-of-00002\.parquet is missing"):
        read_dataset("some/set", "train", NUMBERS)
    write(folder / "train-00000-of-00003.parquet", 1)
    with pytest.raises(ValueError, match="shards of train out of 2 and out of 3"):
        read_dataset("some/set", "train", NUMBERS)


@pytest.mark.parametrize(
    ("values", "schema", "message"),
    [
        (["a", None], TEXTS, "column 'x', row 1 is empty"),
        (["a", float("nan")], TEXTS, "column 'x', row 1 is empty"),
        ([float("nan"), float("nan")], TEXTS, "column 'x' must hold string, not double"),
        ([None], TEXTS, "column 'x', row 0 is empty"),
        (["1"], NUMBERS, "column 'x' must hold int64, not"),
        ([1.0], NUMBERS, "column 'x' must hold int64, not double"),
        ([["a"], ["a", None]], pa.schema({"x": pa.list_(pa.string())}), "column 'x', row 1 has an empty place"),
        ([{"a": 1}], pa.schema({"x": pa.struct({"b": pa.int64()})}), "column 'x' must hold struct<b: int64>"),
        ([], TEXTS, "there are no rows"),
        (["a"], pa.schema({"y": pa.string()}), "column 'y' is missing; it has x"),
    ],
)
def test_what_is_not_as_the_schema_says_is_named(folder, values, schema, message):
    write(folder / "train.parquet", *values)
    with pytest.raises(ValueError, match=rf"some__set.train\.parquet: {message}"):
        read_dataset("some/set", "train", schema)


def test_what_is_as_the_schema_says_may_be_wider_or_narrower(folder):
    listed = pa.array([["a"]], pa.large_list(pa.large_string()))
    table = pa.table({"n": pa.array([1], pa.int8()), "t": pa.array(["a"]).dictionary_encode(), "l": listed})
    pa.parquet.write_table(table, folder / "train.parquet")
    schema = pa.schema({"l": pa.list_(pa.string()), "t": pa.string(), "n": pa.int64()})
    assert read_dataset("some/set", "train", schema).columns == {"l": [["a"]], "t": ["a"], "n": [1]}


def test_a_file_that_is_no_parquet_is_named(folder):
    (folder / "train.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match=r"some__set.train\.parquet is no readable parquet file"):
        read_dataset("some/set", "train", NUMBERS)


def test_the_hub_s_rows_are_checked_likewise(monkeypatch):
    monkeypatch.delenv("DATASETS_MIRROR", raising=False)
    answer = datasets.Dataset.from_dict({"x": ["a", None], "y": [1, 2]})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, config, split: answer)
    assert read_dataset("some/set", "train", pa.schema({"y": pa.int64()}))["y"] == [1, 2]
    with pytest.raises(ValueError, match="some/set, train: column 'x', row 1 is empty"):
        read_dataset("some/set", "train", TEXTS)


READERS = [
    ("openai__gsm8k/train", "question", gsm8k._problems),
    ("google__IFEval/train", "key", lambda: ifeval._load("")),
    ("Anthropic__hh-rlhf/harmless-base", "chosen", hh._dialogues),
    ("truthfulqa__truthful_qa/validation", "question", hh._benign),
    ("uoft-cs__cifar10/train", "img", images.cifar10),
]


@pytest.mark.parametrize(("file", "column", "read"), READERS, ids=[file for file, _, _ in READERS])
def test_every_reader_names_file_and_column_that_is_missing(tmp_path, monkeypatch, file, column, read):
    monkeypatch.setenv("DATASETS_MIRROR", str(tmp_path))
    path = tmp_path / f"{file}.parquet"
    path.parent.mkdir()
    write(path, "a", column="other")
    with pytest.raises(ValueError, match=rf"{file}\.parquet: column '{column}' is missing; it has other"):
        read.__wrapped__() if hasattr(read, "__wrapped__") else read()


def test_unknown_worlds_are_named():
    for name in ("chess", "os", "../instructions"):
        with pytest.raises(ValueError, match="is unknown; known are .*gsm8k, humaneval, ifeval"):
            load_world(name)
    with pytest.raises(ValueError, match="preset='odd' is unknown"):
        load_world("instructions/odd")
