"""One look per method: its colour, line and marker are the same in every figure of every notebook.

Colours are those of Okabe and Ito (2008), which people with any common colour blindness tell apart; methods that no one
has listed yet get one of Tol's "muted" colours, chosen by a hash of the name, so that they too keep it.
"""

import hashlib
from typing import TypedDict

BLACK, GREY = "#000000", "#555555"
BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
ORANGE, VERMILLION, PURPLE = "#E69F00", "#D55E00", "#CC79A7"
INDIGO, TEAL, OLIVE, WINE, SAND = "#332288", "#44AA99", "#999933", "#882255", "#B09A4A"

METHOD_COLOURS: dict[str, str] = {
    "base": GREY, "truth": BLACK, "data": BLACK, "oracle": BLACK,
    "sppo": BLUE, "dpo": VERMILLION, "ipo": ORANGE, "hinge": PURPLE, "spin": GREEN, "sft": SKY,
    "sppo linearised": INDIGO, "sppo hard": TEAL, "exponential weights": INDIGO,
    "bradley-terry": WINE, "temperature": OLIVE, "best-of-n": SAND,
    "shuffled": GREY, "swapped": WINE, "cut": OLIVE, "control": GREY,
    "standard": VERMILLION, "random": GREY, "pimp": BLUE, "fresh ideal": ORANGE, "exact": BLACK,
    "spo": BLUE, "reward model": VERMILLION, "true reward": BLACK, "curated": BLUE, "uncurated": GREY,
    "novelty": ORANGE, "style": GREEN, "novelty + style": BLUE, "imitation": PURPLE,
    "cream": BLUE, "self-rewarding": ORANGE, "instilled": ORANGE, "trained": BLUE,
    "step-dpo": BLUE, "rain": BLUE, "vanilla": GREY, "proposal": ORANGE,
    "dstc": BLUE, "naive": VERMILLION, "minimax": GREEN, "stic": BLUE,
}  # fmt: skip
METHOD_LINES: dict[str, str] = {
    "base": ":", "truth": ":", "data": "-.", "oracle": "--", "shuffled": "--", "swapped": "--", "cut": "-.",
    "control": "--", "temperature": "-.", "random": "--", "uncurated": "--", "exact": ":", "true reward": ":",
    "vanilla": ":", "proposal": "--",
}  # fmt: skip
METHOD_MARKERS: dict[str, str] = {
    "base": "x", "truth": "+", "data": "+", "oracle": "*", "sppo": "o", "dpo": "s", "ipo": "^", "hinge": "v",
    "spin": "D", "sft": "P", "sppo linearised": "<", "sppo hard": ">", "exponential weights": "h",
    "bradley-terry": "X", "temperature": "d", "best-of-n": "p", "shuffled": "X", "swapped": "v", "cut": ">",
    "control": "8", "standard": "o", "random": "x", "pimp": "s", "fresh ideal": "o", "exact": "x", "spo": "^",
    "reward model": "^", "true reward": "*", "curated": "v", "uncurated": "o", "novelty": "s", "style": "o",
    "novelty + style": "D", "imitation": "P", "cream": "P", "self-rewarding": "D", "instilled": "v", "trained": "X",
    "step-dpo": "<", "rain": "h", "vanilla": "s", "proposal": "P",
    "dstc": ">", "naive": "D", "minimax": "s", "stic": "p",
}  # fmt: skip
_COLOURS = (INDIGO, TEAL, OLIVE, WINE, SAND)
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "h", "p")


class Style(TypedDict):
    """What matplotlib's `plot` takes to draw a method."""

    color: str
    linestyle: str
    marker: str


def method_style(name: str) -> Style:
    """Colour, line and marker of a method; case and surrounding blanks do not matter.

    A variant of a listed method, such as "sppo, K = 2" or "dpo (beta 0.5)", has the method's colour and a line and a
    marker of its own; any other name has all three from a hash of the name. Raises ValueError for an empty name.
    """
    key = name.strip().lower()
    if not key:
        raise ValueError("name of a method is empty: it must be a word such as 'sppo'")
    parent = next((m for m in sorted(METHOD_COLOURS, key=len, reverse=True) if _is_variant(key, m)), None)
    code = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    colour, code = _pick(_COLOURS, code)
    line, code = _pick(_LINES if parent is None else _LINES[1:], code)
    marker, _ = _pick(_MARKERS, code)
    if key == parent:
        line, marker = METHOD_LINES.get(key, "-"), METHOD_MARKERS[key]
    return Style(color=METHOD_COLOURS.get(parent, colour), linestyle=line, marker=marker)


def _is_variant(name: str, method: str) -> bool:
    return name.startswith(method) and not name[len(method) : len(method) + 1].isalnum()


def _pick(options: tuple[str, ...], code: int) -> tuple[str, int]:
    return options[code % len(options)], code // len(options)
