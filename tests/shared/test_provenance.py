"""Hashes that see what runs and nothing else."""

import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autodidact import provenance
from autodidact.provenance import current_code, module_hashes, notebook_hash, source_hash

CODE = '''"""What it is."""
import math

def area(r, *, scale=1.0):
    """The area."""
    return scale * math.pi * r ** 2

class Circle:
    """A circle."""
    name = "circle"
'''
SAME = [
    CODE.replace('"""The area."""', '"""Another text."""'),
    CODE.replace('    """The area."""\n', ""),
    CODE.replace("import math\n", "import math  # for pi\n\n\n# more\n"),
    CODE.replace("scale * math.pi * r ** 2", "(\n        scale\n        * math.pi * r**2\n    )"),
    CODE.replace('"circle"', "'circle'"),
    CODE.replace('"""What it is."""\n', ""),
]
OTHER = [
    CODE.replace("r ** 2", "r ** 3"),
    CODE.replace("scale=1.0", "scale=1"),
    CODE.replace('"circle"', '"square"'),
    CODE.replace("*, scale", "scale"),
    CODE.replace("scale * math.pi", "math.pi * scale"),
    CODE + "Circle()\n",
    CODE.replace('"""A circle."""', "size = 'A circle.'"),
    CODE.replace("math.pi", "math.e"),
]


@pytest.mark.parametrize("text", SAME)
def test_what_does_not_run_does_not_count(text):
    assert text != CODE and source_hash(text) == source_hash(CODE)


@pytest.mark.parametrize("text", OTHER)
def test_what_runs_counts(text):
    assert source_hash(text) != source_hash(CODE)


@pytest.mark.parametrize(
    ("one", "two"),
    [("x = None", "x = 0"), ("x = True", "x = 1"), ("f(a, b)", "f((a, b))"), ("x = '1'", "x = b'1'"), ("[]", "()"),
     ("a = b; c", "a; b = c"), ("if a:\n b\nc", "if a:\n b\n c"), ("x: int", "x"), ("f'{a}'", "f'{a!r}'")],
)  # fmt: skip
def test_neighbours_differ(one, two):
    assert source_hash(one) != source_hash(two)


def test_hash_is_fixed():
    """The value itself: a change of Python or of the hash would make every published record stale."""
    assert source_hash("x = f'{a:>3}' if y else [1.5, None]\n").startswith("239c1e9494e6855e")
    with pytest.raises(ValueError, match="line 1"):
        source_hash("def f(:")


def write(path, *cells):
    nbformat.write(new_notebook(cells=list(cells)), path)
    return notebook_hash(path)


def test_notebook_hash(tmp_path):
    path = tmp_path / "n.ipynb"
    parameters = new_code_cell("beta = None", metadata={"tags": ["parameters"]})
    injected = new_code_cell("beta = 3", metadata={"tags": ["injected-parameters"]})
    body = new_code_cell("%matplotlib inline\n!ls\ny = await f(beta)  # comment")
    plain = write(path, parameters, body)
    assert write(path, new_markdown_cell("text"), parameters, injected, body) == plain
    assert write(path, parameters, new_code_cell(body.source.replace("comment", "remark"))) == plain
    assert write(path, parameters, new_code_cell(body.source.replace("!ls", "!ls -l"))) != plain
    assert write(path, new_code_cell("beta = 1", metadata={"tags": ["parameters"]}), body) != plain
    with pytest.raises(ValueError, match="n.ipynb: .*line 1"):
        write(path, new_code_cell("x = = 1"))


def test_module_hashes_are_those_of_the_files():
    import autodidact.claims  # noqa: F401

    hashes = module_hashes()
    assert {"autodidact.claims.study", "autodidact.provenance"} <= set(hashes)
    assert "autodidact.claims" not in hashes  # a list of names
    file = Path(sys.modules["autodidact.claims.verdict"].__file__)
    assert hashes["autodidact.claims.verdict"] == source_hash(file.read_text())
    assert all(name.split(".")[0] == "autodidact" for name in hashes)


def test_imports_inside_functions_count(tmp_path, monkeypatch):
    """Whether a lazily imported module was needed in this run must not alter the list."""
    for name, text in {
        "__init__": "", "a": "def f():\n    from autodidact import b\n    from autodidact.environments.w import g",
        "b": "import autodidact.c.d\nimport numpy", "c/__init__": "x = 2", "c/d": "x = 1", "unused": "",
    }.items():  # fmt: skip
        file = tmp_path / "autodidact" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "autodidact" / "environments").mkdir()
    (tmp_path / "autodidact" / "environments" / "w.py").write_text("g = 1")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setattr(provenance, "sys", SimpleNamespace(modules={"autodidact.a": None, "numpy": None}))
    expected = {
        "autodidact.environments.w",
        "autodidact.a",
        "autodidact.b",
        "autodidact.c",
        "autodidact.c.d",
    }
    assert set(module_hashes()) == expected
    names = '"""Losses."""\nfrom autodidact.c.d import x\n__all__ = ["x"]\nWORLDS = {"x": x}'
    (tmp_path / "autodidact" / "c" / "__init__.py").write_text(names)  # a list of names, which runs nothing of its own
    assert set(module_hashes()) == expected - {"autodidact.c"}
    (tmp_path / "autodidact" / "c" / "__init__.py").write_text(names + "\nprint(x)")
    assert set(module_hashes()) == expected


def test_current_code_tells_what_is_stale(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIDACT_PAPERS", str(tmp_path))
    (tmp_path / "fable").mkdir()
    path = tmp_path / "fable" / "fable.ipynb"
    record = {"paper": "fable", "code": {"notebook": write(path, new_code_cell("x = 1")), "autodidact.gone": "abc"}}
    record["code"]["autodidact.streams"] = source_hash((provenance.ROOT / "autodidact" / "streams.py").read_text())
    assert current_code(record) == record["code"] | {"autodidact.gone": None}
    write(path, new_code_cell("x = 2"))
    assert current_code(record)["notebook"] != record["code"]["notebook"]
    path.unlink()
    assert current_code(record)["notebook"] is None


def test_figures_have_no_hash_and_lead_to_none(tmp_path, monkeypatch):
    """What a result looks like makes no record stale: neither the palette nor what only the figures import."""
    for name, text in {
        "__init__": "", "a": "from autodidact import figures\nfrom autodidact.figures.plots import bars",
        "figures/__init__": "x = 1", "figures/plots": "import autodidact.colours", "colours": "blue = 1",
    }.items():  # fmt: skip
        file = tmp_path / "autodidact" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    loaded = {"autodidact.a": None, "autodidact.figures.plots": None}
    monkeypatch.setattr(provenance, "sys", SimpleNamespace(modules=loaded))
    assert set(module_hashes()) == {"autodidact.a"}


def test_the_machine_is_named():
    import torch

    found = provenance.machine()
    assert found["capability"] == torch.backends.cpu.get_cpu_capability()
    assert found["threads"] == torch.get_num_threads() and found["cpu"]
