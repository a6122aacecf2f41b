"""What a value of a parameter must be: ranges and choices by the parameter's name, or as a paper states them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodidact.claims.names import unknown

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
    "unended": {"choices": ["open", "closed", "dropped"]},  # what becomes of an answer cut at its token limit
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


def rule_of(own: Mapping[str, Rule] | None, name: str) -> Rule:
    """The range or the choices of a parameter: its own of a paper.yaml, else that of the longest ending of its name."""
    if own and name in own:
        return own[name]
    words = name.split("_")
    endings = ("_".join(words[i:]) for i in range(len(words)))
    return next((RULES[ending] for ending in endings if ending in RULES), {})


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
