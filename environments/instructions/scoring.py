"""What a response is worth: demands met, blame per word, style, fluency. Nothing here raises on a bad response."""

from collections import Counter
from collections.abc import Iterable, Set

from autodidact.environments.instructions.knobs import Knobs
from autodidact.environments.instructions.prompts import LONGEST, Truth
from autodidact.environments.instructions.vocabulary import CLASS_OF, FOLLOWS, LEXICONS, STYLE_OF, STYLES, TOPIC_OF

WORDS = LEXICONS["full"].words


def well_formed(response: str, allowed: Set[str] = WORDS) -> list[str] | None:
    """The response's words, or None if it is empty, longer than 12 words, or has a word that is not allowed."""
    words = response.split() if isinstance(response, str) else []
    return words if 0 < len(words) <= LONGEST and allowed.issuperset(words) else None


def credits(truth: Truth, words: list[str] | None, *, partial: bool = True) -> dict[str, float]:
    """Kind of demand -> credit in [0, 1] of a response's words; all 0 for None (malformed).

    Length, where the truth names one, has partial credit max(0, 1 - |words - n| / 4), or all or nothing.
    """
    result = {}
    if truth.length is not None:
        off = 4 if words is None else abs(len(words) - truth.length)
        result["length"] = max(0.0, 1 - off / 4) if partial else float(off == 0)
    for kind, word in truth.demands:
        result[kind] = 0.0 if words is None else float(_meets(kind, word, words))
    return result


def met(knobs: Knobs, truth: Truth, response: str) -> dict[str, float]:
    """Kind of demand -> credit in [0, 1] of a response where these knobs hold; all 0 if malformed."""
    return credits(truth, well_formed(response, knobs.words.words), partial=knobs.credit == "partial")


def strict(knobs: Knobs, truth: Truth, response: str) -> bool:
    """Whether a response is well-formed and meets every demand in full."""
    if well_formed(response, knobs.words.words) is None:
        return False
    return all(credit == 1 for credit in met(knobs, truth, response).values())


def _meets(kind: str, word: str, words: list[str]) -> bool:
    if kind == "use":
        return word in words
    if kind in ("skip", "without"):
        return word not in words
    if kind == "begin":
        return words[0] == word
    if kind == "end":
        return words[-1] == word
    if kind == "twice":
        return words.count(word) == 2
    nouns = [w for w in words if w in TOPIC_OF]
    return nouns == sorted(nouns)


def blame(truth: Truth, response: str, allowed: Set[str] = WORDS) -> list[int]:
    """One number a word and one for the end token: +1 satisfies a demand, -1 is guilty, 0 neutral; -1 outweighs +1.

    Guilty are a forbidden word, a wrong first or last word, words past n, the end token if the response is too short or
    malformed, a third mention under `twice`, a noun out of order. A missing word (`use`, `twice`) has no guilty token.
    """
    words = response.split()
    end = len(words)
    good, bad = set(), set(range(truth.length or LONGEST, end))
    if end < (truth.length or 1) or well_formed(response, allowed) is None:
        bad.add(end)
    bad |= {i for i, word in enumerate(words) if word not in allowed}
    for kind, word in truth.demands:
        at = [i for i, w in enumerate(words) if w == word]
        if kind == "use":
            good |= set(at)
        elif kind in ("skip", "without"):
            bad |= set(at)
        elif kind == "twice":
            good |= set(at[:2]) if len(at) >= 2 else set()
            bad |= set(at[2:])
        elif kind == "order":
            bad |= _out_of_order(words)
        elif words:
            place = 0 if kind == "begin" else end - 1
            (good if words[place] == word else bad).add(place)
    return [-1 if i in bad else 1 if i in good else 0 for i in range(end + 1)]


def _out_of_order(words: list[str]) -> set[int]:
    guilty, largest = set(), ""
    for i, word in enumerate(words):
        if word in TOPIC_OF:
            if word < largest:
                guilty.add(i)
            largest = max(largest, word)
    return guilty


def style(response: str) -> str | None:
    """The style of most adjectives, the first to occur at ties; None without an adjective."""
    counts = Counter(STYLE_OF[word] for word in response.split() if word in STYLE_OF)
    return max(counts, key=counts.__getitem__) if counts else None


def style_share(response: str, wanted: str) -> float:
    """The share of adjectives that are of this style; 0 without an adjective or if malformed."""
    styles = [STYLE_OF[word] for word in well_formed(response) or [] if word in STYLE_OF]
    return styles.count(wanted) / len(styles) if styles else 0.0


def style_frequencies(responses: Iterable[str], among: tuple[str, ...] = ("A", "B", "C")) -> list[float]:
    """How often each style is a response's style, among responses that have one of these; uniform if none has."""
    counts = Counter(style(response) for response in responses)
    total = sum(counts[name] for name in among)
    return [counts[name] / total if total else 1 / len(among) for name in among]


def fluency(response: str) -> float:
    """The share of neighbours (start and end included) that the grammar of demonstrations allows; 0 if malformed."""
    words = well_formed(response)
    if words is None:
        return 0.0
    classes = ["start", *(CLASS_OF[word] for word in words), "end"]
    legal = sum(after in FOLLOWS[before] for before, after in zip(classes, classes[1:], strict=False))
    return legal / (len(classes) - 1)


def detail(truth: Truth, response: str) -> float:
    """min(1, distinct nouns of the topic / 4)."""
    return min(1.0, len({word for word in response.split() if TOPIC_OF.get(word) == truth.topic}) / 4)


def restyle(response: str, wanted: str) -> str:
    """Every adjective replaced by the wanted style's one at the same place of its list; demands stay as they are."""
    if wanted not in STYLES:
        raise ValueError(f"style={wanted!r} is unknown; known are {', '.join(STYLES)}")
    return " ".join(
        STYLES[wanted][STYLES[STYLE_OF[word]].index(word)] if word in STYLE_OF else word for word in response.split()
    )
