"""The worlds: everything with a ground truth. `load_world` finds one by the name that a notebook's presets use."""

from importlib import import_module

_MAKERS = {
    "instructions": ("environments.instructions", "Instructions", "preset"),
    "ifeval": ("environments.instructions", "InstructionsIFEval", "preset"),
    "gsm8k": ("environments.arithmetic", "GSM8K", "preset"),
}


def load_world(name: str) -> object:
    """The world that `name` means: a module's name, or name and preset as in "instructions/plateau".

    Raises ValueError that lists the known names; an unknown preset is named by the world itself.
    """
    module, _, preset = str(name).partition("/")
    if module not in _MAKERS:
        raise ValueError(f"world={name!r} is unknown; known are {', '.join(_MAKERS)}, each with an optional /preset")
    path, cls, maker = _MAKERS[module]
    return getattr(getattr(import_module(path), cls), maker)(preset or "default")
