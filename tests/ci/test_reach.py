"""What makes a record stale: changed code within its notebook's reach, and no other."""

import json

import pytest

from autodidact import provenance
from ci import reach

FILES = {
    "autodidact/kit/__init__": '"""A list."""\nfrom autodidact.kit.used import f',
    "autodidact/kit/used": "def f():\n    from autodidact.late import g",
    "autodidact/kit/unused": "x = 1",
    "autodidact/late": "g = 1",
    "autodidact/environments/__init__": "",
    "autodidact/environments/farm/__init__": (
        'from autodidact.environments.farm.world import Farm\nWORLDS = {"farm": Farm, "guest": Farm}'
    ),
    "autodidact/environments/farm/world": "Farm = 1",
}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """The record of a paper whose notebook imports `autodidact.kit`; its parameters name no world."""
    for name, text in FILES.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setattr(reach, "ROOT", tmp_path)
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(tmp_path / "papers"))
    write(tmp_path, "%matplotlib inline\nfrom autodidact.kit import f\nawait f()")
    names = ["notebook", *(name.replace("/", ".") for name in FILES if "__init__" not in name), "autodidact.gone"]
    return {"paper": "fable", "code": dict.fromkeys(names, "old"), "parameters": {"rounds": 3}}


def write(folder, source):
    notebook = folder / "papers" / "fable" / "fable.ipynb"
    notebook.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"cell_type": "markdown", "source": ["farm"]}, {"cell_type": "code", "source": [source]}]
    notebook.write_text(json.dumps({"cells": cells}))


def outdated(record, *changed):
    return reach.outdated(record, record["code"] | dict.fromkeys(changed, "new"))


def test_what_the_notebook_reaches_counts_and_what_left_a_list_does_not(record):
    assert outdated(record) == []
    within = ["autodidact.kit.used", "autodidact.late"]  # late is imported in a function
    assert outdated(record, *within) == within
    assert outdated(record, "autodidact.kit.unused") == []
    assert reach.outdated(record, record["code"] | {"autodidact.gone": None}) == []
    assert outdated(record, "notebook", "autodidact.gone") == ["notebook"]


@pytest.mark.parametrize("value", ["farm/large", "guest", ["a", {"b": "farm"}]])
def test_worlds_that_parameters_name_count(record, value):
    assert outdated(record, "autodidact.environments.farm.world") == []
    record["parameters"]["world"] = value
    assert outdated(record, "autodidact.environments.farm.world") == ["autodidact.environments.farm.world"]


def test_worlds_that_the_notebook_names_count(record, tmp_path):
    write(tmp_path, 'from autodidact.environments import load_world\nload_world(f"farm/{3}")')
    assert outdated(record, "autodidact.environments.farm.world") == ["autodidact.environments.farm.world"]


def test_a_notebook_that_is_gone_makes_all_count(record):
    now = record["code"] | {"notebook": None, "autodidact.kit.unused": "new"}
    assert reach.outdated(record, now) == ["autodidact.kit.unused", "notebook"]
