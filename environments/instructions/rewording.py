"""Prompts said otherwise: demands re-ordered, dropped or changed, and how much of the intent is left."""

import numpy as np

from autodidact.environments.instructions.knobs import Knobs
from autodidact.environments.instructions.prompts import PHRASINGS, Prompt, Truth, satisfiable, say
from autodidact.environments.instructions.vocabulary import Lexicon


def paraphrase(knobs: Knobs, prompt: Prompt, rng: np.random.Generator, keep: float, phrasing: str | None) -> Prompt:
    """The prompt said otherwise: see `Instructions.paraphrase`."""
    phrasing = phrasing or prompt.truth.phrasing
    if phrasing not in PHRASINGS:
        raise ValueError(f"phrasing={phrasing!r} is unknown; known are {', '.join(PHRASINGS)}")
    if not 0 <= keep <= 1:
        raise ValueError(f"keep={keep} must lie in [0, 1]")
    length = prompt.truth.length if phrasing == "plain" else None
    truth = Truth(prompt.truth.topic, length, prompt.truth.demands, phrasing)
    if phrasing == "plain" and (length is None or rng.random() >= keep):
        truth = _other_length(knobs, truth, rng)
    for kind, word in prompt.truth.demands:
        if rng.random() >= keep:
            truth = _drop_or_change(knobs.words, truth, kind, word, rng)
    return Prompt(say(truth, rng.permutation(len(truth.demands)).tolist()), truth)


def _other_length(knobs: Knobs, truth: Truth, rng: np.random.Generator) -> Truth:
    lengths = [n for n in knobs.lengths if n != truth.length]
    options = [Truth(truth.topic, n, truth.demands, truth.phrasing) for n in lengths]
    options = [option for option in options if satisfiable(option)]
    return options[rng.integers(len(options))] if options else truth


def _drop_or_change(lexicon: Lexicon, truth: Truth, kind: str, word: str, rng: np.random.Generator) -> Truth:
    """The truth without this demand, or, half of the time if that can be satisfied, with another word in it."""
    words = [w for w in lexicon.words_for(kind, truth.topic) if w != word]
    changed = [
        Truth(truth.topic, truth.length, tuple((k, w if k == kind else v) for k, v in truth.demands), truth.phrasing)
        for w in words
    ]
    changed = [option for option in changed if satisfiable(option)]
    if changed and rng.random() < 0.5:
        return changed[rng.integers(len(changed))]
    rest = tuple(demand for demand in truth.demands if demand[0] != kind)
    return Truth(truth.topic, truth.length, rest, truth.phrasing)


def intent(truth: Truth, other: Truth) -> float:
    """The share of a truth's topic and demands, its length among them if it names one, that another truth still has."""
    mine = [truth.topic == other.topic, *(demand in other.demands for demand in truth.demands)]
    mine += [truth.length == other.length] if truth.length is not None else []
    return sum(mine) / len(mine)
