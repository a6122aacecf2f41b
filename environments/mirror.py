"""Public data sets by hub name, read from a local mirror where one is named; what is read is what was asked for."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Rows:
    """The rows of a data set by column, and where each comes from.

    columns: lists of plain values, equally long. sources: (file or data set, its number of rows), in the rows' order.
    """

    columns: dict[str, list]
    sources: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return sum(size for _, size in self.sources)

    def __getitem__(self, column: str) -> list:
        return self.columns[column]

    def error(self, column: str, number: int, why: str) -> ValueError:
        """The error for a value that is wrong: names its file, column and row, which counts from 0 in its file."""
        for source, size in self.sources:
            if number < size:
                return ValueError(f"{source}: column {column!r}, row {number} {why}")
            number -= size
        raise IndexError(f"number={number} lies beyond the last row")


def read_dataset(name: str, split: str, schema: "pa.Schema", config: str | None = None) -> Rows:
    """Some columns of a hub data set, e.g. "openai/gsm8k", "train".

    Where DATASETS_MIRROR names a folder, `<owner>__<name>/<split>.parquet` there is read, or else the hub's own shards,
    `<split>-00000-of-00002.parquet` and so on, all of them and in order; without a mirror the hub is asked through
    `datasets`. schema: the columns that are wanted and their types (`pyarrow.schema`): whole numbers and texts of any
    width, of a struct at least the fields that it names. No value may be missing, nor one in a list; fields may.

    Raises FileNotFoundError that names the path for a file or a shard that the mirror lacks; ValueError that names
    file, column and row for a column that is missing or of another type and for a missing value, and one that names
    the file where it stands beside shards of its own, has no rows or cannot be read.
    """
    import pyarrow as pa  # here, so that the procedural worlds need NumPy alone

    mirror = os.environ.get("DATASETS_MIRROR")
    if mirror:
        paths = _files(Path(mirror) / name.replace("/", "__"), split)
        tables = [(str(path), _read(path)) for path in paths]
    else:
        from datasets import load_dataset

        source = f"{name}, {split}"
        tables = [(source, load_dataset(name, config, split=split).with_format("arrow")[:])]
    columns: dict[str, list] = {field.name: [] for field in schema}
    for source, table in tables:
        if not table.num_rows:
            raise ValueError(f"{source}: there are no rows")
        for field in schema:
            columns[field.name] += _column(source, table, field, pa)
    return Rows(columns, tuple((source, table.num_rows) for source, table in tables))


def _files(folder: Path, split: str) -> list[Path]:
    """The one file of a split, or its shards, complete and in order."""
    whole = folder / f"{split}.parquet"
    form = re.compile(re.escape(split) + r"-(\d+)-of-(\d+)\.parquet")
    found = {path: form.fullmatch(path.name) for path in sorted(folder.glob("*.parquet"))}
    shards = {path: match for path, match in found.items() if match}
    if whole.is_file() and shards:
        raise ValueError(f"{folder} has {whole.name} and its shard {next(iter(shards)).name}: keep one or the other")
    if whole.is_file():
        return [whole]
    if not shards:
        raise FileNotFoundError(
            f"DATASETS_MIRROR={folder.parent} has no {whole}, nor shards of it; unset DATASETS_MIRROR to ask the hub"
        )
    totals = sorted({int(match[2]) for match in shards.values()})
    if len(totals) > 1:
        raise ValueError(f"{folder} has shards of {split} out of {' and out of '.join(map(str, totals))}: keep one set")
    by_number = {int(match[1]): path for path, match in shards.items()}
    for number in range(totals[0]):
        if number not in by_number:
            raise FileNotFoundError(f"{folder / f'{split}-{number:05d}-of-{totals[0]:05d}.parquet'} is missing")
    return [by_number[number] for number in range(totals[0])]


def _read(path: Path) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowInvalid, OSError) as error:  # the latter for a page that cannot be unpacked
        raise ValueError(f"{path} is no readable parquet file: {' '.join(str(error).split())[:200]}") from None


def _column(source: str, table: "pa.Table", field: "pa.Field", pa: Any) -> list:
    """The plain values of one column, checked."""
    if table.column_names.count(field.name) != 1:
        how = "there twice" if field.name in table.column_names else "missing"
        raise ValueError(f"{source}: column {field.name!r} is {how}; it has {', '.join(table.column_names)}")
    column = table.column(field.name)
    if not _fits(column.type, field.type, pa):
        raise ValueError(f"{source}: column {field.name!r} must hold {field.type}, not {column.type}")
    values = column.to_pylist()
    for number, value in enumerate(values):
        if value is None or (isinstance(value, list) and None in value):
            what = "is empty" if value is None else "has an empty place"
            raise Rows({}, ((source, len(values)),)).error(field.name, number, what)
    return values


def _fits(actual: "pa.DataType", wanted: "pa.DataType", pa: Any) -> bool:
    """Whether a type serves for another: of any width, with any further fields; nothing at all is found by its row."""
    kinds = pa.types
    if kinds.is_dictionary(actual):
        return _fits(actual.value_type, wanted, pa)
    if kinds.is_null(actual) or actual == wanted:
        return True
    if kinds.is_string(wanted):
        return kinds.is_large_string(actual) or kinds.is_string_view(actual)
    if kinds.is_binary(wanted):
        return kinds.is_large_binary(actual) or kinds.is_binary_view(actual)
    if kinds.is_integer(wanted):
        return kinds.is_integer(actual)
    if kinds.is_list(wanted):
        listed = kinds.is_list(actual) or kinds.is_large_list(actual)
        return listed and _fits(actual.value_type, wanted.value_type, pa)
    if kinds.is_struct(wanted) and kinds.is_struct(actual):
        inner = {part.name: part.type for part in actual}
        return all(part.name in inner and _fits(inner[part.name], part.type, pa) for part in wanted)
    return False
