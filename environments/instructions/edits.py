"""Minimal edits of responses: `corrupt` breaks demands that are met, `repair` meets all of them."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import count, permutations
from typing import NamedTuple

import numpy as np

from autodidact.environments.instructions import scoring
from autodidact.environments.instructions.knobs import Knobs
from autodidact.environments.instructions.prompts import LONGEST, Prompt, Truth, satisfiable
from autodidact.environments.instructions.vocabulary import TOPIC_OF, Lexicon

PREFER = 1e-6  # cost that decides between equally few edits


class Draft(NamedTuple):
    """Words, and for each of them and for the end token whether it was edited."""

    words: tuple[str, ...]
    edited: tuple[bool, ...]

    @property
    def text(self) -> str:
        """The response."""
        return " ".join(self.words)

    def put(self, at: int, word: str) -> "Draft":
        """Replace a word."""
        return Draft((*self.words[:at], word, *self.words[at + 1 :]), (*self.edited[:at], True, *self.edited[at + 1 :]))

    def insert(self, at: int, word: str) -> "Draft":
        """Insert a word in front of index `at`."""
        return Draft((*self.words[:at], word, *self.words[at:]), (*self.edited[:at], True, *self.edited[at:]))

    def delete(self, at: int) -> "Draft":
        """Leave a word out; what follows it counts as edited."""
        return Draft((*self.words[:at], *self.words[at + 1 :]), (*self.edited[:at], True, *self.edited[at + 2 :]))


def corrupt(
    knobs: Knobs, prompt: Prompt, response: str, rng: np.random.Generator, k: int
) -> tuple[str, tuple[int, ...]]:
    """The response with min(k, met) of its met demands broken, and the indices edited: see `Instructions.corrupt`."""
    met = [kind for kind, credit in scoring.met(knobs, prompt.truth, response).items() if credit == 1]
    start = Draft(tuple(response.split()), (False,) * (len(response.split()) + 1))
    met = [met[i] for i in rng.permutation(len(met))]
    for broken in range(min(k, len(met)), 0, -1):
        for loose in (False, True):
            for kinds in permutations(met, broken):
                draft = _break_all(knobs, prompt, start, kinds, rng, loose)
                if draft:
                    return draft.text, tuple(i for i, edited in enumerate(draft.edited) if edited)
    return response, ()


def _break_all(
    knobs: Knobs, prompt: Prompt, draft: Draft, kinds: Sequence[str], rng: np.random.Generator, loose: bool
) -> Draft | None:
    """Break these demands one after the other; None where one cannot be broken without touching another.

    loose: let words be inserted where the length is wrong already, though its partial credit may move.
    """
    for kind in kinds:
        before = scoring.met(knobs, prompt.truth, draft.text)
        tries = _candidates(knobs, prompt.truth, draft, kind, rng, loose)
        draft = next((try_ for try_ in tries if _only(knobs, prompt, try_, before, kind, loose)), None)
        if draft is None:
            return None
    return draft


def _only(knobs: Knobs, prompt: Prompt, draft: Draft, before: dict[str, float], kind: str, loose: bool) -> bool:
    """Whether the draft breaks this kind and leaves the other credits alone."""
    after = scoring.met(knobs, prompt.truth, draft.text)
    if scoring.well_formed(draft.text, knobs.words.words) is None or after[kind] == 1:
        return False
    if loose:
        return all((after[k] == 1) == (before[k] == 1) for k in before if k != kind)
    return all(after[k] == before[k] for k in before if k != kind)


def _candidates(
    knobs: Knobs, truth: Truth, draft: Draft, kind: str, rng: np.random.Generator, loose: bool
) -> Iterator[Draft]:
    """Drafts in random order that may break the demand of this kind, most of them by one edit."""
    n, lexicon = len(draft.words), knobs.words
    others = lexicon.adjectives or lexicon.openers
    fillers = _shuffled([*lexicon.nouns[truth.topic], *others], rng)
    places = _shuffled(range(n), rng)
    word = dict(truth.demands).get(kind)
    if kind == "length":
        yield from (draft.insert(at, w) for at in _shuffled(range(n + 1), rng) for w in fillers)
        yield from (draft.delete(at) for at in places)
    elif kind in ("use", "twice"):
        for filler in fillers:
            changed = draft
            for at in [i for i, w in enumerate(draft.words) if w == word][: 1 if kind == "twice" else None]:
                changed = changed.put(at, filler)
            yield changed
    elif kind in ("begin", "end"):
        at, peers = (0, lexicon.openers) if kind == "begin" else (n - 1, lexicon.closers)
        yield from (draft.put(at, w) for w in [*_shuffled(peers, rng), *fillers])
    if kind in ("skip", "without", "twice", "order"):
        wrong = fillers if kind == "order" else [word]
        yield from (draft.put(at, w) for at in places for w in wrong)
        if loose:
            yield from (draft.insert(at, w) for at in _shuffled(range(n + 1), rng) for w in wrong)


def repair(knobs: Knobs, prompt: Prompt, response: str, rng: np.random.Generator, extra: int) -> str:
    """The nearest response that meets every demand, with irrelevant edits on top: see `Instructions.repair`."""
    if not scoring.strict(knobs, prompt.truth, response):
        if not satisfiable(prompt.truth):
            raise ValueError(f"prompt={prompt.text!r} has demands that no response can meet")
        response = _nearest(response.split(), prompt.truth, knobs.words, rng)
    for at in _shuffled(range(len(response.split())), rng):
        if extra > 0:
            swapped = _swap(knobs, prompt, response, at, rng)
            response, extra = swapped or response, extra - (swapped is not None)
    return response


def _swap(knobs: Knobs, prompt: Prompt, response: str, at: int, rng: np.random.Generator) -> str | None:
    """Another adjective for an adjective, another noun of the topic for a noun, all demands still met; else None."""
    words = response.split()
    for peers in (knobs.words.adjectives, knobs.words.nouns[prompt.truth.topic]):
        for word in _shuffled([w for w in peers if w != words[at]] if words[at] in peers else [], rng):
            swapped = " ".join([*words[:at], word, *words[at + 1 :]])
            if scoring.strict(knobs, prompt.truth, swapped):
                return swapped
    return None


class _Found(NamedTuple):
    """What a search has written so far that its demands depend on."""

    used: bool
    twice: int
    last: str  # the last noun where nouns must be in order, else empty


def _nearest(source: list[str], truth: Truth, lexicon: Lexicon, rng: np.random.Generator) -> str:
    """The nearest response that meets every demand, of the demanded length or else of whatever length is nearest."""
    lengths = range(1, LONGEST + 1) if truth.length is None else [truth.length]
    best = (float("inf"), "")
    for n in sorted(lengths, key=lambda n: abs(n - len(source))):
        if abs(n - len(source)) > best[0]:  # it takes as many edits at least
            break
        best = min(best, _nearest_of_length(source, n, truth, lexicon, rng) or best)
    return best[1]


def _nearest_of_length(
    source: list[str], n: int, truth: Truth, lexicon: Lexicon, rng: np.random.Generator
) -> tuple[float, str] | None:
    """(cost, response) of `n` words at the least edit distance from the source that meets every demand.

    Dijkstra's search over (words read, words written, what was written of `use`, `twice`, `order`). Ties go to
    replacing neutral words, then other words, then inserting and deleting, and among these to chance.
    """
    demands, serial = dict(truth.demands), count()
    named = {demands.get("use"), demands.get("twice")}
    queue = [(0.0, next(serial), 0, 0, _Found("use" not in demands, 0, ""), ())]
    done = set()
    while queue:
        cost, _, i, j, found, written = heapq.heappop(queue)
        if (i, j, found) in done:
            continue
        done.add((i, j, found))
        if i == len(source) and j == n and found.used and found.twice == 2 * ("twice" in demands):
            return cost, " ".join(written)
        moves = [(1 + 2 * PREFER, i + 1, j, found, written)] if i < len(source) else []
        if j < n:
            options = [(word, False) for word in _proposals(demands, lexicon, truth.topic, rng)]
            options += [(source[i], True)] if i < len(source) else []
            for word, keep in options:
                after = _write(word, j, n, found, demands, lexicon)
                if after and keep:
                    moves.append((0.0, i + 1, j + 1, after, (*written, word)))
                elif after:
                    moves.append((1 + 2 * PREFER, i, j + 1, after, (*written, word)))
                    if i < len(source):
                        moves.append((1 + PREFER * (source[i] in named), i + 1, j + 1, after, (*written, word)))
        for step, *state in moves:
            jitter = PREFER * rng.random() / 100 if step else 0.0
            heapq.heappush(queue, (cost + step + jitter, next(serial), *state))
    return None


def _proposals(demands: dict[str, str], lexicon: Lexicon, topic: str, rng: np.random.Generator) -> list[str]:
    """Words worth writing: those demanded, and one neutral word of each class that has any."""
    said = [demands[kind] for kind in ("begin", "end", "use", "twice") if kind in demands]
    neutral = (lexicon.nouns[topic], lexicon.adjectives or lexicon.openers, lexicon.openers, lexicon.closers)
    return list(dict.fromkeys([*said, *(words[int(rng.random() * len(words))] for words in neutral)]))


def _write(word: str, at: int, n: int, found: _Found, demands: dict[str, str], lexicon: Lexicon) -> _Found | None:
    """What is found after this word is written at index `at` of `n`; None if a demand forbids it there."""
    if word not in lexicon.words or word in (demands.get("skip"), demands.get("without")):
        return None
    if (at == 0 and word != demands.get("begin", word)) or (at == n - 1 and word != demands.get("end", word)):
        return None
    twice = found.twice + (word == demands.get("twice"))
    ordered = "order" in demands and word in TOPIC_OF
    if twice > 2 or (ordered and word < found.last):
        return None
    return _Found(found.used or word == demands.get("use"), twice, word if ordered else found.last)


def _shuffled(items: Sequence, rng: np.random.Generator) -> list:
    return [items[i] for i in rng.permutation(len(items))]
