"""Where a notebook's time goes: wrappers around what it calls, each second counted for the innermost of them.

A first cell calls `install()`, a last one `write(path)`.
"""

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STAGES = {
    "base": [("autodidact.models", "load_policy")],
    "sampling": [("autodidact.models.policy.Policy", "generate"), ("autodidact.samplers", "sample")],
    "training": [("autodidact.training", "train_preferences"), ("autodidact.training", "train_supervised")],
}
seconds: dict[str, float] = {}
_open: list[list] = []  # [stage, when it last went on] of every wrapper that is running, innermost last
_started = time.perf_counter()


def install() -> None:
    """Import what notebooks import, timed as `import`, and wrap the functions of `STAGES` where they are looked up."""
    global _started
    _started = time.perf_counter()
    _timed("import", _import)()
    for stage, places in STAGES.items():
        for owner, name in places:
            target = _resolve(owner)
            setattr(target, name, _timed(stage, getattr(target, name)))


def write(path: str | Path) -> None:
    """Write the seconds of every stage as JSON; `evaluation` is all that no wrapper saw."""
    total = time.perf_counter() - _started
    result = {**seconds, "evaluation": total - sum(seconds.values()), "total": total}
    Path(path).write_text(json.dumps(result))


def _import() -> None:
    import trl  # noqa: F401 (TRL imports its trainers when they are first asked for)
    from trl import DPOTrainer, SFTTrainer  # noqa: F401

    import autodidact.claims
    import autodidact.environments  # noqa: F401
    import autodidact.models
    import autodidact.samplers
    import autodidact.training  # noqa: F401


def _timed(stage: str, function: Callable) -> Callable:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        _pause()
        _open.append([stage, time.perf_counter()])
        try:
            return function(*args, **kwargs)
        finally:
            _pause()
            _open.pop()
            if _open:
                _open[-1][1] = time.perf_counter()

    return wrapper


def _pause() -> None:
    """Credit the innermost running stage with the time since it last went on."""
    if _open:
        stage, since = _open[-1]
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - since


def _resolve(dotted: str) -> Any:
    """A module or a class by its dotted name."""
    import importlib

    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(module), name)
