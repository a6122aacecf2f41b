"""Parameters of a run: the preset of a scale, what is given on top, and the checks that come before any work."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodidact.claims import rules
from autodidact.claims.loads import check_tiny
from autodidact.claims.names import unknown
from autodidact.claims.paper import Paper

DEFAULTS = {"seed": 0, "seeds": 10}
RESERVED = {"scale", "seed", "seeds"}
INJECTED = "# Parameters\n"  # how papermill's cell begins


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
    rows = list(paper.scales.values())
    if scale not in paper.scales:
        raise unknown(f"scale={scale!r}", scale, paper.scales, paper.slug)
    preset = {"scale": scale, **DEFAULTS, **paper.scales[scale]}
    for name in given:
        if name not in preset:
            raise unknown(f"parameter {name!r}", name, preset, paper.slug)
    chosen = {name: value for name, value in given.items() if value is not None and name != "scale"}
    fields = {name: dict.fromkeys(rule_of(paper, name).get("fields", ())) or None for name in chosen}
    examples = {name: [preset[name], *(row.get(name) for row in rows), fields[name]] for name in chosen}
    row = preset | {name: _typed(name, value, *examples[name]) for name, value in chosen.items()}
    trusted = {name: set().union(*(rules.texts(value) for value in known)) for name, known in examples.items()}
    presets = {name: rules.texts(value) for name, value in preset.items() if name not in trusted}
    rules.check_row(row, paper.parameters, presets | trusted)
    check_tiny(row, rows)
    return row


def injected_names(namespace: Mapping[str, Any]) -> set[str]:
    """Names that a notebook's parameters cell, or the cell that papermill adds behind it, has set.

    namespace: the notebook's `globals()`, in which IPython keeps the sources of the cells that ran, as `In`. Those two
    cells are known by papermill's comment, `# Parameters`, and by setting both `scale` and `seeds`. Raises ValueError
    where papermill's stands above the other: it put it there for want of a tag, and what was given would be undone.
    """
    names: set[str] = set()
    own = injected = False
    for source in filter(lambda source: isinstance(source, str), namespace.get("In", ())):
        found = set(_assigned(source))
        if source.startswith(INJECTED):
            names, injected = names | found, True
        elif {"scale", "seeds"} <= found:
            if injected and not own:
                raise ValueError(
                    "what papermill was given stands above the cell that sets scale and seeds, which undoes it; "
                    "that cell must have the tag `parameters`"
                )
            names, own = names | found, True
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


def _typed(name: str, value: Any, *examples: Any) -> Any:
    """The value as the type of the first example that is not None, or ValueError; as in JSON.

    Tuples become lists, NumPy scalars numbers. A mapping has the fields that the examples have, those of all of them.
    """
    value = value.item() if isinstance(value, np.generic) else value
    value = list(value) if isinstance(value, tuple) else value
    example = next((example for example in examples if example is not None), None)
    if example is None:
        return value
    if isinstance(example, float) and type(value) is int:
        return _float(name, value)
    if type(value) is not type(example):
        raise ValueError(
            f"parameter {name}={value!r} is of type {type(value).__name__}; "
            f"{type(example).__name__} is wanted, such as {example!r}"
        )
    if isinstance(example, dict):
        return _typed_fields(name, value, [example for example in examples if isinstance(example, dict)])
    if isinstance(example, list) and example:
        return [_typed(f"{name}[{i}]", item, example[0]) for i, item in enumerate(value)]
    return value


def _typed_fields(name: str, value: dict[str, Any], examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    known = list(dict.fromkeys(field for example in examples for field in example))
    for field in value:
        if field not in known:
            raise unknown(f"field {field!r} of parameter {name}", field, known)
    for field in known:
        if field not in value and all(field in example for example in examples):
            raise ValueError(f"parameter {name}={value!r} must have the field {field!r}")
    return {k: _typed(f"{name}.{k}", item, *(example.get(k) for example in examples)) for k, item in value.items()}


def _float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"parameter {name} of {len(str(value))} digits must be finite") from None
