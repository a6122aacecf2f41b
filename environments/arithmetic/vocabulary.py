"""The words of the arithmetic world: how problems, steps and answers are written, and read again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from autodidact.environments.arithmetic.problems import UNITS, Instruction, Operation, Truth

VERBS = {1: ("Add", "Put in"), -1: ("Take away", "Remove"), 0: ("Multiply by", "Multiply by")}
WORDINGS = 4  # ways to write a step; the last one is the foreign form
FOREIGN = WORDINGS - 1
MOST_STEPS = 8
VOCABULARY: tuple[str, ...] = (
    *("<pad>", "<bos>", "<eos>", "<blank>", *"0123456789", "+", "-", "*", "=", ".", ",", "[", "]", ";"),
    *("Start", "with", "Add", "Put", "in", "Take", "away", "Remove", "Multiply", "by", "and", "the", "of", "step"),
    *(*UNITS, "From", "start", "Note", "answer", "drill", "fix", "more", "less", "than", "is", "go", "up", "down"),
    *("to", "from", "without", "makes", "leaves", *(f"Step{k}:" for k in range(1, MOST_STEPS + 1))),
    *("<think>", "<done>", "first", "let", "me", "see"),
)
HEADER = re.compile(r"Step ?(\d+) ?:")
ANSWER = re.compile(r"(?:answer|The answer is) (\d+)\s*\.?\s*$")
_DIGITS = re.compile(r"(?<=\d) (?=\d)")
_CALL = re.compile(r"^\[ ?(?P<asked>[\d *+-]+?) ?\] ?= ?(?P<told>\d+) ?; ?")
_TERM = r"\d+(?: (?:ones?|tens?|hundreds?))?"
_TERMS = rf"{_TERM}(?: (?:\+|-|and) {_TERM})*"
_FORMS = (  # one pattern a wording; the sign stands in words or as an operator
    re.compile(rf"(?P<a>\d+) (?P<op>[+*-]) (?P<terms>{_TERMS}) = (?P<c>\d+)"),
    re.compile(rf"(?P<a>\d+) (?P<op>and|without) (?P<terms>{_TERMS}) (?:makes|leaves) (?P<c>\d+)"),
    re.compile(rf"from (?P<a>\d+) go (?P<op>up|down) (?P<terms>{_TERMS}) to (?P<c>\d+)"),
    re.compile(rf"(?P<terms>{_TERMS}) (?P<op>more|less) than (?P<a>\d+) is (?P<c>\d+)"),
)
_SIGNS = {"+": 1, "and": 1, "up": 1, "more": 1, "-": -1, "without": -1, "down": -1, "less": -1, "*": 0}


@dataclass(frozen=True)
class Parsed:
    """A step as read: its operation, its wording, and whether it calls the calculator."""

    operation: Operation
    wording: int
    call: bool


@dataclass(frozen=True)
class Script:
    """How text is written: `spaced` for the tiny model (every token between blanks, digits apart), else for people."""

    spaced: bool
    digits: int

    def number(self, value: int) -> str:
        """A number: all its places with blanks between them, or as people write it."""
        return " ".join(f"{value:0{self.digits}d}") if self.spaced else str(value)

    def amount(self, amount: int) -> str:
        """`3 tens`."""
        k, place = _split(amount)
        unit = UNITS[place] if self.spaced or k != 1 else UNITS[place].removesuffix("s")
        return f"{k} {unit}"

    def step(self, operation: Operation, wording: int = 0) -> str:
        """A step in one of the wordings, its full stop included; a product has only the first."""
        a, c = self.number(operation.source), self.number(operation.result)
        if operation.sign == 0:
            return self._stop(f"{a} * {operation.terms[0]} = {c}")
        plus = operation.sign > 0
        joiner = (" + " if plus else " - ") if wording == 0 else " and "
        terms = joiner.join(map(self.amount, operation.terms))
        return self._stop(
            (
                f"{a} {'+' if plus else '-'} {terms} = {c}",
                f"{a} {'and' if plus else 'without'} {terms} {'makes' if plus else 'leaves'} {c}",
                f"from {a} go {'up' if plus else 'down'} {terms} to {c}",
                f"{terms} {'more' if plus else 'less'} than {a} is {c}",
            )[wording]
        )

    def header(self, k: int) -> str:
        """`Step 2:`, one token for the tiny model."""
        return f"Step{k}:" if self.spaced else f"Step {k}:"

    def answer(self, value: int) -> str:
        """The line that ends an answer."""
        return f"answer {self.number(value)}" if self.spaced else f"The answer is {value}."

    def join(self, steps: Sequence[str], k: int | None = None) -> str:
        """Steps under their headers; with `k`, those before step k and then its bare header."""
        parts = [f"{self.header(i)} {step}" for i, step in enumerate(steps if k is None else steps[: k - 1], 1)]
        return ("\n", " ")[self.spaced].join([*parts, *([] if k is None else [self.header(k)])])

    def whole(self, steps: Sequence[str], answer: int) -> str:
        """A complete answer: the last step is followed by the answer line."""
        return self.join([*steps[:-1], f"{steps[-1]} {self.answer(answer)}"])

    def problem(self, truth: Truth, note: tuple[int, int] | None = None) -> str:
        """A problem; `note` = (position, number) puts in a sentence with a number that nothing refers to."""
        sentences = [self._stop(f"Start with {self.number(truth.start)}")]
        sentences += [self._stop(self._instruction(i)) for i in truth.instructions]
        if note is not None:
            sentences.insert(note[0], self._stop(f"Note {self.number(note[1])}"))
        return " ".join(sentences)

    def _instruction(self, i: Instruction) -> str:
        verb = VERBS[i.sign][i.verb]
        if i.sign == 0:
            return f"{verb} {i.terms[0][0]}"
        if i.look is not None:
            return f"{verb} the {UNITS[i.look[1]]} of {_place(i.look[0])}"
        said = f"{verb} {' and '.join(self.amount(k * 10**place) for k, place in i.terms)}"
        if i.source is None:
            return said
        comma = " ," if self.spaced else ","
        return f"From {_place(i.source)}{comma} {said if self.spaced else said[0].lower() + said[1:]}"

    def _stop(self, text: str) -> str:
        return f"{text} ." if self.spaced else f"{text}."


def _place(step: int) -> str:
    return f"step {step}" if step else "start"


def _split(amount: int) -> tuple[int, int]:
    """(k, place) of an amount; ten or more of a unit are not written."""
    place = len(str(amount)) - 1
    return amount // 10**place, place


def split_steps(response: str) -> list[str]:
    """The texts after the headers, one a header; what stands before the first one is left out."""
    cuts = list(HEADER.finditer(response))
    ends = [*(cut.start() for cut in cuts), len(response)][1:]
    return [response[cut.end() : end].strip() for cut, end in zip(cuts, ends, strict=True)]


def in_order(response: str) -> bool:
    """Whether the headers count 1, 2, 3 ... and nothing stands before the first."""
    cuts = list(HEADER.finditer(response))
    numbers = [cut.group(1) for cut in cuts]
    return bool(cuts) and not response[: cuts[0].start()].strip() and numbers == [str(i + 1) for i in range(len(cuts))]


def cut_answer(step: str) -> tuple[str, int | None]:
    """A step without the answer line, and the answer, None without one."""
    text = _DIGITS.sub("", step.strip())
    found = ANSWER.search(text)
    if found is None or len(found.group(1)) > 9:
        return text, None
    return text[: found.start()].strip(), int(found.group(1))


@lru_cache(maxsize=200_000)
def parse(step: str) -> Parsed | None:
    """A step without its header and answer line, in any wording; None if it is none."""
    if len(step) > 200:
        return None
    text = _DIGITS.sub("", step.strip()).removesuffix(".").strip()
    called = _CALL.match(text)
    text = text[called.end() :] if called else text
    for wording, form in enumerate(_FORMS):
        found = form.fullmatch(text)
        if found:
            sign = _SIGNS[found["op"]]
            terms = re.findall(_TERM, found["terms"])
            if any(len(number) > 6 for number in re.findall(r"\d+", text)) or (sign == 0 and len(terms) != 1):
                return None
            amounts = tuple(map(_amount, terms))
            return Parsed(Operation(int(found["a"]), sign, amounts, int(found["c"])), wording, bool(called))
    return None


def _amount(term: str) -> int:
    number, _, unit = term.partition(" ")
    place = next((i for i, name in enumerate(UNITS) if unit and name.startswith(unit.removesuffix("s"))), 0)
    return int(number) * 10**place
