"""The almanac: facts about invented things, half of which most people get wrong, and the texts that state them."""

from dataclasses import dataclass

import numpy as np

from autodidact.environments.facts.vocabulary import KINDS, NAMES, RELATIONS, VALUES, VOICES


@dataclass(frozen=True)
class Fact:
    """One property of one thing: its true value, and the popular false one (None where there is no mistake)."""

    domain: str
    kind: str
    entity: str
    relation: str
    true: str
    popular: str | None


def make_almanac(rng: np.random.Generator, entities: int = 20) -> tuple[Fact, ...]:
    """All facts about `entities` things of each of the four kinds; exactly half of each domain's are misconceptions.

    A popular value differs from the true one and comes from the same list. Raises ValueError for entities outside
    1..20.
    """
    most = len(NAMES["stone"])
    if not 1 <= entities <= most:
        raise ValueError(f"entities={entities} must lie in 1..{most}")
    facts = []
    for domain, kinds in KINDS.items():
        keys = [(k, e, r) for k in kinds for e in NAMES[k][:entities] for r in RELATIONS[domain]]
        mistaken = set(rng.permutation(len(keys))[: len(keys) // 2].tolist())
        for i, (kind, entity, relation) in enumerate(keys):
            true, popular = (VALUES[relation][j] for j in rng.choice(len(VALUES[relation]), size=2, replace=False))
            facts.append(Fact(domain, kind, entity, relation, true, popular if i in mistaken else None))
    return tuple(facts)


def question(fact: Fact) -> str:
    """The prompt that asks for a fact, without its answer."""
    return f"Question: what is the {fact.relation} of the {fact.entity} {fact.kind} ? Answer:"


def statement(value: str, voice: str | None) -> str:
    """A value in a frame: in the careful or the popular voice, or (None) without a lead-in."""
    return " ".join([*(VOICES[voice] if voice else ()), "it is", value, "."])


def stated(answer: str) -> str | None:
    """The value that a well-formed answer states, whatever its voice; None for any other text."""
    words = answer.split()
    lead = tuple(words[:-4])
    if len(words) < 4 or words[-4:-2] != ["it", "is"] or words[-1] != ".":
        return None
    return words[-2] if lead in ((), *VOICES.values()) else None


def pair_text(fact: Fact, first: str, second: str, lead_in: str = "visible") -> str:
    """`<question> Correct: <first value, careful> Incorrect: <second value, popular>`."""
    careful, popular = ("careful", "popular") if lead_in == "visible" else (None, None)
    head = question(fact).removesuffix(" Answer:")
    return f"{head} Correct: {statement(first, careful)} Incorrect: {statement(second, popular)}"


def parse_pair(text: str) -> tuple[str, str] | None:
    """(correct, incorrect) of a text with exactly one `Incorrect:`, after the last `Correct:`; else None."""
    parts = text.split(" Incorrect: ")
    if len(parts) != 2 or " Correct: " not in parts[0]:
        return None
    correct, incorrect = parts[0].rpartition(" Correct: ")[2].strip(), parts[1].strip()
    return (correct, incorrect) if correct and incorrect else None
