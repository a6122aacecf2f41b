"""Velocity fields: a small MLP for vectors, diffusers' U-Net for images. Both are (x, t) -> velocity of x's shape."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.streams import torch_seed

FREQUENCIES = 8


class MLPField(nn.Module):
    """A multilayer perceptron over the flattened x and sines and cosines of t.

    shape: of one example, () excluded. width, layers: of the hidden part.
    """

    def __init__(self, shape: Sequence[int], width: int = 128, layers: int = 3) -> None:
        super().__init__()
        size = int(np.prod(shape))
        widths = [size + 2 * FREQUENCIES, *[width] * layers]
        hidden = [part for a, b in zip(widths, widths[1:], strict=False) for part in (nn.Linear(a, b), nn.SiLU())]
        self.net = nn.Sequential(*hidden, nn.Linear(width, size))
        self.register_buffer("frequencies", torch.pi * torch.arange(1, FREQUENCIES + 1) / 2)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Velocity at x (batch, ...) and times t (batch,) in [0, 1]."""
        angles = t[:, None] * self.frequencies
        return self.net(torch.cat([x.flatten(1), angles.sin(), angles.cos()], dim=1)).reshape(x.shape)


class UNetField(nn.Module):
    """diffusers' U-Net with two blocks a level and self-attention at the coarsest of them.

    shape: (channels, size, size), the size divisible by 2^(levels - 1). width: channels of the first level; the others
    have twice as many.
    """

    def __init__(self, shape: Sequence[int], width: int = 64, levels: int = 2, blocks: int = 2) -> None:
        super().__init__()
        from diffusers import UNet2DModel

        channels, size, _ = shape
        if size % 2 ** (levels - 1):
            raise ValueError(f"size={size} must be divisible by {2 ** (levels - 1)} for levels={levels}")
        self.net = UNet2DModel(
            sample_size=size,
            in_channels=channels,
            out_channels=channels,
            layers_per_block=blocks,
            block_out_channels=[width, *[2 * width] * (levels - 1)],
            down_block_types=[*["DownBlock2D"] * (levels - 1), "AttnDownBlock2D"],
            up_block_types=["AttnUpBlock2D", *["UpBlock2D"] * (levels - 1)],
            norm_num_groups=min(32, width // 2),
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Velocity at x (batch, channels, size, size) and times t (batch,) in [0, 1], which the net sees as 0..1000."""
        return self.net(x, t * 1000).sample


def velocity_field(
    kind: str, shape: Sequence[int], width: int, layers: int, rng: np.random.Generator
) -> MLPField | UNetField:
    """A fresh field: `mlp`, or `unet`, whose `layers` are its levels. The global random state stays as it is.

    Raises ValueError for another kind.
    """
    kinds = {"mlp": MLPField, "unet": UNetField}
    if kind not in kinds:
        raise ValueError(f"kind={kind!r} is unknown; known are {', '.join(kinds)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(rng))
        return kinds[kind](shape, width, layers)
