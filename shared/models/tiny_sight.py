"""The tiny policy that sees: a frozen patch reader, a linear projection, and a small Llama; trained once, cached."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from shared.models.cache import cached
from shared.models.policy import Policy
from shared.models.retina import Retina, Tower, train_retina
from shared.models.tiny import TinyBase, describe, new_tiny, tiny_tokenizer
from shared.models.vision import Gallery, VisionPolicy, sighted
from shared.provenance import source_hash
from shared.streams import stream, torch_seed

if TYPE_CHECKING:
    from environments.shapes import Shapes
    from shared.training import Run


@dataclass(frozen=True)
class TinySight:
    """Training of a tiny base that sees; the shape of its language model is `TinyBase`'s."""

    steps: int = 450
    batch_size: int = 96
    learning_rate: float = 6e-3
    tower: Tower = field(default_factory=Tower)

    @property
    def text(self) -> TinyBase:
        """The language half."""
        return TinyBase(steps=self.steps, batch_size=self.batch_size, learning_rate=self.learning_rate)


def load_tiny_sight(world: "Shapes", seed: int, base: TinySight) -> VisionPolicy:
    """The base that sees of a world and a seed: out of the cache, or trained (a minute) and kept there."""
    return _read(cached(_describe(world, seed, base), lambda folder: _train(world, seed, base, folder)))


def _describe(world: "Shapes", seed: int, base: TinySight) -> dict:
    """Everything that a base depends on."""
    own = {
        path: source_hash((Path(__file__).parent / path).read_text())
        for path in ("retina.py", "vision.py", "tiny_sight.py")
    }
    return describe(world, seed, base.text) | {"kind": "tiny-sight", "tower": asdict(base.tower), "own": own}


def _train(world: "Shapes", seed: int, base: TinySight, folder: Path) -> None:
    from safetensors.torch import save_file

    from shared.training import Run, train_supervised

    retina = train_retina(world, seed, base.tower, [1 + len(world.shapes), 7])
    policy = _assemble(new_tiny(world, seed, base.text), retina, seed)
    run = {"steps": base.steps, "batch_size": base.batch_size, "learning_rate": base.learning_rate,
           "schedule": "cosine", "seed": torch_seed(stream(seed, "order"))}  # fmt: skip
    corpus = alike(world.corpus(stream(seed, "demonstrate")), Run(**run), stream(seed, "order", 2))
    policy, _ = train_supervised(policy, corpus, **run)
    policy.model.config.save_pretrained(folder)
    policy.model.generation_config.save_pretrained(folder)
    save_file(policy.model.state_dict(), folder / "model.safetensors")
    save_file(retina.state_dict(), folder / "retina.safetensors")
    width = next(iter(retina.body.parameters())).shape[1] if retina.kind == "mlp" else 3 * retina.size**2
    shape = {"kind": retina.kind, "width": width, "classes": retina.classes}
    (folder / "shape.json").write_text(json.dumps({"retina": shape, "vocabulary": world.vocabulary}))


def alike(examples: list[tuple[Any, str]], run: "Run", rng: np.random.Generator) -> list[tuple[Any, str]]:
    """As many examples as the run draws, placed so that each of its batches holds texts of like length.

    Eight batches at a time are sorted and dealt out in random order. That halves the padding, and it gives the short
    answers to questions batches of their own: in a mean over tokens long captions would outweigh them. Examples too few
    for the run come back as they are.
    """
    drawn = run.steps * run.batch_size
    if len(examples) < drawn:
        return examples
    batches: list[list[int]] = []
    for start in range(0, drawn, 8 * run.batch_size):
        indices = range(start, min(drawn, start + 8 * run.batch_size))
        ordered = sorted(indices, key=lambda i: len(examples[i][0].text.split()) + len(examples[i][1].split()))
        chunk = [ordered[k : k + run.batch_size] for k in range(0, len(ordered), run.batch_size)]
        batches += [chunk[k] for k in rng.permutation(len(chunk))]
    placed: list[Any] = [None] * drawn
    for place, index in zip(run.order(drawn), (i for batch in batches for i in batch), strict=True):
        placed[place] = examples[index]
    return placed


def _assemble(policy: Policy, retina: Retina, seed: int) -> VisionPolicy:
    """A blind tiny policy and a tower put together, the projection fresh."""
    from environments.shapes import patches

    def encode(images: Sequence[np.ndarray]) -> list[Tensor]:
        return list(retina.look(np.stack([patches(image) for image in images])))

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
