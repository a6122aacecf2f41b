"""The tiny policy that sees: a frozen patch reader, a linear projection, and a small Llama; trained once, cached."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.bases.keys import TRAINERS, corpus_digest, one_thread, trained_on
from autodidact.models.cache import cached
from autodidact.models.policy import Policy
from autodidact.models.tiny import new_tiny, tiny_tokenizer
from autodidact.streams import stream, torch_seed
from autodidact.training.run import seldom_garbage
from autodidact.vision.lessons import teach
from autodidact.vision.policy import Gallery, Seen, VisionPolicy, sighted
from autodidact.vision.sight import TinySight
from autodidact.vision.tower import Retina, train_retina

if TYPE_CHECKING:
    from autodidact.environments.shapes import Shapes

OWN = (  # what runs while a base that sees is trained, besides `TRAINERS`
    "environments/shapes/grid.py",
    "environments/shapes/rendering.py",
    "vision/lessons.py",
    "vision/policy.py",
    "vision/tiny.py",
    "vision/tower.py",
)
AT_ONCE = 256  # pictures that the tower reads at once


@seldom_garbage()
def load_tiny_sight(world: "Shapes", seed: int, base: TinySight) -> VisionPolicy:
    """The base that sees of a world and a seed: out of the cache, or trained (half a minute) and kept there."""
    corpus = cache(lambda: world.corpus(stream(seed, "demonstrate")))
    labelled = cache(lambda: world.labelled_patches(base.tower.pictures, stream(seed, "demonstrate", 1)))
    digest = corpus_digest(world, seed, lambda: _content(corpus(), labelled()), pictures=base.tower.pictures)
    how = {"kind": "tiny-sight", "base": asdict(base.text), "sight": asdict(base)}
    description = trained_on(
        world, seed, digest, (*TRAINERS, *OWN), classes=[len(world.shapes), len(world.colours)], **how
    )
    return _read(cached(description, lambda folder: _train(world, corpus(), labelled(), seed, base, folder)))


def _content(corpus: Sequence[tuple[Seen, str]], labelled: tuple[np.ndarray, np.ndarray]) -> Iterator[bytes]:
    """What a base is trained on, as bytes: `teach` asks for the kind of a prompt too."""
    for prompt, response in corpus:
        picture = b"" if prompt.image is None else prompt.image.tobytes()
        yield from (prompt.text.encode(), prompt.truth.kind.encode(), picture, response.encode())
    yield from (np.ascontiguousarray(part).tobytes() for part in labelled)


def _train(
    world: "Shapes",
    corpus: Sequence[tuple[Seen, str]],
    labelled: tuple[np.ndarray, np.ndarray],
    seed: int,
    base: TinySight,
    folder: Path,
) -> None:
    from safetensors.torch import save_file

    with one_thread():
        retina = train_retina(labelled, seed, base.tower, [1 + len(world.shapes), 1 + len(world.colours)])
        policy = _assemble(new_tiny(world, seed, base.text), retina, seed)
        teach(policy, corpus, base, stream(seed, "order"))
    policy.model.config.save_pretrained(folder)
    policy.model.generation_config.save_pretrained(folder)
    save_file(policy.model.state_dict(), folder / "model.safetensors")
    save_file(retina.state_dict(), folder / "retina.safetensors")
    width = next(iter(retina.body.parameters())).shape[1] if retina.kind == "mlp" else 3 * retina.size**2
    shape = {"kind": retina.kind, "width": width, "classes": retina.classes}
    (folder / "shape.json").write_text(json.dumps({"retina": shape, "vocabulary": world.vocabulary}))


def _assemble(policy: Policy, retina: Retina, seed: int) -> VisionPolicy:
    """A blind tiny policy and a tower put together, the projection fresh."""
    from autodidact.environments.shapes import patches

    def encode(images: Sequence[np.ndarray]) -> list[Tensor]:
        parts = [images[start : start + AT_ONCE] for start in range(0, len(images), AT_ONCE)]
        return [row for part in parts for row in retina.look(np.stack([patches(image) for image in part]))]

    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(stream(seed, "initialise", 2)))
        projection = nn.Linear(sum(retina.classes), policy.model.config.hidden_size)
    return VisionPolicy(sighted(policy.model, Gallery(encode), projection), policy.tokenizer, "tiny")


def _read(folder: Path) -> VisionPolicy:
    from safetensors.torch import load_file
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    shape = json.loads((folder / "shape.json").read_text())
    retina = Retina(**shape["retina"]).eval().requires_grad_(False)
    retina.load_state_dict(load_file(folder / "retina.safetensors"))
    model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder, attn_implementation="eager"))
    policy = _assemble(Policy(model, tiny_tokenizer(tuple(shape["vocabulary"]))), retina, 0)
    policy.model.load_state_dict(load_file(folder / "model.safetensors"))
    policy.model.generation_config = GenerationConfig.from_pretrained(folder)
    policy.model.eval()
    return policy
