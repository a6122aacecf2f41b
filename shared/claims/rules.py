"""What a value of a parameter must be: ranges and choices by the parameter's name, or as a paper states them."""

import math
import re
from collections.abc import Mapping
from typing import Any

from autodidact.claims.loads import check_model, check_world
from autodidact.claims.names import unknown

Rule = Mapping[str, Any]

MOST_SEEDS = 10_000
MOST_THREADS = 1_024

_COUNT, _POSITIVE, _SHARE = {"at_least": 1}, {"above": 0}, {"at_least": 0, "at_most": 1}
_COUNTED = [
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
    "seeds": {"at_least": 1, "at_most": MOST_SEEDS},
    "threads": {"at_least": 1, "at_most": MOST_THREADS},
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


def check_row(row: Mapping[str, Any], own: Mapping[str, Rule] | None, trusted: Mapping[str, set[str]]) -> None:
    """Raise ValueError for the first parameter of a row, name to value, that does not keep to its rule.

    A rule may name another parameter of the row: as a bound, or as the list `among` whose entries a value must be.
    trusted: by parameter, names of models and worlds that are known to be right, those of the presets.
    """
    for name, value in row.items():
        rule = rule_of(own, name)
        named = {bound: row[limit] for bound, limit in rule.items() if bound in _BOUNDS and isinstance(limit, str)}
        check_value(name, value, {**rule, **named}, trusted.get(name, frozenset()))
        if "among" in rule and value is not None and value not in row[rule["among"]]:
            other = rule["among"]
            raise ValueError(f"parameter {name}={value!r} must be one of the entries of {other}={row[other]!r}")


def check_value(name: str, value: Any, rule: Rule, trusted: set[str] | frozenset[str] = frozenset()) -> None:
    """Raise ValueError unless a value, or every entry of a list and field of a mapping, keeps to its rule; None passes.

    trusted: names of models and worlds that are known to be right, those of the presets.
    """
    if isinstance(value, list):
        for i, item in enumerate(value):
            check_value(f"{name}[{i}]", item, rule, trusted)
        _check_entries(name, value, rule)
    elif isinstance(value, Mapping):
        for field, item in value.items():
            check_value(f"{name}.{field}", item, rule_of(rule.get("fields"), str(field)))
    elif value is not None:
        _check_one(name, value, rule, trusted)


def texts(value: Any) -> set[str]:
    """The strings of a preset's value: models and worlds that need not be looked for, a run that loads them will."""
    return {item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)}


def _check_entries(name: str, value: list, rule: Rule) -> None:
    """What a rule asks of a list as a whole: `entries`, how many (else one or more), `rising`, `distinct`."""
    for bound, limit in rule.get("entries", {"at_least": 1}).items():
        holds, words = _BOUNDS[bound]
        if not holds(len(value), limit):
            raise ValueError(f"parameter {name}={value!r}: the number of entries must be {words} {limit}")
    if rule.get("rising") and any(a > b for a, b in zip(value, value[1:], strict=False)):
        raise ValueError(f"parameter {name}={value!r} must not fall from one entry to the next")
    if rule.get("distinct") and any(item in value[:i] for i, item in enumerate(value)):
        raise ValueError(f"parameter {name}={value!r} must not have an entry twice")


def _check_one(name: str, value: Any, rule: Rule, trusted: set[str] | frozenset[str]) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"parameter {name}={value} must be finite")
    for bound, (holds, words) in _BOUNDS.items():
        if rule.get(bound) is not None and not (type(value) in (int, float) and holds(value, rule[bound])):
            raise ValueError(f"parameter {name}={value!r} must be {words} {rule[bound]}")
    if "choices" in rule and value not in rule["choices"]:
        raise unknown(f"parameter {name}={value!r}", value, map(str, rule["choices"]))
    kind = rule.get("is")
    if kind == "model" and value not in trusted:
        check_model(name, value)
    if kind == "world" and value not in trusted:
        check_world(name, value, rule.get("of", ""), rule.get("offers", ()))
    if kind == "pattern":
        _check_pattern(name, value)


def _check_pattern(name: str, value: str) -> None:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"parameter {name}={value!r} is no regular expression: {error}") from None
