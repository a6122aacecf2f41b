r"""Losses that regress the difference of implicit rewards on a number that annotators gave.

Arguments are those of `autodidact.losses.preference`: log-probabilities of two responses under the policy and under a
frozen reference, (batch,), nats a sequence, then what the loss needs of every pair; the result is (batch,), unreduced.
"""

import torch
from torch import Tensor

from autodidact.losses.shapes import positive, same_shape


def irepo(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, h: Tensor, *, beta: float = 0.1
) -> Tensor:
    r"""iREPO: the difference of implicit rewards is drawn to the logit of an empirical preference.

        L = ( beta (h_w - h_l) - log( h / (1 - h) ) )^2,    h_w = chosen - ref_chosen,  h_l = rejected - ref_rejected

    Under Bradley-Terry the logit of P(first beats second) is the difference of their rewards. So with true
    probabilities the minimum, zero, is the reference times exp(reward / beta), whatever pairs were compared.

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence, of the first and of the second response; the
    names are the library's: the first need not be the better one. h: (batch,), strictly between 0 and 1, the share of
    annotators that prefer the first response. No gradient goes through it. It is taken as it comes: whoever calls
    clips or smooths a unanimous vote, as (k + 1/2) / (n + 1) for k of n votes does (`autodidact.games.vote_share`).
    beta: 1/nats; the log-ratios meet at logit(h) / beta nats. Returns (batch,), nats squared of reward, 0 on target.

    The gradient by the difference of log-ratios is 2 beta (beta (h_w - h_l) - logit h): it has no bound as h nears 0
    or 1, that of the cross-entropy with the same h (DPO with soft labels) is at most beta. Both have one minimum.

    Raises ValueError for an h that is not strictly between 0 and 1, NaN included.

    Source: Le et al. 2024, arXiv 2405.15230, whose abstract names the ingredients (implicit reward, pairwise
    difference, regression, logit of the empirical preference); the equation follows from them, the full text was not
    at hand. Code of the authors: none known. With one h for all pairs it is beta^2 times `ipo` at
    beta_ipo = beta / (2 logit h).
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected, h=h)
    positive(beta=beta)
    outside = ~((h > 0) & (h < 1))
    if outside.any():
        at = int(outside.flatten().nonzero()[0])
        raise ValueError(f"h[{at}]={h.flatten()[at].item():g} must lie strictly between 0 and 1: clip or smooth it")
    target = torch.logit(h.detach().double()).to(chosen.dtype)
    return (beta * ((chosen - ref_chosen) - (rejected - ref_rejected)) - target) ** 2
