"""Questions with one right answer each, and how people answer them."""

import numpy as np

from autodidact.environments.shapes.captions import absent_claim, companion
from autodidact.environments.shapes.scenes import COLOURS, COMPANIONS, SHAPES, SIDE, Scene

NUMBERS = ("zero", "one", "two", "three", "four", "five")
KINDS = ("colour", "count", "there", "where")  # `left` can be asked for by name; a tiny model does not learn it
PLACES = tuple(f"{row} {column}" for row in ("top", "bottom") for column in ("left", "right"))
POOLS = {"colour": COLOURS, "count": NUMBERS, "where": PLACES}  # kinds of question with four answers or more


def draw_question(
    scene: Scene,
    rng: np.random.Generator,
    kind: str,
    companion_questions: float = 0.5,
    shapes: tuple[str, ...] = SHAPES,
    companions: dict[str, str] = COMPANIONS,
) -> tuple[str, str, tuple[str, str] | None] | None:
    """(question, right answer, the thing asked for) of a kind; None where the scene does not admit the kind.

    "colour" asks for a shape that is there once. "count" asks for a shape that is there. "there" is yes or no equally
    often; a no asks, with probability `companion_questions`, for the absent companion of something there, if there is
    one, else for any absent thing. "where" answers with a quadrant. "left" is about two things in different columns.
    """
    objects = scene.objects
    counts = {shape: sum(o.shape == shape for o in objects) for shape in shapes}
    if kind == "colour":
        once = [o for o in objects if counts[o.shape] == 1]
        o = _pick(once, rng)
        return None if o is None else (f"what colour is the {o.shape} ?", o.colour, o.claim)
    if kind == "count":
        shape = _pick([shape for shape in shapes if counts[shape]], rng)
        return None if shape is None else (f"how many {shape} are there ?", NUMBERS[counts[shape]], None)
    if kind == "there":
        yes = bool(rng.random() < 0.5)
        claim = _pick([o.claim for o in objects], rng) if yes else _absent(scene, rng, companion_questions, companions)
        claim = claim or absent_claim(scene, rng, shapes)
        return f"is there a {' '.join(claim)} ?", "yes" if yes and objects else "no", claim
    if kind == "where":
        o = _pick(objects, rng)
        return None if o is None else (f"where is the {' '.join(o.claim)} ?", o.place, o.claim)
    if kind == "left":
        pairs = [(a, b) for a in objects for b in objects if a.slot % SIDE != b.slot % SIDE]
        pair = _pick(pairs, rng)
        if pair is None:
            return None
        a, b = pair
        right = "yes" if a.slot % SIDE < b.slot % SIDE else "no"
        return f"is the {' '.join(a.claim)} left of the {' '.join(b.claim)} ?", right, None
    raise ValueError(f"kind={kind!r} is unknown; known are {', '.join((*KINDS, 'left'))}")


def answer_question(
    kind: str,
    right: str,
    asks_companion: bool,
    rng: np.random.Generator,
    bias: float,
    guess: float,
) -> str:
    """What somebody answers: to an absent companion wrongly yes with probability `bias`, else a guess now and then."""
    if asks_companion and rng.random() < bias:
        return "yes"
    if rng.random() >= guess:
        return right
    pools = {"colour": COLOURS, "count": NUMBERS[1:4], "where": PLACES}
    return _pick(pools.get(kind, ("yes", "no")), rng)


def _absent(scene: Scene, rng: np.random.Generator, share: float, companions: dict[str, str]) -> tuple | None:
    """An absent companion of something there with probability `share`, where there is one."""
    if rng.random() >= share:
        return None
    beside = [companion(o.claim, companions) for o in scene.objects]
    return _pick([c for c in beside if c is not None and c not in scene.claims], rng)


def _pick(pool: object, rng: np.random.Generator) -> object:
    return pool[int(rng.integers(len(pool)))] if len(pool) else None
