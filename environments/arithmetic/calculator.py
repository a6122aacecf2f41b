"""The calculator that a step may call: `[ 1 3 * 7 ] = 9 1 ;`, and which of an answer's calls were needed."""

import re
from dataclasses import dataclass

import numpy as np

from autodidact.environments.arithmetic.vocabulary import HEADER, split_steps

_ASKED = re.compile(r"\s*(\d+)((?:\s*[+*-]\s*\d+)+)\s*")
_CALL = re.compile(r"\[[^\]\[]*\]")
_TOLD = re.compile(r"(?<=\])\s*=[^;]*;")


@dataclass(frozen=True)
class Calculator:
    """Sums, differences and products of whole numbers, from left to right.

    noise: probability in [0, 1] that the number it gives is off by 1 to 9. spaced: digits apart, as the tiny model
    reads them. Text that is no calculation is answered by `= error ;`, and never raises.
    """

    noise: float = 0.0
    spaced: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 1:
            raise ValueError(f"noise={self.noise} must lie in [0, 1]")

    def answer(self, asked: str, rng: np.random.Generator) -> str:
        """What the environment writes after `[ asked ]`: `= 9 1 ;` (`=91;` unspaced)."""
        found = _ASKED.fullmatch(re.sub(r"(?<=\d) (?=\d)", "", asked[:80]))
        if found is None:
            return "= error ;" if self.spaced else "=error;"
        value = int(found[1])
        for sign, number in re.findall(r"([+*-])\s*(\d+)", found[2]):
            value = value * int(number) if sign == "*" else value + int(number) * (1 if sign == "+" else -1)
        if self.noise and rng.random() < self.noise:
            value += int(rng.integers(1, 10))
        return f"= {' '.join(str(value))} ;" if self.spaced else f"={value};"


def calls(response: str) -> list[int]:
    """The numbers of the steps that call the calculator, each once, in order."""
    return [k for k, step in enumerate(split_steps(response), 1) if _CALL.search(step)]


def told(response: str) -> list[tuple[int, int]]:
    """Character spans that the environment wrote, from `=` to `;` after a call: no policy is to be scored on them."""
    return [found.span() for found in _TOLD.finditer(response)]


def own_words(response: str) -> list[bool]:
    """For every blank-separated word of a response whether the policy wrote it, False within a calculator's answer."""
    spans = told(response)
    return [not any(low <= word.start() < high for low, high in spans) for word in re.finditer(r"\S+", response)]


def branch_points(response: str) -> list[int]:
    """Character positions just before each `[`, and after each header: where a step may or may not call."""
    return sorted({*(c.start() for c in _CALL.finditer(response)), *(h.end() for h in HEADER.finditer(response))})
