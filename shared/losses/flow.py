r"""Flow matching: a velocity field is regressed on straight lines from noise to data."""

from collections.abc import Callable

import torch
from torch import Tensor

from autodidact.losses.shapes import same_shape

Field = Callable[[Tensor, Tensor], Tensor]


def flow_matching(field: Field, noise: Tensor, data: Tensor, t: Tensor) -> Tensor:
    r"""The conditional flow-matching loss of a velocity field at times t.

        L = mean over dimensions of ( v(x_t, t) - (x_1 - x_0) )^2,   x_t = (1 - t) x_0 + t x_1

    field: (x, t) -> velocity, of x's shape. noise x_0, data x_1: (batch, ...), paired as they are joined: at random
    for independent coupling, by `autodidact.generative.transport_pairs` for optimal transport. t: (batch,) in [0, 1].
    Returns (batch,), in the data's unit squared, not reduced.

    Source: Tong et al. 2024, arXiv 2302.00482, equation (14) with sigma = 0; their code adds noise of a small sigma
    (0.1 in the plane, 0 on CIFAR-10).
    """
    same_shape(noise=noise, data=data)
    if t.shape != noise.shape[:1]:
        raise ValueError(f"t must be one time an example, ({len(noise)},), not {tuple(t.shape)}")
    at = t.reshape(-1, *[1] * (noise.dim() - 1))
    velocity = field(torch.lerp(noise, data, at.expand_as(noise)), t)
    return (velocity - (data - noise)).square().flatten(1).mean(1)
