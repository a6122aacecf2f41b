"""Policies that see: pictures enter a causal language model as further token ids, so that all that handles ids serves.

A picture is encoded once by a frozen encoder; its patches become rows of a `Gallery`, and row r has the token id
V + r, where V is the number of words. The embedding of a word is the language model's own, that of a patch a projection
of its features (`SightedEmbedding`). Sampling, scoring and TRL's trainers then see token ids and nothing else, and a
policy and all its descendants share one gallery.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.models.policy import Policy


class Seen(Protocol):
    """A prompt with a picture; prompts are told apart by their hash and equality."""

    text: str
    image: np.ndarray | None  # what the encoder of the gallery takes; None where there is nothing to look at


class Gallery:
    """The patches of all pictures seen so far.

    encode: pictures, uint8 (height, width, 3), or drawings, int (height, width), to features (patches, width) each,
    without gradient. `features` holds them one under another, (rows, width), float32 on the CPU. It grows by every new
    picture: 16 rows in the tiny world, some 2,000 rows of 4,096 numbers (16 MB in bfloat16, see `dtype`) for LLaVA-1.6;
    `clear` empties it.
    """

    def __init__(self, encode: Callable[[Sequence[np.ndarray]], list[Tensor]], dtype: torch.dtype = torch.float32):
        self.encode = encode
        self.dtype = dtype
        self.clear()

    def __deepcopy__(self, memo: dict) -> "Gallery":
        return self  # copies of a policy look at the same pictures

    def clear(self) -> None:
        """Forget every picture; token ids given out before mean nothing any more."""
        self._rows: list[Tensor] = []
        self._place: dict[bytes, range] = {}
        self._stacked: Tensor | None = None
        self._count = 0

    def hang(self, images: Sequence[np.ndarray]) -> list[range]:
        """The rows of every picture, in order; each different picture is encoded once.

        Raises ValueError for a picture that is no uint8 (height, width, 3) and no int (height, width) array.
        """
        keys = [_digest(image) for image in images]
        fresh = {key: image for key, image in zip(keys, images, strict=True) if key not in self._place}
        if fresh:
            with torch.no_grad():
                encoded = self.encode(list(fresh.values()))
            for key, features in zip(fresh, encoded, strict=True):
                self._place[key] = range(self._count, self._count + len(features))
                self._count += len(features)
                self._rows.append(features.detach().to("cpu", self.dtype))
            self._stacked = None
        return [self._place[key] for key in keys]

    @property
    def features(self) -> Tensor:
        """All rows, (rows, width)."""
        if self._stacked is None:
            self._stacked = torch.cat(self._rows)
            self._rows = [self._stacked]
        return self._stacked


def _digest(image: np.ndarray) -> bytes:
    if not isinstance(image, np.ndarray):
        raise ValueError(f"image must be a numpy array, not {type(image).__name__}")
    pixels = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    if not pixels and not (image.dtype.kind == "i" and image.ndim == 2):  # two-dimensional uint8 is no drawing: grey
        what = f"{image.dtype} {image.shape}"
        raise ValueError(f"image must be a uint8 (height, width, 3) or an int (height, width) array, not {what}")
    kind = f"{image.dtype.str} {image.shape}".encode()
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes() + kind, digest_size=16).digest()


class SightedEmbedding(nn.Module):
    """Embeds words by a language model's own table, and ids from its length on by projected rows of a gallery."""

    def __init__(self, words: nn.Embedding, gallery: Gallery, projection: nn.Module) -> None:
        super().__init__()
        self.words = words
        self.gallery = gallery
        self.projection = projection

    @property
    def weight(self) -> Tensor:
        """The table of the words, (words, width): what code that asks an embedding for its weight means."""
        return self.words.weight

    def forward(self, ids: Tensor) -> Tensor:
        """(batch, length) ids to (batch, length, width) embeddings."""
        seen = ids >= self.words.num_embeddings
        embedded = self.words(ids.masked_fill(seen, 0))
        if not seen.any():
            return embedded
        features = self.gallery.features[(ids[seen] - self.words.num_embeddings).cpu()]
        patches = self.projection(features.to(embedded.device, embedded.dtype))
        return embedded.masked_scatter(seen[..., None], patches.to(embedded.dtype))


def sighted(model: nn.Module, gallery: Gallery, projection: nn.Module) -> nn.Module:
    """The causal language model, its embedding replaced by one that sees."""
    model.set_input_embeddings(SightedEmbedding(model.get_input_embeddings(), gallery, projection))
    return model


class VisionPolicy(Policy):
    """A policy whose prompts are `Seen`: objects with a text and a picture, or none. Else as `Policy`.

    model: a causal language model made by `sighted`. layout: (tokenizer, prompts, ids of each picture's patches) to
    the ids of every prompt; by default `picture_first`, that of the tiny model.
    """

    def __init__(self, model: nn.Module, tokenizer: Any, name: str = "", layout: Callable | None = None) -> None:
        super().__init__(model, tokenizer, name)
        self.layout = layout or picture_first

    @property
    def gallery(self) -> Gallery:
        """The pictures that this policy and its relatives have seen."""
        return self.model.get_input_embeddings().gallery

    @property
    def words(self) -> int:
        """The number of ids that are words; higher ones are patches."""
        return self.model.get_input_embeddings().words.num_embeddings

    def encode(self, prompt: Seen) -> list[int]:
        """Ids of picture and text, ready for the response to follow."""
        return self.encode_prompts([prompt])[prompt]

    def encode_prompts(self, prompts: Sequence[Seen]) -> dict[Seen, list[int]]:
        """Prompt -> ids; all new pictures are encoded together."""
        unique = list(dict.fromkeys(prompts))
        shown = [x for x in unique if x.image is not None]
        places = dict(zip(shown, self.gallery.hang([x.image for x in shown]), strict=True))
        words = self.words
        patches = [[words + row for row in places.get(x, ())] for x in unique]
        return dict(zip(unique, self.layout(self.tokenizer, unique, patches) if unique else [], strict=True))

    def identity(self, prompt: Seen) -> tuple[str, bytes | None]:
        """Text and digest of the picture: what the policy gets to know of a prompt."""
        return prompt.text, None if prompt.image is None else _digest(prompt.image)

    def copy(self, *, share: bool = False) -> "VisionPolicy":
        """An independent copy that looks at the same gallery; see `Policy.copy`."""
        copied = super().copy(share=share)
        return VisionPolicy(copied.model, copied.tokenizer, copied.name, self.layout)


def picture_first(tokenizer: Any, prompts: Sequence[Seen], patches: Sequence[list[int]]) -> list[list[int]]:
    """Beginning of text, picture, words, of every prompt."""
    texts = list(dict.fromkeys(x.text for x in prompts))
    ids = dict(zip(texts, tokenizer(texts)["input_ids"], strict=True))
    return [[ids[x.text][0], *picture, *ids[x.text][1:]] for x, picture in zip(prompts, patches, strict=True)]
