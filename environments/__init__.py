"""The worlds: everything with a ground truth. `load_world` finds one by the name that a notebook's presets use."""

from importlib import import_module
from pathlib import Path

_GUESTS = {
    "ifeval": "instructions",
    "sentences": "instructions",
    "gsm8k": "arithmetic",
    "plain-programs": "programs",
}  # worlds that live in another's folder


def load_world(name: str) -> object:
    """The world that `name` means: a folder's name, or name and preset as in "instructions/plateau".

    The folder's `WORLDS` maps the name to a class whose `preset` makes the world, so that a new world alters nothing
    here. Raises ValueError that lists the known names; an unknown preset is named by the world itself.
    """
    world, _, preset = str(name).partition("/")
    folder = _GUESTS.get(world, world)
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")}
    worlds = getattr(import_module(f"{__name__}.{folder}"), "WORLDS", {}) if folder in folders else {}
    if world not in worlds:
        known = ", ".join(sorted(folders | set(_GUESTS)))
        raise ValueError(f"world={name!r} is unknown; known are {known}, each with an optional /preset")
    return worlds[world].preset(preset or "default")
