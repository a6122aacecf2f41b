"""Contrastive losses: tell the right key among those of the batch."""

import torch
from torch import Tensor
from torch.nn import functional

from autodidact.losses.shapes import positive, same_shape


def info_nce(queries: Tensor, keys: Tensor, *, tau: float = 0.1) -> Tensor:
    """InfoNCE of each query against all keys of the batch, its own one included, in nats.

        -log [ exp(cos(q_i, k_i) / tau) / sum_j exp(cos(q_i, k_j) / tau) ]

    `queries` and `keys` (batch, dim), row i of one belonging to row i of the other; result (batch,). With keys that say
    nothing it is log(batch). Source: van den Oord et al. 2018 (arXiv 1807.03748), equation 4, with the cosine over a
    temperature as score, as in SimCLR (arXiv 2002.05709, equation 1; there a query is no negative of itself).
    Raises ValueError for shapes that differ or are not (batch, dim), and a `tau` that is not above 0.
    """
    same_shape(queries=queries, keys=keys)
    positive(tau=tau)
    if queries.ndim != 2:
        raise ValueError(f"queries of shape {tuple(queries.shape)} must be of shape (batch, dim)")
    scores = functional.normalize(queries, dim=1) @ functional.normalize(keys, dim=1).T / tau
    return torch.logsumexp(scores, 1) - scores.diagonal()
