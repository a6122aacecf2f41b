"""One door to every policy that sees: the tiny one of a world, and any vision-language model of the hub."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from autodidact.checks import whole
from autodidact.vision.hub import load_hub_sight
from autodidact.vision.policy import VisionPolicy
from autodidact.vision.sight import TinySight
from autodidact.vision.tiny import load_tiny_sight

if TYPE_CHECKING:
    from autodidact.environments.shapes import Shapes


def load_vision_policy(
    model: "str | Path",
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
    seed = whole("seed", seed, 0)
    if model == "tiny":
        if world is None:
            raise ValueError("model='tiny' needs a world: the tiny model is trained on its demonstrations")
        return load_tiny_sight(world, seed, base or TinySight())
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if dtype is None:
        dtype = torch.bfloat16 if where.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    return load_hub_sight(model, where, dtype)
