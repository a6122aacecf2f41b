"""Tools that check what a caption claims: exact programs on the pixels, with errors of their own at a set rate."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autodidact.environments.shapes.captions import Claim, claims
from autodidact.environments.shapes.reader import read
from autodidact.environments.shapes.scenes import MOST, Scene

TOOLS = ("detector", "colour", "counter")
LOWEST, HIGHEST = 1.0, 10.0  # of a score
Answers = dict[str, Any]


def tools(image: np.ndarray, claim: Claim, rng: np.random.Generator, error: float, persistent: bool = True) -> Answers:
    """What the tools say of a claim (colour, shape) about a picture, uint8 (32, 32, 3).

    detector: whether the shape is there; colour: whether one of that shape has the colour; counter: how many of the
    shape there are. With probability `error` each answer is wrong: the opposite, or a count that is one off. With
    `persistent` an error belongs to (image, tool, object), the object being the shape, for "colour" the claim: asked
    again, for whatever caption, the tool says the same, and `rng` is not used. Else each call errs anew.
    Raises ValueError for an error outside [0, 1] and for a picture of another size.
    """
    if not 0 <= error <= 1:
        raise ValueError(f"error={error} is a probability and must lie in [0, 1]")
    image = np.ascontiguousarray(image)
    key = image.tobytes()
    colour, shape = claim
    of_shape = [o for o in _seen(key, image.shape, image.dtype.str).objects if o.shape == shape]
    said: Answers = {
        "detector": bool(of_shape),
        "colour": any(o.colour == colour for o in of_shape),
        "counter": len(of_shape),
    }
    for tool in TOOLS:
        object_ = f"{colour} {shape}" if tool == "colour" else shape
        errs, up = _fixed(key, tool, object_) if persistent else rng.random(2)
        if errs < error:
            said[tool] = _one_off(said[tool], up < 0.5) if tool == "counter" else not said[tool]
    return said


def tool_score(caption: str, answers: Sequence[Answers], which: tuple[str, ...] = TOOLS) -> float:
    """How well the tools support a caption, in [1, 10]: what they support less what they contradict.

    answers: what `tools` said of each of `claims(caption)`, in order. A claim has one vote, the mean over the tools in
    `which` of +1 (supported) and -1: by the detector and the colour reader if they say yes, by the counter if the
    caption names as many of the shape as it counts. To repeat a claim is wrong, -1. The sum, cut to -5 to 5, is mapped
    linearly to 1 to 10, so a caption that says nothing gets 5.5. Raises ValueError if the answers are not as many as
    the claims, and for an empty `which` or an unknown tool in it.
    """
    named = claims(caption)
    if len(answers) != len(named):
        raise ValueError(f"answers must be one a claim: {len(answers)} were given for {len(named)}")
    if not which or not set(which) <= set(TOOLS):
        raise ValueError(f"which={which!r} must name some of {', '.join(TOOLS)}")
    shapes = [shape for _, shape in named]
    total = 0.0
    for i, (claim, said) in enumerate(zip(named, answers, strict=True)):
        agree = {
            "detector": said["detector"],
            "colour": said["colour"],
            "counter": said["counter"] == shapes.count(claim[1]),
        }
        total += -1.0 if claim in named[:i] else float(np.mean([1 if agree[tool] else -1 for tool in which]))
    share = (np.clip(total, -MOST, MOST) + MOST) / (2 * MOST)
    return float(LOWEST + (HIGHEST - LOWEST) * share)


def shuffle_tools(answers: Sequence[Sequence[Answers]], rng: np.random.Generator) -> list[list[Answers]]:
    """The answers of all captions dealt out anew, each tool's apart: as many to each, without what they knew."""
    pool = [said for row in answers for said in row]
    dealt: list[Answers] = [{} for _ in pool]
    for tool in TOOLS:
        for place, i in enumerate(rng.permutation(len(pool))):
            dealt[place][tool] = pool[i][tool]
    rest = iter(dealt)
    return [[next(rest) for _ in row] for row in answers]


def _one_off(count: int, up: bool) -> int:
    return count + 1 if up or not count else count - 1


def _fixed(key: bytes, tool: str, object_: str) -> tuple[float, float]:
    """Two numbers uniform in [0, 1) that belong to a picture, a tool and an object."""
    digest = hashlib.blake2b(key + f"{tool} {object_}".encode(), digest_size=16).digest()
    return tuple(int.from_bytes(part, "big") / 2**64 for part in (digest[:8], digest[8:]))


@lru_cache(maxsize=4096)
def _seen(key: bytes, shape: tuple[int, ...], kind: str) -> Scene:
    """`read` of a picture, once a picture: every candidate caption asks again."""
    return read(np.frombuffer(key, kind).reshape(shape))[0]
