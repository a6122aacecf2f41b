"""Corruptions of pictures: low resolution and colour jitter, each with a strength whose zero changes nothing."""

import numpy as np

BRIGHTNESS, HUE = 0.5, 0.3  # at strength 1, as in the authors' code (torchvision's ColorJitter)
HOWS = ("blur", "colour")


def corrupt_image(image: np.ndarray, rng: np.random.Generator, how: str, strength: float) -> np.ndarray:
    """A worse copy of a uint8 (height, width, 3) image.

    how: "blur" shrinks both sides to a share 1 - strength of their pixels, at least 1, and enlarges again, with a
    triangle filter; "colour" multiplies brightness by a factor within 1 +- 0.5 strength and turns hue by a share of the
    circle within +- 0.3 strength, both uniform. strength: in [0, 1]; at 0 the image comes back as it is.
    Raises ValueError for another `how` and for a strength outside its range.
    """
    if how not in HOWS:
        raise ValueError(f"how={how!r} is unknown; known are {', '.join(HOWS)}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength={strength} must lie in [0, 1]")
    if how == "blur":
        height, width = image.shape[:2]
        small = resize(image, _shrunk(height, strength), _shrunk(width, strength))
        return _bytes(resize(small, height, width))
    factor = 1 + BRIGHTNESS * strength * rng.uniform(-1, 1)
    return turn_hue(_bytes(image * factor), HUE * strength * rng.uniform(-1, 1))


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image at another size, float (height, width, 3): linear between pixels, over all that shrink into one."""
    if image.shape[:2] == (height, width):
        return image.astype(float)
    rows, columns = _weights(image.shape[0], height), _weights(image.shape[1], width)
    return np.einsum("hi,ijc,wj->hwc", rows, image.astype(float), columns)


def turn_hue(image: np.ndarray, share: float) -> np.ndarray:
    """A uint8 image with every hue moved by a share of the full circle, brightness and saturation kept."""
    if share == 0:
        return image
    rgb = image / 255
    high, low = rgb.max(axis=-1), rgb.min(axis=-1)
    chroma = high - low
    red, green, blue = np.moveaxis(rgb, -1, 0)
    safe = np.where(chroma > 0, chroma, 1)
    sixth = np.select(
        [high == red, high == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2], (red - green) / safe + 4
    )
    sixth = (sixth + 6 * share) % 6
    # A channel is high less chroma times a trapezoid of the hue, each channel's a third of the circle further on.
    steps = (np.array([5, 3, 1]) + sixth[..., None]) % 6
    trapezoid = np.clip(np.minimum(steps, 4 - steps), 0, 1)
    return _bytes(255 * (high[..., None] - chroma[..., None] * trapezoid))


def _shrunk(pixels: int, strength: float) -> int:
    return max(1, round(pixels * (1 - strength)))


def _weights(old: int, new: int) -> np.ndarray:
    """(new, old) weights of a triangle filter as wide as what shrinks into one pixel, rows of sum 1."""
    scale = old / new
    width = max(scale, 1.0)
    centres = (np.arange(new) + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs(np.arange(old) + 0.5 - centres[:, None]) / width)
    return weights / weights.sum(axis=1, keepdims=True)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
