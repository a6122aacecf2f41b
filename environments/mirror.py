"""Public data sets by hub name, read from a local mirror where one is named."""

import os
from pathlib import Path

import pandas as pd


def read_dataset(name: str, split: str, config: str | None = None) -> pd.DataFrame:
    """The rows of a hub data set, e.g. "openai/gsm8k", "train".

    Where DATASETS_MIRROR names a folder, `<owner>__<name>/<split>.parquet` there is read; else the hub is asked through
    `datasets`. Raises FileNotFoundError, naming the path, for a file that the mirror lacks.
    """
    mirror = os.environ.get("DATASETS_MIRROR")
    if mirror:
        path = Path(mirror) / name.replace("/", "__") / f"{split}.parquet"
        if not path.exists():
            raise FileNotFoundError(f"DATASETS_MIRROR={mirror} has no {path}; unset DATASETS_MIRROR to ask the hub")
        return pd.read_parquet(path)
    from datasets import load_dataset

    return load_dataset(name, config, split=split).to_pandas()
