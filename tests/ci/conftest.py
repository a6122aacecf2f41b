"""A folder with small papers, and commands run on it as a person runs them."""

import os
import subprocess
import sys

import pytest

from ci.files import ROOT


@pytest.fixture
def papers(tmp_path, monkeypatch):
    """An empty papers folder that every command of the test sees."""
    folder = tmp_path / "papers"
    folder.mkdir()
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(folder))
    monkeypatch.delenv("MAX_SEEDS", raising=False)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where the test's batches live."""
    monkeypatch.setenv("AUTODIDACT_RERUNS", str(tmp_path / "rerun"))
    return tmp_path / "rerun"


@pytest.fixture
def command(papers):
    """`command("ci.batch", ...)` runs a module and gives its completed process."""

    def run(module, *words, timeout=120):
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, words)],
            cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip

    return run
