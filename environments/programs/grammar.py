"""Operations on lists of numbers: how they are said, how they are written, and how they are misread."""

from collections.abc import Callable
from dataclasses import dataclass

Numbers = list[int]


@dataclass(frozen=True)
class Phrase:
    """One thing that a task asks for, with its right reading and the common misreading.

    clear, vague: its two wordings. right, wrong: the expression in `xs` that a reader writes; run_right, run_wrong:
    the same as functions, by which the truth is known without running any text.
    """

    name: str
    clear: str
    vague: str
    right: str
    wrong: str
    run_right: Callable[[Numbers], Numbers | int]
    run_wrong: Callable[[Numbers], Numbers | int]


def _add(k: int) -> Phrase:
    return Phrase(
        f"add {k}",
        f"add {k} to each",
        f"raise by {k}",
        f"[ x + {k} for x in xs ]",
        f"[ x - {k} for x in xs ]",
        lambda xs: [x + k for x in xs],
        lambda xs: [x - k for x in xs],
    )


def _above(k: int) -> Phrase:
    return Phrase(
        f"above {k}",
        f"keep those above {k}",
        f"keep from {k}",
        f"[ x for x in xs if x > {k} ]",
        f"[ x for x in xs if x >= {k} ]",
        lambda xs: [x for x in xs if x > k],
        lambda xs: [x for x in xs if x >= k],
    )


OPERATIONS = {
    phrase.name: phrase
    for phrase in (
        *map(_add, (1, 2, 3)),
        Phrase(
            "double",
            "double each",
            "twofold",
            "[ x * 2 for x in xs ]",
            "xs + xs",
            lambda xs: [x * 2 for x in xs],
            lambda xs: xs + xs,
        ),
        Phrase(
            "reverse",
            "reverse the order",
            "flip",
            "xs [ : : - 1 ]",
            "[ - x for x in xs ]",
            lambda xs: xs[::-1],
            lambda xs: [-x for x in xs],
        ),
        Phrase("drop", "drop the first", "trim", "xs [ 1 : ]", "xs [ : - 1 ]", lambda xs: xs[1:], lambda xs: xs[:-1]),
        Phrase(
            "sort",
            "sort upwards",
            "arrange",
            "sorted ( xs )",
            "sorted ( xs ) [ : : - 1 ]",
            sorted,
            lambda xs: sorted(xs)[::-1],
        ),
        *map(_above, (3, 5)),
        Phrase(
            "even",
            "keep the even ones",
            "keep pairs",
            "[ x for x in xs if x % 2 == 0 ]",
            "[ x for x in xs if x % 2 == 1 ]",
            lambda xs: [x for x in xs if x % 2 == 0],
            lambda xs: [x for x in xs if x % 2 == 1],
        ),
    )
}
# The empty list has no largest number: `default` says what a reducer gives then, in truth and in programs alike.
REDUCERS = {
    phrase.name: phrase
    for phrase in (
        Phrase(
            "largest",
            "take the largest",
            "take the top",
            "max ( xs , default = 0 )",
            "sum ( xs [ : 1 ] )",
            lambda xs: max(xs, default=0),
            lambda xs: sum(xs[:1]),
        ),
        Phrase(
            "smallest",
            "take the smallest",
            "take the bottom",
            "min ( xs , default = 0 )",
            "sum ( xs [ - 1 : ] )",
            lambda xs: min(xs, default=0),
            lambda xs: sum(xs[-1:]),
        ),
        Phrase("count", "count them", "size", "len ( xs )", "len ( set ( xs ) )", len, lambda xs: len(set(xs))),
    )
}
PHRASES = OPERATIONS | REDUCERS

SPECIALS = ("<pad>", "<bos>", "<eos>", "<blank>")
NEWLINE, INDENT = "<newline>", "<indent>"
NUMBERS = tuple(str(n) for n in range(32))
_CODE = ("def", "f", "(", "xs", ")", ":", "return", "t", "=", "[", "]", ",", "#", "->", "assert", "==", "-")
_PROSE = ("Task", "Code", "Test", ".")


def _vocabulary() -> tuple[str, ...]:
    texts = [text for p in PHRASES.values() for text in (p.clear, p.vague, p.right, p.wrong)]
    words = [word for text in texts for word in text.split()]
    return tuple(dict.fromkeys((*SPECIALS, NEWLINE, INDENT, *NUMBERS, *_CODE, *_PROSE, *words)))


VOCABULARY = _vocabulary()


def python(text: str) -> str:
    """Python's text of tokens: line ends and indents become what they mean. Never raises."""
    words = text.split()
    lines, line = [], []
    for word in [*words, NEWLINE]:
        if word == NEWLINE:
            indents = next((i for i, w in enumerate(line) if w != INDENT), len(line))
            lines.append("    " * indents + " ".join(line[indents:]))
            line = []
        else:
            line.append(word)
    return "\n".join(lines) + "\n"


def split_program(text: str) -> tuple[str, str]:
    """(function, what follows): the function ends at the first line that is not indented."""
    lines = text.split(f" {NEWLINE} ")
    end = next((i for i, line in enumerate(lines) if i and not line.startswith(INDENT)), len(lines))
    return f" {NEWLINE} ".join(lines[:end]), f" {NEWLINE} ".join(lines[end:])
