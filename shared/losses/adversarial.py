"""The least-squares game between a discriminator and a policy, as adversarial motion priors play it."""

import torch
from torch import Tensor

from autodidact.losses.shapes import same_shape


def least_squares_discriminator(demonstrated: Tensor, produced: Tensor) -> Tensor:
    """The discriminator's loss of each pair of scores, one of a demonstration and one of the policy; no unit.

        (D(demonstrated) - 1)^2 + (D(produced) + 1)^2

    Both (batch,); result (batch,). Source: Peng et al. 2021 (arXiv 2104.02180), equation 6, which is Mao et al. 2017
    with targets 1 and -1. Raises ValueError for shapes that differ.
    """
    same_shape(demonstrated=demonstrated, produced=produced)
    return (demonstrated - 1) ** 2 + (produced + 1) ** 2


def style_reward(scores: Tensor) -> Tensor:
    """The reward of a discriminator's score: max(0, 1 - (D - 1)^2 / 4), in [0, 1], 0.75 where D = 0.

    Any shape. Source: arXiv 2104.02180, equation 7.
    """
    return torch.clamp(1 - (scores - 1) ** 2 / 4, min=0)
