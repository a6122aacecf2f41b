"""Requests to draw, their perturbed and densified versions, and how people draw."""

import numpy as np

from autodidact.environments.shapes.facts import RELATIONS, Fact, at, facts_of, place, satisfied
from autodidact.environments.shapes.grid import GROUNDS, NEXT, TOKENS, render_grid, text_of
from autodidact.environments.shapes.knobs import Knobs
from autodidact.environments.shapes.prompts import Prompt, Truth
from autodidact.environments.shapes.scenes import COLOURS, SHAPES, Object, Scene

PERTURBATIONS = ("replace", "swap", "drop")
DENSIFIED = 0.5  # share of lessons whose request is densified
_WORDS = "draw above at row column on ground 1 2 3 4"
WORDS = (*_WORDS.split(), *GROUNDS, *TOKENS, NEXT)


def pose(knobs: Knobs, scene: Scene, picture: np.ndarray, rng: np.random.Generator) -> Prompt:
    """`draw a red circle left of a blue star , a green ring .`: the things of a scene in any order.

    With `draw_relations` the first two are related as they are in the scene, by any relation that holds.
    """
    things = [scene.objects[i] for i in rng.permutation(len(scene.objects))]
    relation = None
    if knobs.draw_relations and len(things) > 1:
        held = _relations(scene, things)
        if not held:
            things[:2] = things[1::-1]
            held = _relations(scene, things)
        relation = held[int(rng.integers(len(held)))]
    return Prompt(write(things, relation), None, Truth(scene, "draw"))


def write(things: list[Object], relation: str | None = None) -> str:
    """The short request: things in this order, the first two related by "left", "above" or not at all."""
    named = [f"a {' '.join(o.claim)}" for o in things]
    if relation is not None:
        named[:2] = [f"{named[0]} {RELATIONS[relation]} {named[1]}"]
    return f"draw {' , '.join(named)} ."


def densify(prompt: Prompt, ground: str) -> Prompt:
    """The same things in the same order at their places in the prompt's own scene, on a ground."""
    placed = [f"a {' '.join(o.claim)} {at(o.slot)}" for o in _named(prompt)]
    return prompt.ask(f"draw {' , '.join(placed)} , on a {ground} ground .")


def densify_pair(x: Prompt, x2: Prompt, rng: np.random.Generator) -> tuple[Prompt, Prompt]:
    """A request and its perturbed version with the same places and ground, any one: they differ in what changed only.

    Raises ValueError if x2 puts a thing where x has none, so that it is no perturbed x.
    """
    slots, slots2 = ({o.slot for o in _named(p)} for p in (x, x2))
    if not slots2 <= slots:
        raise ValueError(f"x2={x2.text!r} is not made of x={x.text!r}: it has things in other places")
    ground = GROUNDS[int(rng.integers(len(GROUNDS)))]
    return densify(x, ground), densify(x2, ground)


def perturb_prompt(prompt: Prompt, rng: np.random.Generator, kind: str) -> Prompt:
    """A request that says something else, with a scene that fits it and agrees with the old one elsewhere.

    "replace" gives a thing another colour or shape; "swap" exchanges the colours of two things, or the roles in the
    relation; "drop" leaves a thing out, and the relation with it. All such changes are equally likely. Drawings of the
    new request violate the old one. Drawings of the old request violate the new one too, save after "drop", where they
    show more than asked. Nothing keeps the new set of things in the split of the old one: use it for contrast only.
    Raises ValueError for another kind, for a prompt that is no short request to draw, and where no such change exists.
    """
    if kind not in PERTURBATIONS:
        raise ValueError(f"kind={kind!r} is unknown; known are {', '.join(PERTURBATIONS)}")
    facts = facts_of(prompt.text)
    if any(fact.kind in ("at", "ground") for fact in facts):
        raise ValueError(f"prompt={prompt.text!r} is densified; perturb the short one, and densify the pair")
    things = _named(prompt)
    relation = next((fact.kind for fact in facts if fact.kind in RELATIONS), None)
    changed = {"replace": _replaced, "swap": _swapped, "drop": _dropped}[kind](things, relation)
    if not changed:
        raise ValueError(f"kind={kind!r} is not possible for {prompt.text!r}")
    things, relation = changed[int(rng.integers(len(changed)))]
    return Prompt(write(things, relation), None, Truth(Scene(tuple(sorted(things))), "draw"))


