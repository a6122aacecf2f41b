"""Pointwise judging: criteria, judgements in words (findings, then a mark from 1 to 5), parsing and corruption."""

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from autodidact.environments.judging.answers import findings
from autodidact.environments.judging.requests import Prompt
from autodidact.environments.judging.vocabulary import FINDINGS

TOTAL = 4
Criterion = tuple[tuple[str, int], ...]
_WEIGHTS = {2: ((1, 3), (2, 2), (3, 1)), 3: ((1, 1, 2), (1, 2, 1), (2, 1, 1)), 4: ((1, 1, 1, 1),)}
CRITERIA: tuple[Criterion, ...] = tuple(
    tuple(zip(names, weights, strict=True))
    for n, options in _WEIGHTS.items()
    for names in combinations(FINDINGS, n)
    for weights in options
)  # 30 of two findings, 30 of three, 5 of four


@dataclass(frozen=True)
class Judgement:
    """A judge's findings, in the order of the criterion, and its mark; `criterion` says what they weigh."""

    findings: dict[str, bool]
    mark: int
    criterion: Criterion | None = None

    @property
    def consistent(self) -> bool | None:
        """Whether the mark follows from the judgement's own findings; None if the criterion is not known."""
        if self.criterion is None:
            return None
        return set(self.findings) == set(dict(self.criterion)) and self.mark == _mark(self.findings, self.criterion)

    @property
    def text(self) -> str:
        """`order : yes . topic : no . mark : 3`."""
        said = [f"{name} : {'yes' if met else 'no'} ." for name, met in self.findings.items()]
        return " ".join([*said, f"mark : {self.mark}"])


def criteria(n: int, rng: np.random.Generator) -> list[Criterion]:
    """n criteria drawn with replacement, the findings of each in random order."""
    chosen = [CRITERIA[i] for i in rng.integers(len(CRITERIA), size=n)]
    return [tuple(criterion[i] for i in rng.permutation(len(criterion))) for criterion in chosen]


def mark(prompt: Prompt, answer: str, criterion: Criterion) -> int:
    """Gold mark: 1 + the weights of the findings that are met, 1 to 5."""
    return _mark(findings(prompt, answer), criterion)


def gold_judgement(prompt: Prompt, answer: str, criterion: Criterion) -> str:
    """The right findings and the mark that follows from them."""
    met = findings(prompt, answer)
    return Judgement({name: met[name] for name, _ in criterion}, _mark(met, criterion), criterion).text


def noisy_judgement(
    prompt: Prompt,
    answer: str,
    criterion: Criterion,
    rng: np.random.Generator,
    *,
    finding_flip: float = 0.15,
    mark_slip: float = 0.10,
    inverted: tuple[str, float] | None = None,
    inverted_when: str | None = None,
) -> str:
    """A judgement with independent flips of findings and slips of the mark, and one finding systematically inverted.

    inverted: (finding, share of judgements that invert it); inverted_when: only where this ending is asked.
    """
    met = {name: findings(prompt, answer)[name] ^ bool(rng.random() < finding_flip) for name, _ in criterion}
    if inverted and inverted[0] in met and inverted_when in (None, prompt.ending) and rng.random() < inverted[1]:
        met[inverted[0]] = not findings(prompt, answer)[inverted[0]]
    said = Judgement(met, _mark(met, criterion), criterion)
    return (corrupt(said, rng, "mark") if rng.random() < mark_slip else said).text


def corrupt(judgement: Judgement, rng: np.random.Generator, what: str) -> Judgement:
    """`findings`: flip one, mark kept; `mark`: slip by one or two, findings kept; `both`: flip one, mark follows."""
    if what not in ("findings", "mark", "both"):
        raise ValueError(f"what={what!r} is unknown; it must be findings, mark or both")
    if what == "mark":
        near = [m for m in range(1, 6) if 1 <= abs(m - judgement.mark) <= 2]
        return Judgement(judgement.findings, int(rng.choice(near)), judgement.criterion)
    name = list(judgement.findings)[rng.integers(len(judgement.findings))]
    flipped = {**judgement.findings, name: not judgement.findings[name]}
    if what == "findings":
        return Judgement(flipped, judgement.mark, judgement.criterion)
    if judgement.criterion is None:
        raise ValueError("what='both' needs a judgement with its criterion: the mark must follow from the findings")
    return Judgement(flipped, _mark(flipped, judgement.criterion), judgement.criterion)


def parse(text: str, criterion: Criterion | None = None) -> Judgement | None:
    """The judgement that a text states, None if it states none; never an error."""
    whole = re.fullmatch(r"\s*((?:\w+ ?: ?(?:yes|no) ?\. ?)+)mark ?: ?([1-5])\s*", text)
    if whole is None:
        return None
    said = re.findall(r"(\w+) ?: ?(yes|no)", whole[1])
    names = [name for name, _ in said]
    if len(set(names)) < len(names) or not set(names) <= set(FINDINGS):
        return None
    return Judgement({name: word == "yes" for name, word in said}, int(whole[2]), criterion)


def judgement_prompt(prompt: Prompt, answer: str, criterion: Criterion) -> str:
    """What a pointwise judge reads."""
    asked = " , ".join(f"{name} {weight}" for name, weight in criterion)
    return f"Criteria : {asked} . Request : {prompt.text} Answer : {answer} Judge :"


def _mark(met: dict[str, bool], criterion: Criterion) -> int:
    return 1 + sum(weight for name, weight in criterion if met[name])
