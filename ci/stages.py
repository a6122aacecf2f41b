"""Where a notebook's CPU seconds go: wrappers around what it calls, each second counted for the innermost of them.

A first cell calls `install()`, a last one `write(path)`. Before every cell whatever the cells before it have loaded is
wrapped, wherever it is looked up. Training a base counts as `base`, whatever it calls.
"""

import builtins
import functools
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PACKAGE = "autodidact."
FUNCTIONS = {
    "base": ("load_policy", "load_vision_policy", "load_chooser"),
    "sampling": ("sample", "tree_search", "continue_answers"),
    "training": (
        "train_preferences", "train_supervised", "train_second_choice", "train_kto", "train_after",
        "train_flow", "train_classifier", "teach",
    ),
}  # fmt: skip
METHODS = {
    "sampling": ("generate",),
    "log-probabilities": ("logprobs", "sequence_logprobs"),
    "scoring": ("score", "scores", "prefer", "step_correct"),
}
OPAQUE = "base"  # what is called within it counts for it
STAGES = ("start", "import", "base", "sampling", "training", "log-probabilities", "scoring", "rest", "total")
_STAGE_OF = {name: stage for stage, names in FUNCTIONS.items() for name in names}
_STAGE_OF_METHOD = {name: stage for stage, names in METHODS.items() for name in names}
seconds: dict[str, float] = {}
_open: list[list] = []  # [stage, when it last went on] of every wrapper that is running, innermost last
_wrapped: dict[int, tuple[Any, Callable]] = {}  # id of a function: itself, so that it lives on, and its wrapper


def cpu() -> float:
    """CPU seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def install() -> None:
    """Count every import as `import`, and wrap before each cell what is loaded by then."""
    seconds["start"] = cpu()
    builtins.__import__ = _timed("import", builtins.__import__)
    shell = sys.modules["IPython"].get_ipython()
    shell.events.register("pre_run_cell", lambda *_: wrap(shell.user_ns))


def wrap(namespace: dict[str, Any]) -> None:
    """Put wrappers in place of the functions and methods of this package that are loaded, also in `namespace`."""
    modules = [vars(module) for name, module in list(sys.modules.items()) if name.startswith(PACKAGE)]
    for names in (*modules, namespace):
        for name, value in list(names.items()):
            if isinstance(value, type) and value.__module__.startswith(PACKAGE):
                _wrap_methods(value)
            elif name in _STAGE_OF and _ours(value):
                names[name] = _wrapper(_STAGE_OF[name], value)


def result() -> dict[str, float]:
    """CPU seconds of every stage of `STAGES`; `rest` is all that no wrapper saw."""
    total = cpu()
    found = {stage: seconds.get(stage, 0.0) for stage in STAGES[:-2]}
    return {**found, "rest": total - sum(found.values()), "total": total}


def write(path: str | Path) -> None:
    """Write `result()` as JSON."""
    Path(path).write_text(json.dumps(result()))


def _wrap_methods(owner: type) -> None:
    methods: Mapping[str, Any] = vars(owner)
    for name, stage in _STAGE_OF_METHOD.items():
        if _ours(methods.get(name)):
            setattr(owner, name, _wrapper(stage, methods[name]))


def _ours(value: Any) -> bool:
    """Whether a value is a function of this package that is not wrapped yet."""
    plain = callable(value) and getattr(value, "__module__", "") or ""
    return plain.startswith(PACKAGE) and hasattr(value, "__code__") and not hasattr(value, "__wrapped__")


def _wrapper(stage: str, function: Callable) -> Callable:
    if id(function) not in _wrapped:
        _wrapped[id(function)] = function, _timed(stage, function)
    return _wrapped[id(function)][1]


def _timed(stage: str, function: Callable) -> Callable:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if _open and (_open[-1][0] == stage or (stage != "import" and any(entry[0] == OPAQUE for entry in _open))):
            return function(*args, **kwargs)
        _pause()
        _open.append([stage, cpu()])
        try:
            return function(*args, **kwargs)
        finally:
            _pause()
            _open.pop()
            if _open:
                _open[-1][1] = cpu()

    return wrapper


def _pause() -> None:
    """Credit the innermost running stage with the time since it last went on."""
    if _open:
        stage, since = _open[-1]
        seconds[stage] = seconds.get(stage, 0.0) + cpu() - since
