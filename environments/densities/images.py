"""Labelled images as samples of a density: scikit-learn's digits, and CIFAR-10. Version 1.

Pixels lie in [-1, 1], channels first. There is no known density: the truth is the data set, of which a part is held out
for measuring. All randomness comes from the generator that the caller passes.
"""

import io
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from autodidact.environments.mirror import Rows, read_dataset

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HELD_OUT = 5  # every fifth image only measures


@dataclass(frozen=True, eq=False)
class Images:
    """A set of labelled images with a training and a held-out part.

    images: (n, channels, size, size) float32 in [-1, 1]. labels: (n,) whole numbers. names: of the classes.
    """

    name: str
    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    names: tuple[str, ...]
    version: str = "1"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.images.shape[1:]

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of `train` or `held-out`; the two share none. ValueError for another name."""
        if name not in ("train", "held-out"):
            raise ValueError(f"split={name!r} is unknown; known are 'train' and 'held-out'")
        chosen = (np.arange(len(self.labels)) % HELD_OUT == 0) == (name == "held-out")
        return self.images[chosen], self.labels[chosen]

    def sample(self, n: int, rng: np.random.Generator, split: str = "train") -> np.ndarray:
        """`n` images of a split, (n, channels, size, size), drawn without repeats as long as there are enough."""
        images, _ = self.split(split)
        return images[rng.choice(len(images), size=n, replace=n > len(images))]


@lru_cache(maxsize=1)
def digits() -> Images:
    """The 1,797 handwritten digits of scikit-learn, 8x8, one channel, 16 grey levels; they come with the package."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images[:, None] / 8 - 1).astype(np.float32)
    return Images("digits", images, bunch.target.astype(int), tuple(str(i) for i in range(10)))


@lru_cache(maxsize=2)
def cifar10(size: int = 32, limit: int | None = None) -> Images:
    """The 50,000 training images of CIFAR-10 (uoft-cs/cifar10), 3 x size x size, shrunk by averaging blocks of pixels.

    limit: read only the first so many. Raises ValueError for a size that does not divide 32, and for a file with a
    missing column, a corrupt image or a label out of range, naming the row.
    """
    if size < 1 or 32 % size:
        raise ValueError(f"size={size} must divide 32")
    import pyarrow as pa

    schema = pa.schema({"img": pa.struct({"bytes": pa.binary()}), "label": pa.int64()})
    rows = read_dataset("uoft-cs/cifar10", "train", schema)
    pixels = np.stack([_decode(rows, number) for number in range(len(rows))[:limit]])
    return Images(f"cifar10-{size}", shrink(pixels, size), _labels(rows)[:limit], CIFAR10)


def shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    """(n, side, side, 3) bytes to (n, 3, size, size) float32 in [-1, 1]: each new pixel is the mean of a block."""
    n, side = pixels.shape[:2]
    blocks = pixels.reshape(n, size, side // size, size, side // size, -1).mean(axis=(2, 4), dtype=np.float32)
    return np.ascontiguousarray((blocks / 127.5 - 1).transpose(0, 3, 1, 2))


def _decode(rows: Rows, number: int) -> np.ndarray:
    """The pixels of one cell of the column `img`, (32, 32, 3) bytes; ValueError names the row."""
    from PIL import Image

    data = rows["img"][number]["bytes"]
    if data is None:
        raise rows.error("img", number, "must hold the image file's bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:  # what Pillow raises for files that are no, or half, an image
        raise rows.error("img", number, f"is no readable image: {' '.join(str(error).split())[:80]}") from None
    if pixels.shape != (32, 32, 3):
        raise rows.error("img", number, f"must be 32 x 32 pixels, not {pixels.shape[1]} x {pixels.shape[0]}")
    return pixels


def _labels(rows: Rows) -> np.ndarray:
    labels = np.array(rows["label"], dtype=int)
    for number in np.flatnonzero((labels < 0) | (labels >= len(CIFAR10)))[:1].tolist():
        raise rows.error("label", number, f"must be 0 to {len(CIFAR10) - 1}, not {labels[number]}")
    return labels
