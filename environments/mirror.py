"""Public data sets by hub name, read from a local mirror where one is named."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def read_dataset(name: str, split: str, config: str | None = None) -> "pd.DataFrame":
    """The rows of a hub data set, e.g. "openai/gsm8k", "train".

    Where DATASETS_MIRROR names a folder, `<owner>__<name>/<split>.parquet` there is read (or `<split>-*.parquet`, the
    hub's own shards, in order); else the hub is asked through `datasets`. Raises FileNotFoundError, naming the path,
    for a file that the mirror lacks.
    """
    import pandas as pd  # here, so that the procedural worlds need NumPy alone

    mirror = os.environ.get("DATASETS_MIRROR")
    if mirror:
        folder = Path(mirror) / name.replace("/", "__")
        paths = [*folder.glob(f"{split}.parquet"), *sorted(folder.glob(f"{split}-*.parquet"))]
        if not paths:
            path = folder / f"{split}.parquet"
            raise FileNotFoundError(f"DATASETS_MIRROR={mirror} has no {path}; unset DATASETS_MIRROR to ask the hub")
        return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    from datasets import load_dataset

    return load_dataset(name, config, split=split).to_pandas()
