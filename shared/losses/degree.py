"""The loss of a head that tells how much of a response was taken away."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def degree(logits: Tensor, k: Tensor) -> Tensor:
    r"""Cross-entropy of the degree of removal, in nats.

        L_degree = -log softmax(logits)_k

    logits: (batch, K), a head's on the pooled state of a response with degree k of its important content removed. k:
    (batch,), the degrees, whole numbers from 0 (intact) to K - 1 (most removed). Returns (batch,), log K where the head
    knows nothing. The total of the paper adds it for both responses of a pair to a preference loss, with one weight:
    L = L_align + gamma (L_degree(y_w) + L_degree(y_l)); see `judges.train_with_degree`.
    Raises ValueError for logits that are not (batch, K) with K >= 2, for degrees of another shape, and for one that is
    no class of 0 to K - 1.

    Source: Li et al. 2024, arXiv 2409.17791. The authors' repository holds no code; the equation is reconstructed from
    the paper's description.
    """
    for name, tensor in {"logits": logits, "k": k}.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{name} must be a tensor, but is a {type(tensor).__name__}")
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits of shape {tuple(logits.shape)} must be of shape (batch, K) with K of at least 2")
    if k.shape != logits.shape[:1]:
        raise ValueError(f"k of shape {tuple(k.shape)} must be of shape ({len(logits)},), one degree a row of logits")
    classes = logits.shape[1]
    outside = k[~((k >= 0) & (k < classes) & (k == k.long()))]
    if len(outside):
        raise ValueError(
            f"k={outside[0].item()!r} is no degree: with K={classes} classes it is one of 0 to {classes - 1}"
        )
    return cross_entropy(logits, k.long(), reduction="none")
