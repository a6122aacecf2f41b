"""What a person types, checked before anything runs: papers, scale, seeds and parameters."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from autodidact.claims import load_paper, papers_folder, resolve

TYPED, RAW = ("-p", "--parameters"), ("-r", "--parameters_raw")
MOST_SEEDS = 10_000
OWN = {"scale": "SCALE", "seed": "SEEDS", "seeds": "SEEDS"}


def all_papers() -> list[str]:
    """The slugs of every paper that has a notebook, sorted."""
    return sorted(p.parent.name for p in papers_folder().glob("*/*.ipynb") if p.stem == p.parent.name)


def parse_papers(text: str) -> list[str]:
    """Slugs separated by blanks or commas; none given means every paper.

    Raises ValueError for a paper without `paper.yaml` or without a notebook, and for one that is named twice.
    """
    slugs = text.replace(",", " ").split() or all_papers()
    if not slugs:
        raise ValueError(f"there are no papers in {papers_folder()}")
    for slug in slugs:
        load_paper(slug)
        if slug not in all_papers():
            raise ValueError(f"paper {slug!r} has no notebook {slug}/{slug}.ipynb")
    repeated = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if repeated:
        raise ValueError(f"PAPERS names {repeated[0]!r} more than once")
    return slugs


def parse_seeds(text: str) -> list[int]:
    """Seeds from `20` (0 to 19), `5-9`, `0,3,7` or a mixture such as `0-4,9`.

    Raises ValueError for an empty range, a repeated seed and anything that is not a whole number.
    """
    text = text.strip()
    if text.isdecimal():
        seeds = list(range(min(int(text), MOST_SEEDS + 1)))
    else:
        seeds = [seed for part in text.split(",") for seed in _seed_range(part.strip(), text)]
    if len(seeds) > MOST_SEEDS:
        raise ValueError(f"SEEDS={text!r} are more than {MOST_SEEDS}")
    if not seeds:
        raise ValueError(f"SEEDS={text!r} is empty; give a number such as 10, a range 5-9 or a list 0,3,7")
    repeated = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if repeated:
        raise ValueError(f"SEEDS={text!r} names seed {repeated[0]} more than once")
    return seeds


def _seed_range(part: str, text: str) -> range:
    first, dash, last = part.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise ValueError(f"SEEDS={text!r}: {part!r} is no seed; give a number such as 10, a range 5-9 or a list 0,3,7")
    seeds = range(int(first), int(last if dash else first) + 1)
    if not seeds:
        raise ValueError(f"SEEDS={text!r}: the range {part!r} is empty")
    return seeds[: MOST_SEEDS + 1]


def parse_parameters(text: str) -> dict[str, Any]:
    """Parameters as papermill takes them: `-p name value` (the value read as YAML) and `-r name value` (a string).

    Raises ValueError for another option, a value that is missing, and a name that is given twice or has its own place.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"ARGS={text!r} cannot be read: {error}") from None
    given: dict[str, Any] = {}
    while words:
        option, *rest = words
        if option not in TYPED + RAW:
            raise ValueError(f"ARGS={text!r}: {option!r} is no option; give -p NAME VALUE or -r NAME VALUE")
        if len(rest) < 2:
            raise ValueError(f"ARGS={text!r}: {option} needs a name and a value")
        name, word, *words = rest
        if name in OWN:
            raise ValueError(f"ARGS={text!r}: parameter {name!r} is set by {OWN[name]}=")
        if name in given:
            raise ValueError(f"ARGS={text!r}: parameter {name!r} is given more than once")
        given[name] = word if option in RAW else value(name, word)
    return given


def value(name: str, text: str) -> Any:
    """A value read as YAML, where 1e-3 is a number too."""
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"parameter {name}: {text!r} is not YAML") from None
    if isinstance(read, str):
        try:
            return float(read)
        except ValueError:
            return read
    return read


def check(slugs: Sequence[str], scale: str, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters of every paper as they resolve at this scale.

    Raises ValueError in one line for an unknown scale or parameter and for a value of the wrong type.
    """
    return {slug: resolve(load_paper(slug), scale, given) for slug in slugs}


def near(name: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: `; did you mean 'beta'?`, or what is known."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def whole(name: str, text: str | int, least: int = 1) -> int:
    """A whole number of at least `least`, or ValueError that names it."""
    if not str(text).isdecimal() or int(text) < least:
        raise ValueError(f"{name}={text!r} must be a whole number, {least} or greater")
    return int(text)
