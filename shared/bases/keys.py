"""How a base model is found in the cache: by what it is trained on, and by the code that trains it."""

import hashlib
import inspect
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autodidact import environments
from autodidact.models.cache import cached
from autodidact.models.tiny import TextWorld
from autodidact.provenance import machine, source_hash

PACKAGE = Path(__file__).parents[1]
TRAINERS = (  # the modules whose code runs while a tiny base is trained; a test watches one and holds this list to it
    "bases/tiny.py",
    "checks.py",
    "divergence.py",
    "models/encoding.py",
    "models/tiny.py",
    "streams.py",
    "training/lean.py",
    "training/llama.py",
    "training/objectives.py",
    "training/run.py",
    "training/supervised.py",
)
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")


def trained_on(
    world: TextWorld, seed: int, digest: str, trainers: Sequence[str] = TRAINERS, **shape: Any
) -> dict[str, Any]:
    """The description of a base for the cache: worlds that give one corpus and one vocabulary share their bases.

    digest: of the corpus, see `corpus_digest`. shape: what else decides the weights, such as a `TinyBase` as a dict.
    Processors round differently, so machines that share a cache share its bases among processors of one kind only.
    """
    here = machine()
    return {
        "corpus": digest,
        "vocabulary": list(world.vocabulary),
        "seed": seed,
        "code": {name: source_hash((PACKAGE / name).read_text()) for name in trainers},
        "libraries": {name: version(name) for name in LIBRARIES},
        "processor": [here["cpu"], here["capability"]],
        **shape,
    }


def corpus_digest(world: TextWorld, seed: int, content: Callable[[], Iterable[bytes]], **more: Any) -> str:
    """SHA-256 of what a world's base is trained on: the byte strings of `content()`, in order.

    more: what `content` depends on besides world and seed.

    To make a corpus takes up to five seconds, so its hash is kept in the cache: by the world's knobs, by every source
    file of the worlds and by the files of DATASETS_MIRROR. Once one of them changes the corpus is made again, and where
    it has not changed the base of before is found. The hash of a world from elsewhere is not kept.
    """
    if environments.__name__ not in type(world).__module__:
        return _digest(content())
    description = {
        "kind": "corpus",
        "world": f"{type(world).__qualname__} {world!r}",
        "version": world.version,
        "seed": seed,
        "more": more,
        "sources": _digest(_sources()),
        "data": _mirror(),
        "libraries": {"python": platform.python_version(), "numpy": version("numpy")},
    }
    folder = cached(description, lambda scratch: (scratch / "sha256").write_text(_digest(content())))
    return (folder / "sha256").read_text()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: the number of threads moves sums by their rounding, and so, by and by, a training."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _digest(parts: Iterable[bytes]) -> str:
    """A hash that tells apart what lies in which part."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _sources() -> Iterator[bytes]:
    folder = Path(inspect.getfile(environments)).parent
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(folder)).encode()
        yield path.read_bytes()


def _mirror() -> list[list]:
    """Names, sizes and times of the files that stand for the hub's data sets."""
    mirror = os.environ.get("DATASETS_MIRROR")
    files = sorted(path for path in Path(mirror).rglob("*") if path.is_file()) if mirror else []
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
