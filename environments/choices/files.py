"""The authors' released files: out of the mirror, or downloaded once from their repository; columns are checked."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd

FOLDER = "self-interpretability"  # in the mirror and in the cache
RERUNS_FOLDER = "self-interpretability-reruns"
REPOSITORY = "jbejjani2022/self-interpretability"
COMMIT = "8241bff092738310df143f10cc9dffe9b93bface"
PAPER = "original_paper"  # the authors' folder with what the paper is about; those of later fine-tunes lie beside it
_BESIDE = ("candidate_scenarios.json",)  # in data, the rest in the folders of data


def released_file(name: str, run: str = PAPER) -> Path:
    """The path of a released file, such as "scenarios.csv"; run: the folder of the authors' `data` that holds it.

    Where DATASETS_MIRROR names a folder, it is `self-interpretability/<name>` there, of a later run
    `self-interpretability-reruns/<run>/<name>`. Otherwise it is fetched once from the authors' repository at a fixed
    commit and kept in the same folders under AUTODIDACT_CACHE (~/.cache/autodidact). Raises FileNotFoundError that says
    what is wanted where neither gives it.
    """
    mirror, folder = os.environ.get("DATASETS_MIRROR"), FOLDER if run == PAPER else f"{RERUNS_FOLDER}/{run}"
    if mirror:
        path = Path(mirror) / folder / name
        if not path.is_file():
            raise FileNotFoundError(
                f"DATASETS_MIRROR={mirror} has no {path}; put the file of github.com/{REPOSITORY} there, "
                "or unset DATASETS_MIRROR to download it"
            )
        return path
    path = Path(os.environ.get("AUTODIDACT_CACHE") or "~/.cache/autodidact").expanduser() / folder / name
    if not path.is_file():
        _download(name if name in _BESIDE else f"{run}/{name}", path)
    return path


def _download(where: str, path: Path) -> None:
    url = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/data/{where}"
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            content = response.read()
    except OSError as error:
        raise FileNotFoundError(
            f"{path.name} could not be fetched from {url} ({error}); download it by hand and put it into "
            f"{path.parent}, or into the same folder of what DATASETS_MIRROR names"
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    scratch.replace(path)


def read_table(name: str, columns: tuple[str, ...], run: str = PAPER) -> pd.DataFrame:
    """A released CSV file; ValueError that names file and column for one that it lacks, or for a file without rows."""
    table = pd.read_csv(released_file(name, run))
    for column in columns:
        if column not in table:
            raise ValueError(f"{name}: column {column!r} is missing; it has {', '.join(table.columns)}")
    if table.empty:
        raise ValueError(f"{name}: there are no rows")
    return table


def read_lines(name: str) -> list[dict[str, Any]]:
    """The objects of a released jsonl file; ValueError that names file and line for one that is not JSON."""
    rows = []
    for number, line in enumerate(released_file(name).read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{name}: line {number} is not JSON: {error}") from None
    return rows


def read_json(name: str) -> Any:
    """The content of a released JSON file; ValueError that names the file where it is not JSON."""
    try:
        return json.loads(released_file(name).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
