"""One door to every policy that sees: the tiny one of a world, and any vision-language model of the hub."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from shared.models.cache import cached
from shared.models.pretrained import quiet
from shared.models.retina import Retina, Tower, train_retina
from shared.models.tiny import TinyBase, describe, new_tiny, tiny_tokenizer
from shared.models.vision import Gallery, VisionPolicy, sighted
from shared.provenance import source_hash
from shared.streams import stream, torch_seed

if TYPE_CHECKING:
    from environments.shapes import Shapes


@dataclass(frozen=True)
class TinySight:
    """Shape and training of a tiny base that sees: its language model and its tower."""

    text: TinyBase = field(default_factory=lambda: TinyBase(steps=700, batch_size=80, learning_rate=6e-3))
    tower: Tower = field(default_factory=Tower)


def load_vision_policy(
    model: str,
    world: "Shapes | None" = None,
    *,
    seed: int = 0,
    base: TinySight | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
) -> VisionPolicy:
    """A policy that sees, by name.

    model: "tiny" (a frozen patch reader, a linear projection and a small Llama, trained on the world's demonstrations,
    cached), or a hub name or local folder of an image-text-to-text model whose vision tower gives its language model a
    row of vectors a picture (LLaVA and its kin). world, seed, base: of the tiny model only. device, dtype: of a hub
    model, as in `load_policy`. Raises ValueError for a tiny model without a world.
    """
    if model == "tiny":
        if world is None:
            raise ValueError("model='tiny' needs a world: the tiny model is trained on its demonstrations")
        base = base or TinySight()
        return _read(cached(_describe(world, seed, base), lambda folder: _train(world, seed, base, folder)))
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if dtype is None:
        dtype = torch.bfloat16 if where.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    return _load_hub(model, where, dtype)


def _describe(world: "Shapes", seed: int, base: TinySight) -> dict:
    """Everything that a base depends on."""
    own = {path: source_hash((Path(__file__).parent / path).read_text()) for path in ("retina.py", "vision.py")}
    own["sight.py"] = source_hash(Path(__file__).read_text())
    return describe(world, seed, base.text) | {"kind": "tiny-sight", "tower": asdict(base.tower), "own": own}


def _train(world: "Shapes", seed: int, base: TinySight, folder: Path) -> None:
    from safetensors.torch import save_file

    from shared.training import train_supervised

    retina = train_retina(world, seed, base.tower, [1 + len(world.shapes), 7])
    policy = _assemble(new_tiny(world, seed, base.text), retina, seed)
    policy, _ = train_supervised(
        policy,
        world.corpus(stream(seed, "demonstrate")),
        steps=base.text.steps,
        batch_size=base.text.batch_size,
        learning_rate=base.text.learning_rate,
        schedule="cosine",
        seed=torch_seed(stream(seed, "order")),
    )
    policy.model.config.save_pretrained(folder)
    policy.model.generation_config.save_pretrained(folder)
    save_file(policy.model.state_dict(), folder / "model.safetensors")
    save_file(retina.state_dict(), folder / "retina.safetensors")
    width = next(iter(retina.body.parameters())).shape[1] if retina.kind == "mlp" else 3 * retina.size**2
    shape = {"kind": retina.kind, "width": width, "classes": retina.classes}
    (folder / "shape.json").write_text(json.dumps({"retina": shape, "vocabulary": world.vocabulary}))


def _assemble(policy: Any, retina: Retina, seed: int) -> VisionPolicy:
    """A blind tiny policy and a tower put together, the projection fresh."""
    from environments.shapes import patches

    def encode(images: Sequence[np.ndarray]) -> list[Tensor]:
        return list(retina.look(np.stack([patches(image) for image in images])))

    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(stream(seed, "initialise", 2)))
        projection = nn.Linear(retina.width + 16, policy.model.config.hidden_size)
    return VisionPolicy(sighted(policy.model, Gallery(encode), projection), policy.tokenizer, "tiny")


def _read(folder: Path) -> VisionPolicy:
    from safetensors.torch import load_file
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    from shared.models.policy import Policy

    shape = json.loads((folder / "shape.json").read_text())
    retina = Retina(**shape["retina"]).eval().requires_grad_(False)
    retina.load_state_dict(load_file(folder / "retina.safetensors"))
    model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder, attn_implementation="eager"))
    policy = _assemble(Policy(model, tiny_tokenizer(tuple(shape["vocabulary"]))), retina, 0)
    policy.model.load_state_dict(load_file(folder / "model.safetensors"))
    policy.model.generation_config = GenerationConfig.from_pretrained(folder)
    policy.model.eval()
    return policy


class HubEye:
    """The frozen half of a hub model, vision tower and projector, and its processor; shared by all copies.

    `encode` gives what the language model gets for a picture, (patches, width). `layout` gives the ids of a prompt: the
    chat template's where there is one, the processor's picture tokens replaced by the picture's own ids.
    """

    def __init__(self, model: nn.Module, processor: Any) -> None:
        self.model = model
        self.processor = processor
        self.token = model.config.image_token_id

    def encode(self, images: Sequence[np.ndarray]) -> list[Tensor]:
        """Projected features of every picture, (patches, width) each."""
        found = []
        for image in images:
            inputs = self.processor.image_processor([image], return_tensors="pt")
            pixels = inputs["pixel_values"].to(self.model.device, self.model.dtype)
            sizes = {"image_sizes": inputs["image_sizes"]} if "image_sizes" in inputs else {}
            features = self.model.get_image_features(pixels, **sizes)
            features = getattr(features, "pooler_output", features)
            found.append(features[0] if isinstance(features, list | tuple) or features.ndim == 3 else features)
        return found

    def layout(self, tokenizer: Any, prompt: Any, patches: list[int]) -> list[int]:
        """Ids of a prompt with the picture's ids in the place of its tokens.

        Raises ValueError where the processor's number of picture tokens is not that of the encoder's vectors.
        """
        if self.processor.chat_template:
            content = [{"type": "image"}, {"type": "text", "text": prompt.text}]
            turns = [{"role": "user", "content": content}]
            text = self.processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        else:
            text = f"{self.processor.image_token}\n{prompt.text}"
        ids = self.processor(text=text, images=[prompt.image], return_tensors="pt")["input_ids"][0].tolist()
        if ids.count(self.token) != len(patches):
            counts = f"{ids.count(self.token)} picture tokens for {len(patches)} vectors"
            raise ValueError(f"{type(self.processor).__name__} has {counts}: this model lays pictures out otherwise")
        own = iter(patches)
        return [next(own) if i == self.token else i for i in ids]


def _load_hub(name: str, device: torch.device, dtype: torch.dtype) -> VisionPolicy:
    """A hub model: safetensors only, never remote code; its vision half frozen, its language half a causal model."""
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor

    with quiet():
        whole = AutoModelForImageTextToText.from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, dtype=dtype
        ).to(device)
        processor = AutoProcessor.from_pretrained(name, trust_remote_code=False)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(whole.config.text_config)
    model.model, model.lm_head = whole.model.language_model, whole.lm_head
    model.generation_config = whole.generation_config
    whole.requires_grad_(False)
    model.requires_grad_(True)
    eye = HubEye(whole, processor)
    tokenizer = processor.tokenizer
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = sighted(model.eval(), Gallery(eye.encode, dtype), nn.Identity())
    return VisionPolicy(model, tokenizer, str(name), eye.layout)