def lesson(knobs: Knobs, prompt: Prompt, rng: np.random.Generator) -> tuple[Prompt, str]:
    """A demonstration for the corpus: a request, half of the time densified, and what people draw."""
    if rng.random() < DENSIFIED:
        prompt = densify(prompt, GROUNDS[int(rng.integers(len(GROUNDS)))])
    return prompt, demonstrate(prompt, rng, knobs.swap_share)


def demonstrate(prompt: Prompt, rng: np.random.Generator, slip: float) -> str:
    """The text of a drawing of what a request says; what it leaves open, places and ground, is free.

    With probability `slip` two things have each other's colours or one is missing, evenly where both can be.
    """
    facts = facts_of(prompt.text)
    scene = place(prompt.text, rng)
    grounds = [fact.about[0] for fact in facts if fact.kind == "ground"] or GROUNDS
    ground = grounds[int(rng.integers(len(grounds)))]
    if rng.random() < slip:
        things = list(scene.objects)
        options = [made for made in (_swapped(things, None), _dropped(things, None)) if made]
        if options:
            made = options[int(rng.integers(len(options)))]
            scene = Scene(tuple(sorted(made[int(rng.integers(len(made)))][0])))
    return text_of(render_grid(scene, ground))


def score(text: str, drawing: str | np.ndarray) -> float:
    """The share of a text's atomic facts that a drawing satisfies, in [0, 1]; 0 for what is no drawing."""
    held = satisfied(text, drawing)
    return float(np.mean(held)) if held else 0.0


def _named(prompt: Prompt) -> list[Object]:
    """The things of a request in the order of its text, at their places in its scene."""
    if prompt.truth.kind != "draw":
        raise ValueError(f"prompt={prompt.text!r} is no request to draw; its kind is {prompt.truth.kind!r}")
    there = {o.claim: o for o in prompt.truth.scene.objects}
    named = [fact.about[0] for fact in facts_of(prompt.text) if fact.kind == "there"]
    if not set(named) <= set(there):
        raise ValueError(f"prompt={prompt.text!r} names what is not in its own scene: it was reworded")
    return [there[claim] for claim in named]


def _relations(scene: Scene, things: list[Object]) -> list[str]:
    return [kind for kind in RELATIONS if Fact(kind, (things[0].claim, things[1].claim)).holds(scene)]


Request = tuple[list[Object], str | None]


def _replaced(things: list[Object], relation: str | None) -> list[Request]:
    claims = {o.claim for o in things}
    others = [
        (i, Object(o.slot, shape, colour))
        for i, o in enumerate(things)
        for colour in COLOURS
        for shape in SHAPES
        if (colour == o.colour) != (shape == o.shape) and (colour, shape) not in claims
    ]
    return [([*things[:i], new, *things[i + 1 :]], relation) for i, new in others]


def _swapped(things: list[Object], relation: str | None) -> list[Request]:
    found: list[Request] = []
    for j, b in enumerate(things):
        for i, a in enumerate(things[:j]):
            crossed = {(b.colour, a.shape), (a.colour, b.shape)}
            if a.colour != b.colour and a.shape != b.shape and not crossed & {o.claim for o in things}:
                new = list(things)
                new[i], new[j] = Object(a.slot, a.shape, b.colour), Object(b.slot, b.shape, a.colour)
                found.append((new, relation))
    if relation is not None:
        a, b = things[:2]
        found.append(([Object(a.slot, b.shape, b.colour), Object(b.slot, a.shape, a.colour), *things[2:]], relation))
    return found


def _dropped(things: list[Object], relation: str | None) -> list[Request]:
    if len(things) < 2:
        return []
    return [([*things[:i], *things[i + 1 :]], relation if i > 1 else None) for i in range(len(things))]
