"""Labelled images as samples of a density: scikit-learn's digits, and CIFAR-10. Version 1.

Pixels lie in [-1, 1], channels first. There is no known density: the truth is the data set, of which a part is held out
for measuring. All randomness comes from the generator that the caller passes.
"""

import io
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from autodidact.environments.mirror import read_dataset

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
    rows = read_dataset("uoft-cs/cifar10", "train")
    missing = {"img", "label"} - set(rows.columns)
    if missing:
        raise ValueError(f"uoft-cs/cifar10 lacks the column {sorted(missing)[0]!r}; it has {', '.join(rows.columns)}")
    rows = rows.head(limit) if limit else rows
    pixels = np.stack([_decode(cell, number) for number, cell in enumerate(rows["img"])])
    return Images(f"cifar10-{size}", shrink(pixels, size), _labels(rows["label"]), CIFAR10)


def shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    """(n, side, side, 3) bytes to (n, 3, size, size) float32 in [-1, 1]: each new pixel is the mean of a block."""
    n, side = pixels.shape[:2]
    blocks = pixels.reshape(n, size, side // size, size, side // size, -1).mean(axis=(2, 4), dtype=np.float32)
    return np.ascontiguousarray((blocks / 127.5 - 1).transpose(0, 3, 1, 2))


def _decode(cell: object, number: int) -> np.ndarray:
    """The pixels of one cell of the column `img`, (32, 32, 3) bytes; ValueError names the row."""
    from PIL import Image

    where = f"uoft-cs/cifar10, row {number}"
    data = cell.get("bytes") if isinstance(cell, dict) else None
    if not isinstance(data, bytes):
        raise ValueError(f"{where}: img must be a mapping with the image file's bytes, not {type(cell).__name__}")
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:  # what Pillow raises for files that are no, or half, an image
        raise ValueError(f"{where}: img is no readable image: {' '.join(str(error).split())[:80]}") from None
    if pixels.shape != (32, 32, 3):
        raise ValueError(f"{where}: img must be 32 x 32 pixels, not {pixels.shape[1]} x {pixels.shape[0]}")
    return pixels


def _labels(column: pd.Series) -> np.ndarray:
    labels = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    wrong = np.flatnonzero(~np.isin(labels, np.arange(len(CIFAR10))))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(f"uoft-cs/cifar10, row {row}: label must be 0 to 9, not {column.iloc[row]}")
    return labels.astype(int)
