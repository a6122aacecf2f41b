"""Scenes as very small pictures, 2 x 2 slots with one or two things, for models that draw pixels."""

import numpy as np

from autodidact.environments.shapes.captions import mentions
from autodidact.environments.shapes.prompts import Prompt, Truth
from autodidact.environments.shapes.reader import match
from autodidact.environments.shapes.rendering import GROUND, SHIFTS, SLOT, paint_slot
from autodidact.environments.shapes.scenes import COLOURS, SHAPES, Object, Scene

PLACES = {"top left": 0, "top right": 2, "bottom left": 8, "bottom right": 10}  # to the slot on the board of 4 x 4
SIDE = 2 * SLOT  # pixels
MOST = 2  # things
TOLERANCE = 0.02  # mean squared error of a slot, of values in [0, 1], up to which it is read: noise of 0.14


def draw_scene(rng: np.random.Generator, objects: tuple[int, int]) -> Scene:
    """A scene of `objects[0]` to `objects[1]` different things in different quadrants, all equally likely."""
    wanted = int(rng.integers(objects[0], objects[1] + 1))
    slots = rng.permutation(list(PLACES.values()))[:wanted]
    kinds = rng.permutation(len(SHAPES) * len(COLOURS))[:wanted]
    things = [(int(s), SHAPES[k % len(SHAPES)], COLOURS[k // len(SHAPES)]) for s, k in zip(slots, kinds, strict=True)]
    return Scene(tuple(sorted(Object(*thing) for thing in things)))


def render_small(scene: Scene, rng: np.random.Generator, noise: float = 0.0) -> np.ndarray:
    """The `small` picture of a scene: uint8 (16, 16, 3); glyphs shifted by 0 to 2 pixels, normal noise on every value.

    noise: standard deviation in units of full scale. Raises ValueError for one outside [0, 1], and for a scene with a
    thing that stands in none of the four slots 0, 2, 8, 10.
    """
    if not 0 <= noise <= 1:
        raise ValueError(f"noise={noise} is a share of full scale and must lie in [0, 1]")
    tiles = np.tile(GROUND, (len(PLACES), SLOT, SLOT, 1))
    slots = list(PLACES.values())
    for o in scene.objects:
        if o.slot not in slots:
            raise ValueError(f"scene has a thing in slot {o.slot}; a small picture has the slots 0, 2, 8 and 10 only")
        tiles[slots.index(o.slot)] = paint_slot(o.shape, o.colour, tuple(rng.integers(SHIFTS, size=2)))
    image = tiles.reshape(2, 2, SLOT, SLOT, 3).transpose(0, 2, 1, 3, 4).reshape(SIDE, SIDE, 3)
    if not noise:
        return image
    return np.clip(np.rint(image + rng.normal(0, 255 * noise, image.shape)), 0, 255).astype(np.uint8)


def read_small(image: np.ndarray) -> tuple[Scene, np.ndarray, np.ndarray]:
    """The scene that a small picture shows, a margin a slot and an error a slot, both (4,).

    As `read`; the error is the mean squared difference of a slot's values, in [0, 1], from its best template. Raises
    ValueError for what is no uint8 (16, 16, 3) array.
    """
    image = np.asarray(image)
    if image.shape != (SIDE, SIDE, 3) or image.dtype != np.uint8:
        raise ValueError(f"image must be uint8 ({SIDE}, {SIDE}, 3), not {image.dtype} {image.shape}")
    rows = image.reshape(2, SLOT, 2, SLOT, 3).transpose(0, 2, 1, 3, 4).reshape(len(PLACES), -1)
    labels, margin, distance = match(rows.astype(np.float32) / 255)
    things = [Object(slot, *label) for slot, label in zip(PLACES.values(), labels, strict=True) if label is not None]
    return Scene(tuple(things)), margin, distance / rows.shape[1]


def label_of(image: np.ndarray, tolerance: float = TOLERANCE) -> str | None:
    """The class that a small picture shows, None for none: a slot like no template, no thing, or more than two.

    tolerance: mean squared error of a slot, of values in [0, 1], up to which it counts as read.
    """
    scene, _, error = read_small(image)
    if error.max() > tolerance or not 1 <= len(scene.objects) <= MOST or len(scene.claims) < len(scene.objects):
        return None
    return class_of(scene)


def class_of(scene: Scene) -> str:
    """`a red circle at top left , a blue star at bottom right`: everything there in reading order."""
    return " , ".join(f"a {' '.join(o.claim)} at {o.place}" for o in scene.objects)


def code_of(text: str) -> np.ndarray:
    """A class as numbers, int (4, 2): of each quadrant the shape and the colour, counted from 1, 0 for empty.

    Raises ValueError for what is no class.
    """
    words, code = str(text).split(), np.zeros((len(PLACES), 2), int)
    for i, (colour, shape) in mentions(text):
        where = " ".join(words[i + 3 : i + 5])
        if where in PLACES:
            code[list(PLACES).index(where)] = 1 + SHAPES.index(shape), 1 + COLOURS.index(colour)
    things = [
        Object(slot, SHAPES[s - 1], COLOURS[c - 1]) for slot, (s, c) in zip(PLACES.values(), code, strict=True) if s
    ]
    if not things or class_of(Scene(tuple(things))) != text:
        raise ValueError(f"text={text!r} is no class; one is 'a red circle at top left'")
    return code


def pose(scene: Scene, picture: np.ndarray) -> Prompt:
    """A picture with its class as text and answer."""
    return Prompt(class_of(scene), picture, Truth(scene, "class", class_of(scene)))


def score(text: str, image: np.ndarray) -> float:
    """1 for a small picture of the class, 0 for any other and for what is no small picture."""
    image = np.asarray(image)
    fits = image.shape == (SIDE, SIDE, 3) and image.dtype == np.uint8
    return float(fits and label_of(image) == text)


def distance_to_real(images: np.ndarray, reference: np.ndarray) -> float:
    """The mean over images of the distance to the nearest reference image: realism, lower is better.

    images (n, ...), reference (m, ...): the same shape behind the first axis; Euclidean over all values, in units of
    full scale: bytes are divided by 255, floats stay. Raises ValueError if one is empty or their shapes differ.
    """
    images, reference = _flat("images", images), _flat("reference", reference)
    if images.shape[1] != reference.shape[1]:
        raise ValueError(f"images of {images.shape[1]} values cannot be compared with reference's {reference.shape[1]}")
    norms = (reference**2).sum(axis=1)
    nearest = []
    for start in range(0, len(images), 256):
        part = images[start : start + 256]
        closest = (norms - 2 * part @ reference.T).argmin(axis=1)
        nearest.append(np.linalg.norm(part - reference[closest], axis=1))
    return float(np.concatenate(nearest).mean())


def _flat(name: str, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim < 2 or not len(images):
        raise ValueError(f"{name} must be some images, (n, ...), not {images.shape}")
    return images.reshape(len(images), -1) / (255.0 if images.dtype == np.uint8 else 1.0)
