"""Parameters of a run: the preset of a scale, what is given on top, and the checks that come before any work."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.claims.names import unknown

if TYPE_CHECKING:
    from autodidact.claims.paper import Paper

DEFAULTS = {"seed": 0, "seeds": 10}
RESERVED = {"scale", "seed", "seeds"}
MODELS = ("tiny", "smollm2")
Rule = Mapping[str, Any]

_COUNT, _POSITIVE, _SHARE = {"at_least": 1}, {"above": 0}, {"at_least": 0, "at_most": 1}
_COUNTED = [
    "seeds",
    "threads",
    "steps",
    "rounds",
    "epochs",
    "generations",
    "prompts",
    "responses",
    "samples",
    "examples",
    "demonstrations",
    "contexts",
    "pairs",
    "heldout",
    "candidates",
    "codes",
    "tests",
    "batch",
    "batch_size",
    "gradient_accumulation",
    "tokens",
    "top_k",
    "lora_rank",
    "population",
    "tournament",
    "horizon",
    "queue",
    "hidden",
    "width",
    "layers",
    "checkpoints",
    "resamples",
]
# The rule of a name holds of every parameter that ends so: of `steps` also of `base_steps`. A paper's own rule, in its
# paper.yaml under `parameters`, stands in place of it.
RULES: dict[str, Rule] = {
    "seed": {"at_least": 0},
    **dict.fromkeys(_COUNTED, _COUNT),
    **dict.fromkeys(["learning_rate", "beta", "temperature", "eta"], _POSITIVE),
    **dict.fromkeys(["crossover", "mutation", "warmup", "probability", "share"], _SHARE),
    "top_p": {"above": 0, "at_most": 1},
    "model": {"is": "model"},
    "world": {"is": "world"},
}
_BOUNDS = {
    "at_least": (lambda x, bound: x >= bound, "at least"),
    "above": (lambda x, bound: x > bound, "greater than"),
    "at_most": (lambda x, bound: x <= bound, "at most"),
    "below": (lambda x, bound: x < bound, "less than"),
}


def parameter_names(paper: "Paper") -> tuple[str, ...]:
    """Every parameter that a run of the paper takes: scale, seed, seeds and the names of its presets."""
    return ("scale", "seed", "seeds", *(k for k in paper.scales["toy"] if k not in RESERVED))


def rule_of(paper: "Paper", name: str) -> Rule:
    """The range or the choices of a parameter: the paper's own, else that of the longest ending of its name."""
    own = (paper.data.get("parameters") or {}).get(name)
    if own is not None:
        return own
    words = name.split("_")
    endings = ("_".join(words[i:]) for i in range(len(words)))
    return next((RULES[ending] for ending in endings if ending in RULES), {})


def resolve(paper: "Paper", scale: str, given: Mapping[str, Any]) -> dict[str, Any]:
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
        check_value(
            name, value, rule_of(paper, name), set().union(*(texts(row.get(name)) for row in paper.scales.values()))
        )
    return preset | values


def check_value(name: str, value: Any, rule: Rule, trusted: set[str] = frozenset()) -> None:
    """Raise ValueError unless a value, or every entry of a list, keeps to its rule; None and mappings pass.

    trusted: names of models and worlds that are known to be right, those of the presets.
    """
    if isinstance(value, list):
        for i, item in enumerate(value):
            check_value(f"{name}[{i}]", item, rule, trusted)
        return
    if value is None or isinstance(value, Mapping):
        return
    for bound, (holds, words) in _BOUNDS.items():
        if bound in rule and not (type(value) in (int, float) and holds(value, rule[bound])):
            raise ValueError(f"parameter {name}={value!r} must be {words} {rule[bound]}")
    if "choices" in rule and value not in rule["choices"]:
        raise unknown(f"parameter {name}={value!r}", value, map(str, rule["choices"]))
    if rule.get("is") == "model" and value not in trusted:
        _check_model(name, value)
    if rule.get("is") == "world" and value not in trusted:
        _check_world(name, value, rule.get("of", ""))


def texts(value: Any) -> set[str]:
    """The strings of a preset's value: models and worlds that need not be looked for, a run that loads them will."""
    return {item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)}


def _check_model(name: str, value: str) -> None:
    hub = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
    if value in MODELS or Path(value).is_dir() or re.fullmatch(hub, value):
        return
    others = "a folder that exists, or a hub name owner/name"
    raise ValueError(f"{unknown(f'parameter {name}={value!r}', value, MODELS)}, {others}")


def _check_world(name: str, value: str, folder: str) -> None:
    from autodidact.environments import load_world

    try:
        load_world(f"{folder}/{value}" if folder else value)
    except ValueError as error:
        raise ValueError(f"parameter {name}={value!r}: {error}") from None


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


def _example(paper: "Paper", scale: str, name: str, preset: Mapping[str, Any]) -> Any:
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
