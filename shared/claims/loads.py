"""Can what a parameter names be loaded? Models and worlds, looked for before any work begins."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autodidact.claims.names import unknown

MODELS = ("tiny", "smollm2")
HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def check_model(name: str, value: str) -> None:
    """Raise ValueError unless the parameter `name` names a model: one of ours, a folder with one, or a hub name.

    A hub name is taken as it is where the hub can be asked; where HF_HUB_OFFLINE forbids that, it must be in the cache.
    """
    if value in MODELS:
        return
    if value and Path(value).is_dir():
        if not (Path(value) / "config.json").is_file():
            raise ValueError(f"parameter {name}={value!r} is a folder without config.json, so there is no model in it")
        return
    if not HUB.fullmatch(value):
        others = "a folder that exists, or a hub name owner/name"
        raise ValueError(f"{unknown(f'parameter {name}={value!r}', value, MODELS)}, {others}")
    if not _reachable(value):
        raise ValueError(f"parameter {name}={value!r} is not in the hub's cache, and HF_HUB_OFFLINE forbids to ask")


def check_world(name: str, value: str, folder: str = "", offers: Iterable[str] = ()) -> None:
    """Raise ValueError unless the parameter `name` names a world that loads and has the methods `offers`.

    folder: in front of the value, for a parameter that names presets of one world.
    """
    if not value:
        raise ValueError(f"parameter {name}='' must name a world")
    world = _world(name, value, f"{folder}/{value}" if folder else value)
    missing = [method for method in offers if not hasattr(world, method)]
    if missing:
        raise ValueError(f"parameter {name}={value!r} is a world of another kind: it has no {', '.join(missing)}")


def check_tiny(row: Mapping[str, Any], presets: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError where a tiny model, whose tokens are its world's words, stands beside a world without words.

    What stands under `model` (`cycle_model`) goes with what stands under `world` (`cycle_world`). presets: the rows of
    the paper, whose own pairs are right.
    """
    for name in row:
        where = f"{name.removesuffix('model')}world"
        if not (name == "model" or name.endswith("_model")) or row[name] != "tiny" or where not in row:
            continue
        known = [preset[where] for preset in presets if preset[name] == "tiny"]
        if row[where] in known or not any(hasattr(_world(where, one, one), "vocabulary") for one in known):
            continue
        if not hasattr(_world(where, row[where], row[where]), "vocabulary"):
            raise ValueError(f"parameter {where}={row[where]!r} has no vocabulary, which {name}='tiny' needs")


def _world(name: str, value: str, full: str) -> object:
    from autodidact.environments import load_world

    try:
        return load_world(full)
    except (ValueError, OSError, ImportError) as error:
        raise ValueError(f"parameter {name}={value!r}: {' '.join(str(error).split())}") from None


def _reachable(name: str) -> bool:
    from huggingface_hub import constants, try_to_load_from_cache

    return not constants.HF_HUB_OFFLINE or isinstance(try_to_load_from_cache(name, "config.json"), str | os.PathLike)
