"""Atomic facts of a text: what it says of a picture, one yes-or-no question each."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodidact.environments.shapes.captions import Claim, absent_claim
from autodidact.environments.shapes.grid import GROUNDS, grid_of, ground_of, read_grid
from autodidact.environments.shapes.scenes import COLOURS, SHAPES, SIDE, Object, Scene

KINDS = ("colour", "there", "left", "above")  # the kinds of question about a drawing; the first asks for no fact
ASKED = ("colour", "there", "there", "left", "above")  # and how often: of one thing as often as of two
RELATIONS = {"left": "left of", "above": "above"}
TRIES = 1000  # layouts drawn before a text counts as impossible
_THING = re.compile(
    rf"\ba ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})\b(?: at row ([1-{SIDE}]) column ([1-{SIDE}])(?!\S))?"
)
_GROUND = re.compile(rf"\bon a ({'|'.join(GROUNDS)}) ground\b")


@dataclass(frozen=True)
class Fact:
    """One thing that can be true or false of a picture.

    kind and about: "there": (claim,); "left" and "above": (claim, claim); "at": (claim, slot); "ground": (ground,).
    """

    kind: str
    about: tuple[Any, ...]

    @property
    def question(self) -> str:
        """The question whose answer is yes where the fact holds."""
        first = self.about[0]
        if self.kind == "there":
            return f"is there a {' '.join(first)} ?"
        if self.kind == "ground":
            return f"is the ground {first} ?"
        if self.kind == "at":
            return f"is the {' '.join(first)} {at(self.about[1])} ?"
        return f"is the {' '.join(first)} {RELATIONS[self.kind]} the {' '.join(self.about[1])} ?"

    def holds(self, scene: Scene, ground: str | None = None) -> bool:
        """Whether it is so; what is said of an absent thing is false."""
        if self.kind == "ground":
            return self.about[0] == ground
        slots = {o.claim: o.slot for o in scene.objects}
        if self.about[0] not in slots:
            return False
        slot = slots[self.about[0]]
        if self.kind == "there":
            return True
        if self.kind == "at":
            return slot == self.about[1]
        if self.about[1] not in slots:
            return False
        other = slots[self.about[1]]
        return slot % SIDE < other % SIDE if self.kind == "left" else slot // SIDE < other // SIDE


def at(slot: int) -> str:
    """A slot in words: `at row 2 column 1`."""
    return f"at row {1 + slot // SIDE} column {1 + slot % SIDE}"


def facts_of(text: str) -> list[Fact]:
    """Everything that a caption or a request to draw says, in order and once each; never raises.

    A thing is named by `a <colour> <shape>`, its place by `at row 2 column 1` behind it; ` left of ` or ` above `
    between two things relates them; `on a dotted ground` names the ground.
    """
    text = str(text)
    things = list(_THING.finditer(text))
    facts = [Fact("there", (found.groups()[:2],)) for found in things]
    for one, two in zip(things, things[1:], strict=False):
        between = text[one.end() : two.start()].strip()
        facts += [Fact(kind, (one.groups()[:2], two.groups()[:2])) for kind, w in RELATIONS.items() if w == between]
    for found in things:
        colour, shape, row, column = found.groups()
        if row:
            facts.append(Fact("at", ((colour, shape), SIDE * (int(row) - 1) + int(column) - 1)))
    facts += [Fact("ground", (found[1],)) for found in _GROUND.finditer(text)]
    return list(dict.fromkeys(facts))


def questions_of(text: str) -> list[tuple[str, str]]:
    """(question, expected answer) of every atomic fact of a text, as in decomposed self-questioning; never raises."""
    return [(fact.question, "yes") for fact in facts_of(text)]


def satisfied(text: str, drawing: str | np.ndarray) -> list[bool]:
    """Which of `questions_of(text)` are truly answered by yes of a drawing; none is of what is no drawing."""
    facts, grid = facts_of(text), grid_of(drawing)
    if grid is None:
        return [False] * len(facts)
    (scene, _), ground = read_grid(grid), ground_of(grid)
    return [fact.holds(scene, ground) for fact in facts]


def draw_question(scene: Scene, rng: np.random.Generator, kind: str) -> tuple[str, str, Claim] | None:
    """(question, right answer, the thing asked for) about a drawing; None where the scene does not admit the kind.

    Yes and no are equally frequent. "there": half of the no ask for the colour of one thing with the shape of another,
    where that is absent: what a wrong binding would show. "left", "above": of two things in different columns, or
    rows; a no has them in the wrong order. Raises ValueError for an unknown kind.
    """
    if kind not in KINDS[1:]:
        raise ValueError(f"kind={kind!r} is unknown; known of drawings are {', '.join(KINDS)}")
    yes = bool(rng.random() < 0.5)
    if kind == "there":
        claims = sorted(scene.claims) if yes else _bound_wrongly(scene) if rng.random() < 0.5 else []
        claim = claims[int(rng.integers(len(claims)))] if claims else absent_claim(scene, rng)
        return Fact(kind, (claim,)).question, "yes" if yes and claims else "no", claim
    pairs = [
        Fact(kind, (a.claim, b.claim) if yes else (b.claim, a.claim))
        for a in scene.objects
        for b in scene.objects
        if Fact(kind, (a.claim, b.claim)).holds(scene)
    ]
    if not pairs:
        return None
    fact = pairs[int(rng.integers(len(pairs)))]
    return fact.question, "yes" if yes else "no", fact.about[0]


def _bound_wrongly(scene: Scene) -> list[Claim]:
    """Colours of things there with the shapes of others, where no such thing is there."""
    crossed = {(a.colour, b.shape) for a in scene.objects for b in scene.objects}
    return sorted(crossed - scene.claims)


def place(text: str, rng: np.random.Generator) -> Scene:
    """A scene of just what a text names, where it says and anywhere else, all fitting layouts equally likely.

    Raises ValueError where none fits.
    """
    facts = facts_of(text)
    claims = [fact.about[0] for fact in facts if fact.kind == "there"]
    fixed = dict(fact.about for fact in facts if fact.kind == "at")
    held = [fact for fact in facts if fact.kind != "ground"]
    free = [slot for slot in range(SIDE * SIDE) if slot not in fixed.values()]
    loose = [claim for claim in claims if claim not in fixed]
    if len(set(fixed.values())) == len(fixed) and len(loose) <= len(free):
        for _ in range(TRIES):
            slots = fixed | dict(zip(loose, rng.permutation(free)[: len(loose)].tolist(), strict=True))
            scene = Scene(tuple(sorted(Object(slots[c], c[1], c[0]) for c in claims)))
            if all(fact.holds(scene) for fact in held):
                return scene
    raise ValueError(f"text={text!r} asks for what no scene shows")
