"""The API reference: which names are public, and their docstrings, which are plain text, as reStructuredText."""

import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from ci.files import write_atomic

PACKAGE = "autodidact"
WORLDS = "autodidact.environments"


def modules() -> list[str]:
    """Every public package and module of `autodidact` and every world, by name."""
    found = []
    for name in (PACKAGE, WORLDS):
        path = importlib.import_module(name).__path__
        found += [f"{name}.{one.name}" for one in pkgutil.iter_modules(path) if not one.name.startswith("_")]
    return sorted(found)


def public_names(module: ModuleType) -> list[str]:
    """What a module offers: its `__all__`; without one, the functions and classes that it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return sorted(name for name in own if not name.startswith("_"))


def write(source: Path) -> list[str]:
    """Write a page for every module under `source`/reference; the names of the pages."""
    pages = []
    for name in modules():
        short = name.removeprefix(f"{PACKAGE}.")
        write_atomic(source / "reference" / f"{short}.rst", _page(name, importlib.import_module(name)))
        pages.append(f"reference/{short}")
    return pages


def docstring(lines: Sequence[str]) -> list[str]:
    """A plain-text docstring as reStructuredText: paragraphs, lists, and whatever is indented kept as it stands."""
    text = textwrap.dedent("\n".join(lines[1:]))
    blocks = re.split(r"\n\s*\n", "\n".join([*(lines[:1]), text]).strip("\n"))
    made = [line for block in blocks if block.strip() for line in [*_block(block), ""]]
    return made or [""]


def convert(_app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """The hook of `autodoc-process-docstring`: replaces the lines in place."""
    lines[:] = docstring(lines)


def _page(name: str, module: ModuleType) -> str:
    title = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :no-members:\n"
    return "\n".join([title, *(_directive(name, public, getattr(module, public)) for public in public_names(module))])


def _directive(module: str, name: str, value: object) -> str:
    if inspect.isclass(value):
        return f".. autoclass:: {module}.{name}\n   :members:\n"
    if callable(value):
        return f".. autofunction:: {module}.{name}\n"
    text = repr(value)
    shown = f"\n   Has {len(value)} entries.\n" if len(text) > 200 and hasattr(value, "__len__") else ""
    content = shown or f"\n   ``{text[:200]}``\n"
    return f".. py:data:: {name}\n   :type: {type(value).__name__}\n{content}"


def _block(block: str) -> list[str]:
    """A block of lines: what is indented is kept as it stands, a list stays a list, the rest is a paragraph."""
    lines = block.splitlines()
    if lines[0].startswith((" ", "\t")):  # an equation, an example
        return ["::", "", *(f"    {line}" for line in textwrap.dedent(block).splitlines())]
    made: list[str] = []
    for first, part in _parts(lines):
        text = "\n".join(line.strip() for line in part)
        made += [_inline(text.removeprefix("- ")).replace("\n", "\n  ")] if first == "- " else [_inline(text)]
        made[-1] = first + made[-1] if first == "- " else made[-1]
        made.append("")
    return "\n".join(made[:-1]).splitlines()


def _parts(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The paragraphs and list items of a block, each "" or "- " and its lines; what is indented belongs to its item."""
    part: list[str] = []
    for line in lines:
        item = line.startswith("- ")
        if part and (item or (part[0].startswith("- ") and not line.startswith(" "))):
            yield ("- " if part[0].startswith("- ") else ""), part
            part = []
        part.append(line)
    yield ("- " if part[0].startswith("- ") else ""), part


def _inline(text: str) -> str:
    """Text with `code` in RST's double backticks and every other character that means something escaped."""
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(_code(part.strip("`")) if part.startswith("`") else _escaped(part) for part in parts)


def _code(text: str) -> str:
    return f"\\ ``{' '.join(text.split())}``\\ "


def _escaped(text: str) -> str:
    return re.sub(r"([\\*|`]|(?<=\w)_(?=\W|$))", r"\\\1", text)
