"""The house: who imports whom (import-linter's contracts in pyproject.toml), and that private names stay private."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ci.files import ROOT

FOLDERS = {"shared": "autodidact", "environments": "autodidact.environments", "ci": "ci"}
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def lint(folder):
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", ROOT / "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_contracts_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "0 broken" in done.stdout


def is_private(name):
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def ours(name):
    return name.split(".")[0] in ("autodidact", "ci")


def private_uses(tree):
    """Private names of other modules of ours: imported, or reached through the module or what it gave."""
    foreign = set()  # local names of modules of ours and of what was imported from them
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            foreign |= {alias.asname or alias.name for alias in node.names if ours(alias.name)}
            yield from (a.name for a in node.names if ours(a.name) and any(map(is_private, a.name.split("."))))
        elif isinstance(node, ast.ImportFrom) and (node.level or ours(node.module)):
            foreign |= {alias.asname or alias.name for alias in node.names}
            yield from (alias.name for alias in node.names if is_private(alias.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner in foreign:
                yield f"{owner}.{node.attr}"


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(ROOT)) for path in MODULES])
def test_no_module_uses_a_private_name_of_another(path):
    assert not list(private_uses(ast.parse(path.read_text(encoding="utf-8"))))


def test_the_rule_finds_private_names():
    code = """
import numpy as np
from ci import jobs
from ci.run import _shown, shown as told
import autodidact.claims.study as study
from autodidact.claims import Study
np._private, jobs._start(), study._VERSIONED, jobs.__name__, jobs.start, told, Study._record
"""
    assert set(private_uses(ast.parse(code))) == {"_shown", "jobs._start", "study._VERSIONED", "Study._record"}
