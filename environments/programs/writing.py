"""Code and tests in the world's words: written, and read back."""

import itertools
import re
from collections.abc import Iterable, Sequence

from autodidact.environments.programs.grammar import INDENT, NEWLINE, OPERATIONS, PHRASES, REDUCERS, Numbers, Phrase
from autodidact.environments.programs.tasks import Truth, apply

KINDS = ("right", "misreading", "slip", "vacuous", "malformed")
HEAD = "def f ( xs ) :"
_NUMBER = r"(?:- )?(?:0|[1-9][0-9]*)"  # as Python writes it
_TEST = re.compile(rf"t = (\[[0-9 ,]*\]) (?:# [^<]*)?<newline> assert f \( t \) == (\[[-0-9 ,]*\]|{_NUMBER})")
_VACUOUS = re.compile(r"t = \[[0-9 ,]*\] (?:# [^<]*)?<newline> assert f \( t \) == f \( t \)")


def write_code(phrases: Sequence[str], misread: Sequence[bool]) -> str:
    """A function that follows the phrases, misreading those so marked."""
    lines, value = [HEAD], "xs"
    for name, wrong in zip(phrases, misread, strict=True):
        expression = PHRASES[name].wrong if wrong else PHRASES[name].right
        if name in REDUCERS:
            value = expression
        else:
            lines.append(f"{INDENT} xs = {expression}")
    return f" {NEWLINE} ".join([*lines, f"{INDENT} return {value}"])


def read_code(code: str) -> list[tuple[Phrase, bool]] | None:
    """The (phrase, misread) of a function that is word for word made of the grammar's lines, else None."""
    head, *lines = code.split(f" {NEWLINE} ")
    if head != HEAD or not lines:
        return None
    *body, end = lines
    steps = [_OPERATION_LINES.get(line) for line in body]
    if None in steps or end not in _RETURN_LINES:
        return None
    return [*steps, *_RETURN_LINES[end]]


def run_reading(reading: list[tuple[Phrase, bool]], xs: Sequence[int]) -> Numbers | int:
    """What such a function returns: by the grammar's own meaning of its lines, no text is executed."""
    return apply([phrase for phrase, _ in reading], [wrong for _, wrong in reading], list(xs))


def known_outcomes(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    """Whether a function passes a test, of those (function, test) that are word for word the grammar's; none is run."""
    pairs = list(pairs)
    readings = {function: read_code(function) for function, _ in pairs}
    read = {test: read_test(test) for _, test in pairs}
    return {
        (function, test): run_reading(readings[function], read[test][0]) == read[test][1]
        for function, test in pairs
        if readings[function] is not None and read[test] is not None
    }


def write_test(xs: Sequence[int], trace: Sequence[Numbers | int], expected: Numbers | int) -> str:
    """A test on `xs` with the steps of its working as a comment."""
    steps = " -> ".join(say(value) for value in trace)
    return f"t = {say(list(xs))} # {steps} {NEWLINE} assert f ( t ) == {say(expected)}"


def write_vacuous_test(xs: Sequence[int]) -> str:
    """A test that every program passes which returns anything at all."""
    return f"t = {say(list(xs))} {NEWLINE} assert f ( t ) == f ( t )"


def read_test(test: str) -> tuple[Numbers, Numbers | int] | None:
    """(input, expected value) of a test, None if it is not of the usual form."""
    match = _TEST.fullmatch(test)
    if match is None:
        return None
    values = [hear(text) for text in match.groups()]
    return None if None in values else tuple(values)


def kind_of_test(truth: Truth, test: str) -> str:
    """Which of `KINDS` a test is: its expected value is the truth's, that of some misreading, or of neither."""
    if _VACUOUS.fullmatch(test):
        return "vacuous"
    read = read_test(test)
    if read is None:
        return "malformed"
    xs, expected = read
    if expected == truth.solve(xs):
        return "right"
    readings = itertools.product((False, True), repeat=len(truth.phrases))
    return "misreading" if any(truth.read(xs, misread) == expected for misread in readings) else "slip"


def say(value: Numbers | int) -> str:
    """A number or a list of numbers in tokens."""
    if isinstance(value, list):
        return f"[ {' , '.join(say(x) for x in value)} ]" if value else "[ ]"
    return str(value) if value >= 0 else f"- {-value}"


def hear(text: str) -> Numbers | int | None:
    """The value of such tokens, None if they say none."""
    if not text.startswith("["):
        return int(text.replace(" ", ""))
    inside = text[1:-1].strip()
    parts = [part.strip() for part in inside.split(",")] if inside else []
    if not all(re.fullmatch(_NUMBER, part) for part in parts):
        return None
    return [int(part.replace(" ", "")) for part in parts]


_OPERATION_LINES = {
    f"{INDENT} xs = {expression}": (phrase, wrong)
    for phrase in OPERATIONS.values()
    for expression, wrong in ((phrase.wrong, True), (phrase.right, False))
}
_RETURN_LINES = {f"{INDENT} return xs": []} | {
    f"{INDENT} return {expression}": [(phrase, wrong)]
    for phrase in REDUCERS.values()
    for expression, wrong in ((phrase.wrong, True), (phrase.right, False))
}
