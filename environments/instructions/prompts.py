"""Prompts and their hidden truths: what is demanded, how it is said, and which truths belong to which split."""

import hashlib
import itertools
import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from autodidact.environments.instructions.vocabulary import KINDS, LEXICONS, Lexicon

SPLITS = ("train", "held-out")
PHRASINGS = ("plain", "vague", "rich")
HELD_OUT = 5  # one truth in five is held out
LONGEST = 12  # words of a response
GRAMMAR = re.compile(r"write (?:([1-9][0-9]?) words )?about ([a-z]+)( in detail)?(?: : ([a-z ,]+))? \.")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a prompt demands: `length` words about `topic`, and (kind, word) demands in the order of `KINDS`.

    The length is None in the phrasings `vague` and `rich`, which do not name one.
    """

    topic: str
    length: int | None
    demands: tuple[tuple[str, str], ...]
    phrasing: str = "plain"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text for the policy and the truth behind it, for scorers only."""

    text: str
    truth: Truth


class TruthSpace:
    """The truths of some topics, lengths and sets of kinds, numbered from 0; None for one that nothing can satisfy."""

    def __init__(
        self, lexicon: Lexicon, lengths: tuple[int | None, ...], combos: tuple[tuple[str, ...], ...], phrasing: str
    ) -> None:
        self.phrasing = phrasing
        self.blocks = [
            (topic, length, combo, [lexicon.words_for(kind, topic) for kind in combo])
            for topic, length, combo in itertools.product(lexicon.nouns, lengths, combos)
        ]
        self.starts = [0, *itertools.accumulate(math.prod(map(len, words)) for *_, words in self.blocks)]

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: int) -> Truth | None:
        block = bisect_right(self.starts, index) - 1
        topic, length, combo, choices = self.blocks[block]
        rest, demands = index - self.starts[block], []
        for kind, words in zip(combo, choices, strict=True):
            rest, i = divmod(rest, len(words))
            demands.append((kind, words[i]))
        truth = Truth(topic, length, tuple(demands), self.phrasing)
        return truth if satisfiable(truth) else None


@lru_cache(maxsize=32)
def truth_space(
    lexicon: str, lengths: tuple[int, ...], combos: tuple[tuple[str, ...], ...], phrasing: str
) -> TruthSpace:
    """The numbered truths of a configuration; only the plain phrasing names a length."""
    return TruthSpace(LEXICONS[lexicon], lengths if phrasing == "plain" else (None,), combos, phrasing)


def nouns_needed(demands: dict[str, str]) -> int:
    """How many nouns a response needs for `use` and `twice`."""
    return 2 * ("twice" in demands) + ("use" in demands and demands["use"] != demands.get("twice"))


def satisfiable(truth: Truth) -> bool:
    """Whether some response meets all demands at once."""
    demands = dict(truth.demands)
    if "without" in demands and demands["without"] in (demands.get("use"), demands.get("twice")):
        return False
    needed = nouns_needed(demands) + ("begin" in demands) + ("end" in demands)
    return needed <= (LONGEST if truth.length is None else truth.length)


def say(truth: Truth, order: list[int]) -> str:
    """The prompt's text, its demands in the given order."""
    start = {
        "plain": f"write {truth.length} words about {truth.topic}",
        "vague": f"write about {truth.topic}",
        "rich": f"write about {truth.topic} in detail",
    }[truth.phrasing]
    demands = " , ".join(" ".join(truth.demands[i]) for i in order)
    return f"{start} : {demands} ." if demands else f"{start} ."


def parse(text: str, lexicon: Lexicon) -> Prompt | None:
    """The prompt that a text is, or None where it does not follow the grammar or cannot be satisfied."""
    match = GRAMMAR.fullmatch(text)
    if not match or match[2] not in lexicon.nouns or (match[1] and (match[3] or int(match[1]) > LONGEST)):
        return None
    demands = [tuple(part.split(" ")) for part in match[4].split(" , ")] if match[4] else []
    if any(len(d) != 2 or d[0] not in KINDS or d[1] not in lexicon.words_for(d[0], match[2]) for d in demands):
        return None
    if len({kind for kind, _ in demands}) != len(demands):
        return None
    ordered = tuple(sorted(demands, key=lambda d: KINDS.index(d[0])))
    phrasing = "plain" if match[1] else "rich" if match[3] else "vague"
    truth = Truth(match[2], int(match[1]) if match[1] else None, ordered, phrasing)
    return Prompt(text, truth) if satisfiable(truth) else None


def stable_hash(truth: Truth) -> int:
    """The same number for the same truth on every machine; splits and parts are cut by it."""
    text = f"{truth.topic} {truth.length} {truth.demands}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def belongs(truth: Truth, split: str, part: int, parts: int) -> bool:
    """Whether a truth lies in this part of this split."""
    value = stable_hash(truth)
    return (value % HELD_OUT == 0) == (split == "held-out") and value // HELD_OUT % parts == part


def check_split(n: int, split: str, part: int, parts: int) -> None:
    """ValueError, naming the parameter, for a negative n, an unknown split or a part outside 0..parts-1."""
    if n < 0:
        raise ValueError(f"n={n} must not be negative")
    if split not in SPLITS:
        raise ValueError(f"split={split!r} is unknown; known are {', '.join(map(repr, SPLITS))}")
    if not 0 <= part < parts:
        raise ValueError(f"part={part} must lie in 0..{parts - 1} (parts={parts})")
