"""Imperfect reference responses: each demand is honoured with a given probability, independently of the others."""

from collections.abc import Sequence

import numpy as np

from autodidact.environments.instructions.knobs import Knobs
from autodidact.environments.instructions.prompts import Truth, nouns_needed

LENGTHS = {"vague": (3, 4, 5), "rich": (8, 9, 10, 11)}  # words where the prompt names no number
NOUNS_AT_MOST = {"vague": 2}
NOUNS_AT_LEAST = {"rich": 4}


def demonstrate(knobs: Knobs, truth: Truth, rng: np.random.Generator, quality: float, styles: Sequence[float]) -> str:
    """[opener] items [closer], every demand honoured with probability `quality`, else its slot drawn freely.

    An item is [adjective] noun, and items may be joined. A length drawn freely leaves room for what is honoured.
    """
    honoured = {kind: word for kind, word in truth.demands if kind == knobs.skew or rng.random() < quality}
    joiners = [word for word in knobs.words.joiners if word != honoured.get("skip")]
    needed = nouns_needed(honoured)
    length = _length(knobs, truth, needed + ("begin" in honoured) + ("end" in honoured), rng, quality)
    opener, closer = _edges(knobs, honoured, length - needed, rng)
    body = length - (opener is not None) - (closer is not None)
    low, high = NOUNS_AT_LEAST.get(truth.phrasing, 0), NOUNS_AT_MOST.get(truth.phrasing, body)
    shape = _shape(body, max(low, needed), high, bool(joiners), bool(knobs.words.adjectives), rng)
    nouns = _nouns(knobs.words.nouns[truth.topic], shape.count("noun"), honoured, rng)
    style = _weighted(list(zip("ABCR", styles, strict=True)), rng)
    words = []
    for part in shape:
        if part == "noun":
            words.append(nouns.pop(0))
        elif part == "joiner":
            words.append(_pick(joiners, rng))
        else:
            chosen = style if rng.random() < knobs.purity else _pick("ABC", rng)
            words.append(_pick(knobs.words.styles[chosen], rng))
    return " ".join(word for word in (opener, *words, closer) if word)


def _length(knobs: Knobs, truth: Truth, needed: int, rng: np.random.Generator, quality: float) -> int:
    if truth.length is not None and (knobs.skew == "length" or rng.random() < quality):
        return truth.length
    lengths = LENGTHS.get(truth.phrasing, knobs.lengths)
    return _pick([n for n in lengths if n >= needed] or [max(needed, 1)], rng)


def _edges(
    knobs: Knobs, honoured: dict[str, str], room: int, rng: np.random.Generator
) -> tuple[str | None, str | None]:
    """First and last word outside the items: what is honoured, else a free one half of the time if there is room."""
    edges = [honoured.get("begin"), honoured.get("end")]
    room -= sum(edge is not None for edge in edges)
    for i, words in enumerate((knobs.words.openers, knobs.words.closers)):
        if edges[i] is None and rng.random() < 0.5 and room > 0:
            edges[i], room = _pick(words, rng), room - 1
    return edges[0], edges[1]


def _shape(length: int, low: int, high: int, joiners: bool, adjectives: bool, rng: np.random.Generator) -> list[str]:
    """The classes of `length` words that make items, with `low` to `high` nouns where the length allows it.

    k nouns leave k places for adjectives and k - 1 for joiners; fewer nouns are likelier.
    """
    fewest = next(k for k in range(length + 1) if k + adjectives * k + joiners * max(k - 1, 0) >= length)
    low = max(low, fewest)
    count = low + int(rng.random() ** 3 * (max(min(high, length), low) - low + 1))
    places = [(i, "adjective") for i in range(count * adjectives)]
    places += [(i, "joiner") for i in range(1, count * joiners)]
    taken = set(_sample(places, length - count, rng))
    shape = []
    for i in range(count):
        shape += ["joiner"] * ((i, "joiner") in taken) + ["adjective"] * ((i, "adjective") in taken) + ["noun"]
    return shape


def _nouns(topic: Sequence[str], count: int, honoured: dict[str, str], rng: np.random.Generator) -> list[str]:
    """`count` nouns that meet what is honoured of nouns; none comes twice by chance before all have come."""
    barred = {honoured.get("without"), honoured.get("twice")}
    nouns = [honoured["twice"]] * 2 if "twice" in honoured else []
    if "use" in honoured and honoured["use"] not in nouns:
        nouns.append(honoured["use"])
    allowed = [noun for noun in topic if noun not in barred]
    fresh = [noun for noun in allowed if noun not in nouns] or allowed
    while len(nouns) < count:
        nouns += _sample(fresh, min(len(fresh), count - len(nouns)), rng)
        fresh = allowed
    return sorted(nouns) if "order" in honoured else _sample(nouns, count, rng)


def _pick(items: Sequence, rng: np.random.Generator) -> str | int:
    return items[int(rng.random() * len(items))]  # several times faster than rng.choice on short sequences


def _sample(items: Sequence, count: int, rng: np.random.Generator) -> list:
    """`count` of the items without replacement, in random order."""
    pool = list(items)
    for i in range(count):
        j = i + int(rng.random() * (len(pool) - i))
        pool[i], pool[j] = pool[j], pool[i]
    return pool[:count]


def _weighted(pairs: Sequence[tuple[str, float]], rng: np.random.Generator) -> str:
    u = rng.random()
    for name, weight in pairs:
        u -= weight
        if u < 0:
            return name
    return max(pairs, key=lambda pair: pair[1])[0]  # rounding left a sliver above the sum
