"""Where things lie around this package: the repository, if it runs in one, and the folder of papers."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def papers_folder() -> Path:
    """The folder of all papers: the environment's AUTODIDACT_PAPERS, or `papers` beside this package's folder."""
    return Path(os.environ.get("AUTODIDACT_PAPERS") or ROOT / "papers")
