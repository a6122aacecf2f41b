"""Train the base models that a paper's runs need, each once: `python -m autodidact.prepare --paper sppo`."""

import argparse
import json

from autodidact.bases import load_policy
from autodidact.claims import load_paper, resolve
from autodidact.environments import load_world
from autodidact.models.tiny import base_of
from autodidact.vision.load import load_vision_policy
from autodidact.vision.sight import sight_of


def bases(parameters: dict) -> list[tuple[str, str]]:
    """(model, world) of every model that a row of parameters names.

    A model stands under `model` (or `<name>_model`), its world under `world` (`<name>_world`).
    """
    names = [key for key in parameters if key == "model" or key.endswith("_model")]
    found = [(parameters[key], parameters.get(f"{key.removesuffix('model')}world")) for key in names]
    return list(dict.fromkeys(found))


def prepare(parameters: dict, seeds: list[int]) -> list[str]:
    """Load, and so train and cache where needed, every base model of the parameters for every seed.

    Policies see where the parameters have a `tower`, the vision tower of the tiny one.
    """
    made = []
    for model, world in bases(parameters):
        where = load_world(world) if model == "tiny" else None
        for seed in seeds if model == "tiny" else seeds[:1]:
            if "tower" in parameters:
                policy = load_vision_policy(model, where, seed=seed, base=sight_of(parameters))
            else:
                policy = load_policy(model, where, seed=seed, base=base_of(parameters))
            made.append(f"{policy.name} {world if model == 'tiny' else ''} seed {seed}".strip())
    return made


def main() -> None:
    """Command line: --paper, --scale, --seeds, and --given with JSON parameters that override the preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paper", required=True)
    parser.add_argument("--scale", default="toy")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--given", type=json.loads, default={})
    options = parser.parse_args()
    parameters = resolve(load_paper(options.paper), options.scale, options.given)
    print("\n".join(prepare(parameters, options.seeds)))


if __name__ == "__main__":
    main()
