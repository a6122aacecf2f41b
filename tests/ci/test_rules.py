"""Rules that the code keeps: where randomness comes from, docstrings, lint, and the Makefile."""

import ast
import os
import shutil
import subprocess
import sys

import pytest

from ci.files import ROOT

HARMLESS = {"default_rng", "Generator", "SeedSequence", "BitGenerator", "PCG64"}
HARMLESS |= {"getstate", "setstate", "get_state", "set_state"}  # to give a caller's state back to it
DEAP = ROOT / "shared" / "evolution" / "primitives.py"  # the one door to the generator that DEAP draws from
MODULES = sorted(p for folder in ("shared", "environments", "ci") for p in (ROOT / folder).rglob("*.py"))
names = [str(path.relative_to(ROOT)) for path in MODULES]


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def global_draws(tree):
    """Uses of the global generators of `random` and NumPy."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("random", "numpy.random"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name not in HARMLESS)
        if isinstance(node, ast.Attribute) and node.attr not in HARMLESS:
            owner = ast.unparse(node.value)
            if owner in ("random", "np.random", "numpy.random"):
                yield f"{owner}.{node.attr}"


def undocumented(node, prefix=""):
    """Public modules, classes, functions and methods without a docstring."""
    if not ast.get_docstring(node) and getattr(node, "body", None):
        yield prefix or "module"
    for child in node.body:
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(child, kinds) and not child.name.startswith("_") and not overloaded(child):
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child, f"{prefix}{child.name}.")
            elif not ast.get_docstring(child):
                yield prefix + child.name


def overloaded(node):
    return any(isinstance(d, ast.Name) and d.id in ("overload", "override") for d in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_documents_and_draws_as_it_should(path):
    tree = tree_of(path)
    assert path == DEAP or not list(global_draws(tree))
    assert not list(undocumented(tree))
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


def test_the_rules_find_what_they_look_for():
    bad = ast.parse("from random import choice\nx = np.random.rand(3)\ny = np.random.default_rng(1)\nrandom.random()")
    assert sorted(global_draws(bad)) == ["np.random.rand", "random.choice", "random.random"]
    code = '"""M."""\nclass A:\n    "A."\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass\n'
    assert list(undocumented(ast.parse(code))) == ["A.f", "h"]


def test_ruff_is_content_with_code_and_notebooks():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture
def make(tmp_path):
    """`make("run", PAPER="sppo")` in a folder whose Python writes down the words that it is called with."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    for name in ("requirements.lock", "requirements-nodeps.lock", ".venv/.ready"):
        (tmp_path / name).touch()
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}

    def run(target, **variables):
        command = ["make", "-s", *target.split(), *(f"{name}={value}" for name, value in variables.items())]
        return subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("target", "variables", "expected"),
    [("run", {"PAPER": "sppo", "SCALE": "small", "SEEDS": "10", "ARGS": "-p name 'two words'", "OUT": "a b"},
      ["--papers=sppo ", "--seeds=10", "--jobs=2", "--args=-p name 'two words'", "--scale=small", "--out=a b"]),
     ("rerun", {"PAPERS": "sppo spin", "JOBS": "3", "GPUS": "1"},
      ["--papers= sppo spin", "--jobs=3", "--scale=", "--gpus=1", "--flags="]),
     ("publish", {"PAPER": "sppo"}, ["--papers=sppo ", "--scale="]),
     ("tune", {"PAPER": "sppo", "GRID": "beta=0.1,1 eta=2", "ARMS": "sppo, dpo"},
      ["--grid=beta=0.1,1 eta=2", "--arms=sppo, dpo"]),
     ("verify", {"SCALE": "toy"}, ["--scale=toy", "--jobs=2"]),
     ("lab", {"FLAGS": "--port 9000"}, ["--flags=--port 9000"]),
     ("bench", {"PARTS": "batch 'tree search'"}, ["batch", "tree search"])],
    ids=["run", "rerun", "publish", "tune", "verify", "lab", "bench"],
)  # fmt: skip
def test_make_hands_on_what_was_typed(target, variables, expected, make):
    done = make(target, **variables)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert [word for word in expected if word not in words] == []


@pytest.mark.parametrize(
    ("target", "variable", "said"),
    [("run", "SEED", "did you mean SEEDS?"), ("run", "paper", "did you mean PAPER?"),
     ("run", "SCAL", "did you mean SCALE?"), ("test", "PAPER", "it takes JOBS"), ("clean", "X", "it takes none")],
)  # fmt: skip
def test_a_variable_that_a_target_does_not_take_is_refused(target, variable, said, make):
    done = make(target, **{variable: "3"})
    assert done.returncode == 2 and not done.stdout
    assert f"{variable}= is no variable of `make {target}`" in done.stderr and said in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_lists_every_target(make):
    text = (ROOT / "Makefile").read_text()
    targets = text.partition(".PHONY:")[2].splitlines()[0].split()
    listed = [line.split()[1] for line in make("help").stdout.splitlines()]
    assert sorted(listed) == sorted(targets)
    assert make("help").stdout == make("").stdout
