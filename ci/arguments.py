"""What a person types, checked before anything runs: papers, scale, seeds and parameters."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autodidact.claims import load_paper, papers_folder, resolve, rule_of
from autodidact.claims.rules import MOST_SEEDS
from autodidact.claims.strict_yaml import parse_yaml
from ci.form import cells_of

TYPED, RAW, YAML = ("-p", "--parameters"), ("-r", "--parameters_raw"), ("-y", "--parameters_yaml")
WORDS = {"True": True, "False": False, "None": None}
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
    """Parameters as papermill takes them: `-p name value`, `-r name value` (a string), `-y '{name: value}'` (YAML).

    What is typed means here what it means there. Raises ValueError for another option, a value that is missing, a list
    or mapping behind `-p` (papermill makes a string of it), and a name that is given twice or has its own place.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"ARGS={text!r} cannot be read: {error}") from None
    given: dict[str, Any] = {}
    while words:
        option, *words = words
        wanted = 1 if option in YAML else 2
        if option not in TYPED + RAW + YAML:
            known = "-p NAME VALUE, -r NAME VALUE or -y '{NAME: VALUE}'"
            raise ValueError(f"ARGS={text!r}: {option!r} is no option; give {known}")
        if len(words) < wanted:
            raise ValueError(f"ARGS={text!r}: {option} needs {'a name and a value' if wanted == 2 else 'a mapping'}")
        new = _parameters(option, *words[:wanted])
        words = words[wanted:]
        for name in new:
            if name in OWN:
                raise ValueError(f"ARGS={text!r}: parameter {name!r} is set by {OWN[name]}=")
            if name in given:
                raise ValueError(f"ARGS={text!r}: parameter {name!r} is given more than once")
        given |= new
    return given


def _parameters(option: str, *words: str) -> dict[str, Any]:
    """The parameters of one option: a name and a value, or a mapping as YAML."""
    if option in YAML:
        read = parse_yaml(words[0], f"{option} {words[0]!r}")
        if not isinstance(read, dict) or not all(isinstance(name, str) for name in read):
            raise ValueError(f"{option} {words[0]!r} must be a mapping of names, such as '{{noise: [0.0, 0.2]}}'")
        return read
    name, text = words
    if option in RAW:
        return {name: text}
    if text.startswith(("[", "{")):
        raise ValueError(f"parameter {name}: -p takes no list or mapping, {text!r}; give -y '{{{name}: {text}}}'")
    return {name: scalar(text)}


def scalar(text: str) -> Any:
    """A word as papermill's `-p` reads it: True, False, None, an int or float of Python's, else a string."""
    if text in WORDS:
        return WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def value(name: str, text: str) -> Any:
    """A value of a grid: a list or mapping is read as YAML, any other word as behind `-p`."""
    return parse_yaml(text, f"parameter {name}: {text!r}") if text.startswith(("[", "{")) else scalar(text)


def check(slugs: Sequence[str], scale: str, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters of every paper as they resolve at this scale.

    Raises ValueError in one line for an unknown scale or parameter and for a wrong value, for a model's folder by a
    path that is another one seen from a notebook's folder, and for a notebook whose own values would stand.
    """
    papers = {slug: load_paper(slug) for slug in slugs}
    resolved = {slug: resolve(paper, scale, given) for slug, paper in papers.items()}
    for slug, paper in papers.items():
        for name, chosen in given.items():
            if rule_of(paper, name).get("is") == "model" and isinstance(chosen, str) and Path(chosen).is_dir():
                _check_absolute(name, Path(chosen))
        _check_tag(papers_folder() / slug / f"{slug}.ipynb")
    return resolved


def _check_absolute(name: str, folder: Path) -> None:
    if not folder.is_absolute():
        raise ValueError(
            f"parameter {name}={str(folder)!r} is a folder seen from here, but a notebook runs in its own; "
            f"give its whole path, {str(folder.resolve())!r}"
        )


def _check_tag(notebook: Path) -> None:
    """papermill puts what is given behind the tagged cell; without a tag the notebook's own values undo it."""
    try:
        tagged = sum("parameters" in cell["metadata"].get("tags", ()) for cell in cells_of(notebook))
    except (ValueError, KeyError, TypeError):
        return  # no notebook at all: its run fails and says so, the others go on
    if tagged != 1:
        raise ValueError(f"{notebook.parent.name}/{notebook.name}: {tagged} cells are tagged `parameters`, must be 1")


def near(name: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: `; did you mean 'beta'?`, or what is known."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def whole(name: str, text: str | int, least: int = 1) -> int:
    """A whole number of at least `least`, or ValueError that names it."""
    if not str(text).isdecimal() or int(text) < least:
        raise ValueError(f"{name}={text!r} must be a whole number, {least} or greater")
    return int(text)
