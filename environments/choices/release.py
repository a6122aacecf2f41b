"""What the authors measured of one base model: choices, reports and regression weights, out of their CSV files."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from autodidact.environments.choices.contexts import ATTRIBUTES
from autodidact.environments.choices.files import PAPER, read_table

REPEATS = 10  # reports a context
_NUMBERS = range(1, ATTRIBUTES + 1)
_OPTIONS = tuple(f"{letter}_attribute_{i}" for letter in "AB" for i in _NUMBERS)
_WEIGHTS = tuple(f"attr{i}" for i in _NUMBERS)
_RANGES = tuple(f"attr{i}_{end}" for end in ("min", "max") for i in _NUMBERS)

# The authors' later fine-tunes by the same protocol, with weights, contexts and examples of the paper: folder to model.
RERUNS = {"4o-mini_12_29": "gpt-4o-mini-2024-07-18", "qwen_12_30": "qwen2.5-7b-instruct"}

# What the paper states of its models, and the repository (`effects.txt`) of the later runs. "base", "instilled" and
# "trained" are slopes of weights on reports, the others correlations.
FIGURES: dict[str, dict[str, float]] = {
    "gpt-4o-2024-08-06": {
        "learned": 0.843, "base": 0.10, "instilled": 0.54, "trained": 0.74, "native before": 0.464,
        "native after": 0.710,
    },
    "gpt-4o-mini-2024-07-18": {
        "learned": 0.871, "instilled": 0.50, "trained": 0.75, "native before": 0.40, "native after": 0.70,
    },
    "4o-mini_12_29": {
        "learned": 0.815, "base": 0.09, "instilled": 0.13, "trained": 0.66, "native before": 0.115,
        "native after": 0.568,
    },
    "qwen_12_30": {
        "learned": 0.850, "base": 0.02, "instilled": 0.26, "trained": 0.54, "native before": 0.182,
        "native after": 0.510,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Reports:
    """Reports about some contexts: `values` (contexts, 10, 5), NaN where a report is not there or was malformed.

    `malformed` counts what is missing to ten reports a context; the authors drop reports that do not parse.
    """

    values: np.ndarray

    @property
    def malformed(self) -> int:
        """Reports that are missing or without five numbers."""
        return int(np.isnan(self.values).any(-1).sum())

    @property
    def mean(self) -> np.ndarray:
        """Mean report (contexts, 5), NaN for a context without any."""
        there = ~np.isnan(self.values).any(-1, keepdims=True)
        count = there.sum(1)
        total = np.where(there, self.values, 0.0).sum(1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class Release:
    """The released measurements of one fine-tune; every array is in the order of `names`.

    run: the base model of the paper, such as "gpt-4o-2024-08-06", or one of `RERUNS`. Files are read when they are
    asked for. Raises FileNotFoundError for a model or file that is not there, ValueError that names file and column for
    a missing column, and for a context that no file should hold.
    """

    run: str

    @property
    def model(self) -> str:
        """The base model."""
        return RERUNS.get(self.run, self.run)

    def _table(self, ending: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
        """A table of this fine-tune, and the file's name."""
        file = f"{self.model}_{ending}.csv"
        return read_table(file, columns, self.run if self.run in RERUNS else PAPER), file

    @cached_property
    def _scenarios(self) -> pd.DataFrame:
        return read_table("scenarios.csv", ("scenario", *_RANGES)).set_index("scenario")[:200]

    @property
    def names(self) -> list[str]:
        """The names of the hundred instilled contexts, in the authors' order."""
        return list(self._scenarios.index[:100])

    @property
    def native_names(self) -> list[str]:
        """The names of the hundred native contexts, in the authors' order."""
        return list(self._scenarios.index[100:])

    @property
    def instilled_weights(self) -> np.ndarray:
        """The weights that the choices followed, (100, 5)."""
        table = read_table("instilled_weights.csv", ("scenario", *_WEIGHTS))
        return _by_name(table, self.names, _WEIGHTS, "instilled_weights.csv")

    def regression(self, native: bool = False) -> np.ndarray:
        """The authors' regression weights of the instilled model's choices, (100, 5), in [-100, 100]."""
        columns = tuple(f"b_{name}" for name in _WEIGHTS)
        table, file = self._table(f"{'latent_' if native else ''}regression_results", ("scenario", *columns))
        return _by_name(table, self.native_names if native else self.names, columns, file)

    def choices(self, native: bool = False) -> tuple[np.ndarray, np.ndarray, int]:
        """Choices of the instilled model: differences A - B in shares of the range (100, n, 5), whether A (100, n).

        The third is the number of choices that are neither A nor B; like rows that a context lacks they are NaN.
        """
        ending = f"instilled_{'latent_' if native else ''}selections"
        table, file = self._table(ending, ("scenario", "selection", *_OPTIONS))
        names = self.native_names if native else self.names
        rows = _grouped(table, names, file)
        most = max(map(len, rows))
        x, y = np.full((len(names), most, ATTRIBUTES), np.nan), np.full((len(names), most), np.nan)
        for i, (name, row) in enumerate(zip(names, rows, strict=True)):
            low, high = self._scenarios.loc[name, list(_RANGES)].to_numpy(float).reshape(2, ATTRIBUTES)
            options = row[list(_OPTIONS)].to_numpy(float).reshape(-1, 2, ATTRIBUTES)
            x[i, : len(row)] = (options[:, 0] - options[:, 1]) / (high - low)
            y[i, : len(row)] = row["selection"].map({"A": 1.0, "B": 0.0})
        return x, y, int((~table["selection"].isin(["A", "B"])).sum())

    def reports(self, stage: str) -> Reports:
        """Reports of a stage, for the contexts of that stage in order.

        stage: "base" and "instilled" (100 contexts), "first half trained" (contexts 50 to 99), "last half trained"
        (contexts 0 to 49), "native before" and "native after" (the native 100).
        """
        files = {
            "base": ("weight_reports", self.names),
            "instilled": ("instilled_weight_reports", self.names),
            "first half trained": ("itrained_first_50_of_100_50ex_weight_reports", self.names[50:]),
            "last half trained": ("itrained_last_50_of_100_50ex_weight_reports", self.names[:50]),
            "native before": ("instilled_latent_weight_reports", self.native_names),
            "native after": ("itrained_all_100_50ex_latent_weight_reports", self.native_names),
        }
        if stage not in files:
            raise ValueError(f"stage={stage!r} is unknown; known are {', '.join(files)}")
        ending, names = files[stage]
        columns = tuple(f"report_{name}" for name in _WEIGHTS)
        table, file = self._table(ending, ("scenario", *columns))
        values = np.full((len(names), REPEATS, ATTRIBUTES), np.nan)
        for i, row in enumerate(_grouped(table, names, file)):
            if len(row) > REPEATS:
                raise ValueError(f"{file}: {len(row)} reports about {names[i]!r}, at most {REPEATS} are there to be")
            values[i, : len(row)] = row[list(columns)].apply(pd.to_numeric, errors="coerce")
        return Reports(values)


def _grouped(table: pd.DataFrame, names: list[str], file: str) -> list[pd.DataFrame]:
    """The rows of every context, by name; ValueError for a context that does not belong there."""
    strange = sorted(set(table["scenario"]) - set(names))
    if strange:
        raise ValueError(f"{file}: context {strange[0]!r} is none of the {len(names)} that this file is about")
    groups = dict(list(table.groupby("scenario")))
    return [groups.get(name, table[:0]) for name in names]


def _by_name(table: pd.DataFrame, names: list[str], columns: tuple[str, ...], file: str) -> np.ndarray:
    """Rows in the order of `names`; ValueError, naming file and context, for one that is missing or repeated."""
    rows = table.set_index("scenario")
    for name in names:
        if (count := int((rows.index == name).sum())) != 1:
            raise ValueError(f"{file}: context {name!r} has {count} rows, must have 1")
    return rows.loc[names, list(columns)].to_numpy(float)
