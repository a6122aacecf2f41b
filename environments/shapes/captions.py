"""Captions: what they claim, how people write them well and badly, and the requests that ask for them."""

import numpy as np

from autodidact.environments.shapes.scenes import COLOURS, COMPANIONS, SHAPES, Scene

Claim = tuple[str, str]
PLAIN = (
    "describe the image .",
    "what is in the image ?",
    "summarise the image .",
    "say what is there .",
    "name what is in view .",
    "tell what the image has .",
    "list what is there .",
    "give a short caption .",
)
GOOD = ("look at each place with care , name only what is there and leave nothing out .",)
IMAGINE = ("imagine what else fits .", "imagine what is out of view .")
REQUESTS = {"plain": PLAIN, "good": GOOD, "imagine": IMAGINE}


def mentions(caption: str, shapes: tuple[str, ...] = SHAPES) -> list[tuple[int, Claim]]:
    """(index of the colour among the caption's words, (colour, shape)) of every thing named, in order.

    A thing is named by `a <colour> <shape>`; whatever else the caption holds counts for nothing. Never raises.
    """
    words = str(caption).split()
    return [
        (i + 1, (words[i + 1], words[i + 2]))
        for i in range(len(words) - 2)
        if words[i] == "a" and words[i + 1] in COLOURS and words[i + 2] in shapes
    ]


def claims(caption: str, shapes: tuple[str, ...] = SHAPES) -> list[Claim]:
    """(colour, shape) of every thing that a caption names, in order, repetitions included."""
    return [claim for _, claim in mentions(caption, shapes)]


def claim_true(scene: Scene, claim: Claim) -> bool:
    """Whether the scene holds such a thing."""
    return claim in scene.claims


def companion(claim: Claim, companions: dict[str, str] = COMPANIONS) -> Claim | None:
    """What usually stands beside such a thing, None for a thing that comes alone."""
    colour, shape = claim
    return (colour, companions[shape]) if shape in companions else None


def is_companion_invention(scene: Scene, claim: Claim, companions: dict[str, str] = COMPANIONS) -> bool:
    """Whether the claim is false, and is the companion of something that is there."""
    return not claim_true(scene, claim) and claim in {companion(c, companions) for c in scene.claims}


def caption(named: list[Claim]) -> str:
    """`a red square , a red cross .`; of nothing, `nothing .`."""
    return " , ".join(f"a {colour} {shape}" for colour, shape in named) + " ." if named else "nothing ."


def write_caption(
    scene: Scene,
    rng: np.random.Generator,
    omit: float,
    invent: float,
    companions: dict[str, str] = COMPANIONS,
) -> str:
    """What somebody writes who leaves things out and adds what usually goes with what is there.

    Each thing is left out with probability `omit`. A companion that is absent is named right after the thing whose
    companion it is with probability `invent`, if that thing is named.
    """
    named: list[Claim] = []
    for o in scene.objects:
        left_out, added = rng.random(2) < (omit, invent)
        if left_out:
            continue
        named.append(o.claim)
        beside = companion(o.claim, companions)
        if beside is not None and not claim_true(scene, beside) and added:
            named.append(beside)
    return caption(named)


def imagined_caption(
    scene: Scene, rng: np.random.Generator, shapes: tuple[str, ...] = SHAPES, companions: dict[str, str] = COMPANIONS
) -> str:
    """What somebody writes who was asked to imagine: everything there, and one or two things more.

    They are companions that are absent, each right after its own thing; where none is, one absent thing comes last.
    """
    wanted = int(rng.integers(1, 3))
    named: list[Claim] = []
    for o in scene.objects:
        named.append(o.claim)
        beside = companion(o.claim, companions)
        if wanted and beside is not None and not claim_true(scene, beside):
            named.append(beside)
            wanted -= 1
    if set(named) == scene.claims:
        named.append(absent_claim(scene, rng, shapes))
    return caption(named)


def absent_claim(scene: Scene, rng: np.random.Generator, shapes: tuple[str, ...] = SHAPES) -> Claim:
    """A thing that is not there, all equally likely."""
    pool = [(colour, shape) for colour in COLOURS for shape in shapes if (colour, shape) not in scene.claims]
    return pool[int(rng.integers(len(pool)))]
