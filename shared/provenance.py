"""Which code made a result: hashes of a notebook and of the modules it uses, blind to comments and formatting.

A hash is taken over the syntax tree without docstrings, so that a reworded comment, a blank line or a broken line does
not make a published result stale, and any change of what runs does. The tree is written out by `_canonical`, which
leaves empty fields away: the same code has the same hash on every supported version of Python.
"""

import ast
import hashlib
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from autodidact.places import papers_folder

ROOT = Path(__file__).parents[1]  # the dotted name of a module is its path from here
PACKAGE = "autodidact"
NOTEBOOK = "notebook"
_UNSEEN = f"{PACKAGE}.figures"  # what numbers look like alters none of them
_INJECTED = "injected-parameters"
_LISTS = {"__all__", "WORLDS"}
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(maxsize=1024)  # a study hashes all code before and after its run
def source_hash(text: str) -> str:
    """SHA-256 of Python source, the same after any change of comments, docstrings, blank lines or formatting.

    Raises ValueError with the line where `text` is not Python.
    """
    try:
        tree = compile(text, "<source>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        raise ValueError(f"source is not Python: line {error.lineno}: {error.msg}") from None
    digest = hashlib.sha256()
    for piece in _canonical(tree):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def notebook_hash(path: str | Path) -> str:
    """SHA-256 of a notebook's code cells, outputs and text left out, and so are the parameters that papermill injects.

    Magics count as the calls that IPython makes of them. Raises ValueError, naming the file, if a cell is not Python.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    cells = json.loads(_text(Path(path)))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code" and not _injected(cell)]
    try:
        return source_hash("\n".join(TransformerManager().transform_cell(source) for source in sources))
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{Path(path).name}: {error}") from None


def module_hashes() -> dict[str, str]:
    """Hashes of every module of this package that is loaded, and of those that these import.

    Imports inside functions count whether they ran or not, so that what a run finds in a cache does not alter the list.
    A package's list of names has no hash: it runs nothing, and a new loss beside the others must not outdate them all.
    Nor have the figures: what a result looks like does not alter it.
    """
    loaded = [name for name in sorted(sys.modules) if name.split(".")[0] == PACKAGE and module_path(name)]
    names, waiting = set(), loaded
    while waiting:
        name = waiting.pop()
        if name not in names and not _unseen(name):
            names.add(name)
            waiting.extend(_imports(name))
    paths = {name: module_path(name) for name in sorted(names)}
    return {name: source_hash(_text(path)) for name, path in paths.items() if not _only_names(path)}


def current_code(record: Mapping[str, Any]) -> dict[str, str | None]:
    """The present hashes of what a record's `code` names, None for what is gone: equal to `code` unless it is stale."""
    notebook = papers_folder() / record["paper"] / f"{record['paper']}.ipynb"
    paths = {name: notebook if name == NOTEBOOK else module_path(name) for name in record["code"]}
    return {name: _hash_of(path) for name, path in paths.items()}


def machine() -> dict[str, str | int | None]:
    """What of this machine numbers may hang on: processor, the instructions and the threads that torch takes.

    `capability` and `threads` are None where torch is not loaded, `cpu` where the processor has no name.
    """
    torch = sys.modules.get("torch")
    capability = torch.backends.cpu.get_cpu_capability() if torch is not None else None
    return {"cpu": _processor(), "capability": capability, "threads": torch.get_num_threads() if torch else None}


def _processor() -> str | None:
    """The processor's name as Linux has it, with family, model and stepping, which tell generations of one name apart.

    Elsewhere its kind.
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []
    values = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    if "model name" not in values:
        return platform.processor() or platform.machine() or None
    numbers = "/".join(values.get(name, "?") for name in ("cpu family", "model", "stepping"))
    return f"{values['model name']} ({numbers})"


def module_path(name: str) -> Path | None:
    """The file of a module of this repository by its dotted name, None if there is none; imports nothing."""
    base = ROOT.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _unseen(name: str) -> bool:
    return name == _UNSEEN or name.startswith(f"{_UNSEEN}.")


def _hash_of(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    return notebook_hash(path) if path.suffix == ".ipynb" else source_hash(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _injected(cell: Mapping[str, Any]) -> bool:
    return _INJECTED in cell.get("metadata", {}).get("tags", ())


def _only_names(path: Path) -> bool:
    """Whether a file is a package's list of names: no statement besides imports, `__all__` and `WORLDS`."""
    tree = ast.parse(_text(path))
    return path.name == "__init__.py" and all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Assign) and {ast.unparse(target) for target in node.targets} <= _LISTS)
        for node in _without_docstring(tree, tree.body)
    )


def _imports(name: str) -> Iterator[str]:
    """Modules of this repository that a module imports anywhere in its text, with the packages they lie in."""
    for target in _targets(_text(module_path(name))):
        parts = target.split(".")
        parents = (".".join(parts[: i + 1]) for i in range(len(parts)))
        yield from (p for p in parents if parts[0] == PACKAGE and module_path(p))


@lru_cache(maxsize=1024)
def _targets(text: str) -> tuple[str, ...]:
    """Dotted names that a module's text imports, each name of a `from` import as a module of its own."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(found))


def _canonical(node: Any) -> Iterator[str]:
    """A syntax tree as text: node types, fields that are not empty, constants with their types; no positions."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for field, value in ast.iter_fields(node):
            value = _without_docstring(node, value) if field == "body" else value
            if value is not None and value != [] and field not in ("kind", "type_comment"):
                yield f" {field}="
                yield from _canonical(value)
            elif isinstance(node, ast.Constant) and field == "value":
                yield " value=None"
        yield ")"
    elif isinstance(node, list):
        for item in node:
            yield from _canonical(item)
            yield ","
    else:
        yield f"{type(node).__name__}:{node!r}"


def _without_docstring(node: ast.AST, body: Any) -> Any:
    first = body[0] if isinstance(node, _WITH_DOCSTRING) and body else None
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if documented and isinstance(first.value.value, str) else body
