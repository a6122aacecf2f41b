"""What a paper claims and what each scale uses: `paper.yaml`, read once, checked, and resolved into parameters."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from autodidact.claims import schemas

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = {"seed": 0, "seeds": 10}
_RESERVED = {"scale", "seed", "seeds"}


@dataclass(frozen=True)
class Claim:
    """One falsifiable sentence of a paper and how it is tested; `margin` is None for a difference."""

    id: str
    says: str
    measures: str
    unit: str
    treatment: str
    control: str
    test: str
    expects: str
    role: str
    reported: str
    margin: float | None = None
    replicate: str = "seed"


@dataclass(frozen=True)
class Paper:
    """A checked `paper.yaml`. Its keys are attributes: `title`, `authors`, `year`, `summary`, `compare` and so on."""

    data: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("data", {})
        if name in data or name in schemas.PAPER["properties"]:
            return data.get(name)
        raise AttributeError(f"paper.yaml has no field {name!r}; its fields are {', '.join(data)}")

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims in the order of the file."""
        return tuple(Claim(**claim) for claim in self.data["claims"])

    @property
    def scales(self) -> Mapping[str, Mapping[str, Any]]:
        """The preset of each scale: parameter name to value."""
        return self.data["scales"]


def papers_folder() -> Path:
    """The folder of all papers: the environment's AUTODIDACT_PAPERS, or `papers` beside this package's folder."""
    return Path(os.environ.get("AUTODIDACT_PAPERS") or ROOT / "papers")


def load_paper(slug: str) -> Paper:
    """Read and check `<papers>/<slug>/paper.yaml`.

    Raises ValueError, in one line that names the file and the field, if there is no such paper or the file is wrong.
    """
    path = papers_folder() / slug / "paper.yaml"
    if not re.fullmatch(r"[a-z0-9-]+", slug) or not path.is_file():
        known = sorted(p.parent.name for p in papers_folder().glob("*/paper.yaml"))
        raise ValueError(f"paper {slug!r} is unknown; known are {', '.join(known) or 'none'}")
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{slug}/paper.yaml is not YAML: {' '.join(str(error).split())}") from None
    schemas.check(data, schemas.PAPER, f"{slug}/paper.yaml")
    _check_consistency(data, slug)
    return Paper(data)


def parameter_names(paper: Paper) -> tuple[str, ...]:
    """Every parameter that a run of the paper takes: scale, seed, seeds and the names of its presets."""
    return ("scale", "seed", "seeds", *(k for k in paper.scales["toy"] if k not in _RESERVED))


def resolve(paper: Paper, scale: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a run: the scale's preset, overruled by whatever in `given` is not None.

    A value has the type of its preset value (an int may stand for a float; a preset of None takes anything). Raises
    ValueError in one line for an unknown scale or parameter, a wrong type, and a seed range that is empty.
    """
    if scale not in paper.scales:
        raise ValueError(f"scale={scale!r} is unknown to {paper.slug}; known are {', '.join(paper.scales)}")
    preset = {"scale": scale, **DEFAULTS, **paper.scales[scale]}
    unknown = [name for name in given if name not in preset]
    if unknown:
        raise ValueError(f"parameter {unknown[0]!r} is unknown to {paper.slug}; known are {', '.join(preset)}")
    chosen = {name: value for name, value in given.items() if value is not None and name != "scale"}
    values = preset | {name: _typed(name, value, preset[name]) for name, value in chosen.items()}
    if values["seed"] < 0:
        raise ValueError(f"seed={values['seed']} must be 0 or greater")
    if values["seeds"] < 1:
        raise ValueError(f"seeds={values['seeds']} must be 1 or greater: the seed range is empty")
    return values


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


def _check_consistency(data: Mapping[str, Any], slug: str) -> None:
    """What a schema cannot say: the folder's name, unique ids, the same parameters in every scale."""
    where = f"{slug}/paper.yaml"
    if data["slug"] != slug:
        raise ValueError(f"{where}: slug: is {data['slug']!r}, must be the folder's name {slug!r}")
    ids = [claim["id"] for claim in data["claims"]]
    for repeated in {i for i in ids if ids.count(i) > 1}:
        raise ValueError(f"{where}: claims: the id {repeated!r} occurs more than once")
    names = set(data["scales"]["toy"])
    for scale, preset in data["scales"].items():
        for name in sorted(names ^ set(preset)):
            raise ValueError(f"{where}: scales.{scale}: parameter {name!r} must stand in every scale or in none")


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 5e-7 as a number; YAML 1.1 would make it a string for want of a dot."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)
