"""Vision-language models of the hub: their vision half frozen, their language half a causal model that sees."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.models.pretrained import quiet
from autodidact.vision.policy import Gallery, Seen, VisionPolicy, sighted


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

    def layout(self, tokenizer: Any, prompts: Sequence[Seen], patches: Sequence[list[int]]) -> list[list[int]]:
        """Ids of every prompt with its picture's ids in the place of the picture's tokens.

        Raises ValueError where the processor's number of picture tokens is not that of the encoder's vectors.
        """
        return [self._lay_out(x, own) for x, own in zip(prompts, patches, strict=True)]

    def _lay_out(self, prompt: Seen, patches: list[int]) -> list[int]:
        words = prompt.text.replace(self.processor.image_token, "")  # a model's own description may hold it
        shown = [] if prompt.image is None else [prompt.image]
        if self.processor.chat_template:
            content = [*({"type": "image"} for _ in shown), {"type": "text", "text": words}]
            turns = [{"role": "user", "content": content}]
            text = self.processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        else:
            text = f"{self.processor.image_token}\n{words}" if shown else words
        ids = self.processor(text=text, images=shown or None, return_tensors="pt")["input_ids"][0].tolist()
        if ids.count(self.token) != len(patches):
            counts = f"{ids.count(self.token)} picture tokens for {len(patches)} vectors"
            raise ValueError(f"{type(self.processor).__name__} has {counts}: this model lays pictures out otherwise")
        own = iter(patches)
        return [next(own) if i == self.token else i for i in ids]


def load_hub_sight(name: "str | Path", device: torch.device, dtype: torch.dtype) -> VisionPolicy:
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
