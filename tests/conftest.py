"""Fixtures for all tests, and the order in which they run."""

import json

import pytest

MIME = "application/vnd.autodidact.claims+json"

LONG = {"test_calibration.py", "test_sandbox.py", "test_slurm.py"}  # a minute and more each

pytest_plugins = ["tests.hub"]


def pytest_collection_modifyitems(items):
    """Notebooks first, the longest before all, then what takes long of the tests: so two workers end together."""
    seconds = {path: published_seconds(path) for path in {item.path for item in items} if path.suffix == ".ipynb"}

    def rank(item):
        if item.path in seconds:
            return 0, -seconds[item.path]
        return (1 if item.path.parent.name == "papers" or item.path.name in LONG else 2), 0.0

    items.sort(key=rank)


def published_seconds(notebook):
    """How long the published run of a notebook took; 0 of one that has no record."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    bundles = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    return max((bundle[MIME]["seconds"] for bundle in bundles if MIME in bundle), default=0.0)


@pytest.fixture(scope="session", autouse=True)
def own_make():
    """What was said to the make that runs the tests, such as JOBS=2, is not said to the makes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module", autouse=True)
def unchecked():
    """Notebooks that a test executes have parameters of their own; `make test` caps and checks only the published."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAX_SEEDS", "AUTODIDACT_CHECK"):
            patch.delenv(name, raising=False)
        yield
