"""Which modules in a record's `code` its notebook can still reach: what is out of reach cannot make the record stale.

A list of names has no hash (`autodidact.provenance`), so when one drops a name, a module may leave a notebook's reach
with no other module changed. Whatever else cuts a module off changes the hash of the module that imported it.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autodidact.claims.paper import papers_folder
from autodidact.provenance import NOTEBOOK, ROOT, module_path
from autodidact.provenance import (
    _imports as imports_of,  # to be public when that file changes: all records have its hash
)


def outdated(record: Mapping[str, Any], now: Mapping[str, str | None]) -> list[str]:
    """The names in a record's `code` that have another hash `now` and are within its notebook's reach, sorted."""
    changed = sorted(
        (name for name, digest in record["code"].items() if now[name] != digest),
        key=lambda name: (name != NOTEBOOK, name),
    )
    if not changed or now[NOTEBOOK] is None:
        return changed
    within = reached(record)
    return [name for name in changed if name == NOTEBOOK or name in within]


def reached(record: Mapping[str, Any]) -> set[str]:
    """Modules that a record's notebook imports, the worlds that it or the parameters name, and all that these import.

    Imports inside functions count, as in the record itself. A world counts as named where a text begins with its name.
    """
    cells = list(_cells(record["paper"]))
    named = {text.split("/")[0] for tree in cells for text in _texts(tree)} | set(_names(record["parameters"]))
    waiting = [target for tree in cells for target in _imported(tree)]
    for package in ROOT.glob("autodidact/environments/*/__init__.py"):
        if named & set(_texts(ast.parse(package.read_text(encoding="utf-8")))):
            waiting.append(f"autodidact.environments.{package.parent.name}")
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = module_path(name)
        if name not in found and path:
            found.add(name)
            waiting.extend(_imports_at(path, name))
    return found


@cache
def _imports_at(path: Path, name: str) -> tuple[str, ...]:
    """What the module `name` at `path` imports, parsed once: records share most of their modules."""
    return tuple(imports_of(name))


def _cells(slug: str) -> Iterator[ast.AST]:
    notebook = papers_folder() / slug / f"{slug}.ipynb"
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            source = TransformerManager().transform_cell("".join(cell["source"]))
            yield compile(source, slug, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _texts(tree: ast.AST) -> Iterator[str]:
    """All string constants, the fixed parts of formatted ones among them."""
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _names(value: Any) -> Iterator[str]:
    """What stands before the first slash in every text among parameters, at any depth."""
    if isinstance(value, str):
        yield value.split("/")[0]
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _names(inner)
