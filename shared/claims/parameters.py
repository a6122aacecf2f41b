"""Parameters of a run: the preset of a scale, what is given on top, and the checks that come before any work."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autodidact.claims import rules
from autodidact.claims.names import unknown
from autodidact.claims.paper import Paper

DEFAULTS = {"seed": 0, "seeds": 10}
RESERVED = {"scale", "seed", "seeds"}


def parameter_names(paper: Paper) -> tuple[str, ...]:
    """Every parameter that a run of the paper takes: scale, seed, seeds and the names of its presets."""
    return ("scale", "seed", "seeds", *(k for k in paper.scales["toy"] if k not in RESERVED))


def rule_of(paper: Paper, name: str) -> rules.Rule:
    """The range or the choices of a parameter: the paper's own, else that of the longest ending of its name."""
    return rules.rule_of(paper.parameters, name)


def resolve(paper: Paper, scale: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a run: the scale's preset, overruled by whatever in `given` is not None.

    A value has the type of its preset value, of another scale's where that is None (an int may stand for a float), and
    keeps to the range of its name (`rule_of`). Raises ValueError in one line for an unknown scale, parameter, model or
    world, a wrong type, and a value out of range.
    """
    if scale not in paper.scales:
        raise unknown(f"scale={scale!r}", scale, paper.scales, paper.slug)
    preset = {"scale": scale, **DEFAULTS, **paper.scales[scale]}
    for name in given:
        if name not in preset:
            raise unknown(f"parameter {name!r}", name, preset, paper.slug)
    chosen = {name: value for name, value in given.items() if value is not None and name != "scale"}
    values = {name: _typed(name, value, _example(paper, scale, name, preset)) for name, value in chosen.items()}
    for name, value in values.items():
        trusted = set().union(*(rules.texts(row.get(name)) for row in paper.scales.values()))
        rules.check_value(name, value, rule_of(paper, name), trusted)
    return preset | values


def injected_names(namespace: Mapping[str, Any]) -> set[str]:
    """Names that a notebook's parameters cell, or the cell that papermill adds behind it, has set.

    namespace: the notebook's `globals()`, in which IPython keeps the sources of the cells that ran, as `In`. Those two
    cells are known by papermill's comment, `# Parameters`, and by setting both `scale` and `seeds`.
    """
    names: set[str] = set()
    for source in namespace.get("In", ()):
        found = set(_assigned(source)) if isinstance(source, str) else set()
        if {"scale", "seeds"} <= found or (isinstance(source, str) and source.startswith("# Parameters\n")):
            names |= found
    return names


def _assigned(source: str) -> Iterator[str]:
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a cell of another kind: shell, magic
        return
    for node in body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _example(paper: Paper, scale: str, name: str, preset: Mapping[str, Any]) -> Any:
    """A value of the type that is wanted: the preset's, or another scale's where this one has None."""
    others = [preset[name], *(row.get(name) for row in paper.scales.values())]
    return next((value for value in others if value is not None), None)


def _typed(name: str, value: Any, preset: Any) -> Any:
    """The value as the preset's type, or ValueError; tuples become lists and NumPy scalars numbers, as in JSON."""
    value = value.item() if isinstance(value, np.generic) else value
    value = list(value) if isinstance(value, tuple) else value
    if isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"parameter {name}={value} must be finite")
    if preset is None:
        return value
    if isinstance(preset, float) and type(value) is int:
        return float(value)
    if type(value) is not type(preset):
        raise ValueError(
            f"parameter {name}={value!r} is of type {type(value).__name__}; "
            f"{type(preset).__name__} is wanted, such as {preset!r}"
        )
    if isinstance(preset, list) and preset:
        return [_typed(f"{name}[{i}]", item, preset[0]) for i, item in enumerate(value)]
    return value
