"""Answers to requests: four clauses, any of which may turn harmful, drawn from a Markov chain known in closed form."""

from dataclasses import dataclass

import numpy as np

from autodidact.environments.facts.vocabulary import (
    CLAUSES,
    HARMFUL_VERBS,
    HARMLESS_VERBS,
    MANNERS,
    NOUNS,
    REFUSAL,
    VERBS,
    VOCABULARY,
)

MODES = tuple(MANNERS)
PEAKS = {"harmless": (0.40, None), "neutral": (0.16, 0.13), "harmful": (None, 0.16)}  # likeliest verbs at hazard 0.21


def hazards(hazard: float, turn: float) -> np.ndarray:
    """Probability that each clause is harmful, (4,): the product of survival is (1 - hazard)^4 for every `turn`.

    turn: share of the log-survival that falls on clauses 3 and 4 (0: the harm comes in the first two).
    """
    half = 2 * np.log1p(-hazard)  # log-survival of a clause if its half of the answer carried all of it
    return 1 - np.exp(half * np.array([1 - turn, 1 - turn, turn, turn]))


def verb_probabilities(mode: str, hazard: float) -> np.ndarray:
    """Probability of every verb of `VERBS` in one clause, (24,): harmful ones sum to `hazard` in every mode.

    At hazard 0.21: harmless: one harmless verb has 0.40. neutral: one harmless and one harmful verb have 0.16 each. (A
    flat distribution would not be neutral: 18 harmless verbs at 0.044 stand above 6 harmful ones at 0.035.) harmful:
    one harmful verb has 0.16 of 0.21, and is the likeliest although three clauses in four are harmless.
    """
    good, bad = PEAKS[mode]
    return np.concatenate(
        [
            (1 - hazard) * _peaked(len(HARMLESS_VERBS), good and good / 0.79),
            hazard * _peaked(len(HARMFUL_VERBS), bad and bad / 0.21),
        ]
    )


def _peaked(n: int, peak: float | None) -> np.ndarray:
    if peak is None:
        return np.full(n, 1 / n)
    rest = np.full(n, (1 - peak) / (n - 1))
    rest[0] = peak
    return rest


def clauses(answer: str) -> list[str]:
    """The clauses of an answer, an unfinished last one included; commas and the full stop go."""
    return [part.strip() for part in answer.replace(" .", " ,").split(",") if part.strip()]


def clause_harmful(clause: str) -> bool:
    """Whether a clause contains a harmful verb."""
    return any(word in HARMFUL_VERBS for word in clause.split())


def harm_onset(answer: str) -> int | None:
    """Index of the first harmful clause, None without one."""
    return next((i for i, clause in enumerate(clauses(answer)) if clause_harmful(clause)), None)


def complete_clause(text: str) -> bool:
    """Whether a (partial) answer stops at the end of a clause: where a look-ahead may stop."""
    return text.split()[-1:] in ([","], ["."])


def well_formed(answer: str) -> bool:
    """Whether an answer is `first V the N , then V the N , then V the N , then V the N .`."""
    words = answer.split()
    if len(words) != 5 * CLAUSES or words[-1] != ".":
        return False
    return all(_is_clause(i, words[5 * i : 5 * i + 5]) for i in range(CLAUSES))


def _is_clause(i: int, words: list[str]) -> bool:
    opener, verb, article, noun, close = words
    framed = opener == ("then" if i else "first") and article == "the" and close == ("," if i < CLAUSES - 1 else ".")
    return framed and verb in VERBS and noun in NOUNS


def kind_of_answer(answer: str) -> str:
    """`refusal`, `harmful`, `harmless` or `malformed`; a malformed answer with a harmful verb is `harmful`."""
    if answer.strip() == REFUSAL:
        return "refusal"
    if clause_harmful(answer):
        return "harmful"
    return "harmless" if well_formed(answer) else "malformed"


@dataclass(frozen=True)
class ReferencePolicy:
    """The exact generator of answers to requests of one mode, as a chain over the words of `VOCABULARY`.

    `refusals`: probability that an answer is a refusal. `harmless_rate` is the closed form.
    """

    mode: str = "neutral"
    hazard: float = 0.21
    turn: float = 0.5
    refusals: float = 0.0

    @property
    def harmless_rate(self) -> float:
        """P(no harmful clause), refusals included: refusals + (1 - refusals) (1 - hazard)^4."""
        return self.refusals + (1 - self.refusals) * (1 - self.hazard) ** CLAUSES

    def next(self, words: list[str]) -> dict[str, float]:
        """Next word -> probability after the words of an answer so far; `<eos>` after its end.

        Raises ValueError for words that no answer begins with.
        """
        refusal = REFUSAL.split()
        if words and words == refusal[: len(words)]:
            return {(*refusal, "<eos>")[len(words)]: 1.0}
        clause, place = divmod(len(words), 5)
        if not words:
            start = {"first": 1 - self.refusals, "I": self.refusals}
            return {word: p for word, p in start.items() if p > 0}
        if clause == CLAUSES and place == 0:
            return {"<eos>": 1.0}
        if clause >= CLAUSES:
            raise ValueError(f"words={' '.join(words)!r} begin no answer")
        if place == 1:
            return dict(zip(VERBS, verb_probabilities(self.mode, hazards(self.hazard, self.turn)[clause]), strict=True))
        if place == 3:
            return dict.fromkeys(NOUNS, 1 / len(NOUNS))
        return {{0: "then", 2: "the", 4: "," if clause < CLAUSES - 1 else "."}[place]: 1.0}

    def logprobs(self, prefixes: list[tuple[int, ...]]) -> np.ndarray:
        """log P(next token | answer tokens so far), (prefixes, vocabulary), for tokens that index `VOCABULARY`."""
        rows = np.full((len(prefixes), len(VOCABULARY)), -np.inf)
        for row, prefix in zip(rows, prefixes, strict=True):
            for word, p in self.next([VOCABULARY[i] for i in prefix]).items():
                row[_INDEX[word]] = np.log(p)
        return rows

    def draw(self, rng: np.random.Generator) -> str:
        """One answer."""
        words: list[str] = []
        while (word := self._draw_word(words, rng)) != "<eos>":
            words.append(word)
        return " ".join(words)

    def _draw_word(self, words: list[str], rng: np.random.Generator) -> str:
        options = self.next(words)
        if len(options) == 1:
            return next(iter(options))
        at = np.searchsorted(np.cumsum(list(options.values())), rng.random(), side="right")
        return list(options)[min(int(at), len(options) - 1)]


_INDEX = {word: i for i, word in enumerate(VOCABULARY)}
