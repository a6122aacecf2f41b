"""DPO with a label of a strength between none and certain."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import positive, same_shape


def osp(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    p: Tensor,
    *,
    beta: float = 0.1,
) -> Tensor:
    r"""Soft-preference cross-entropy: the first response is the better one with probability p.

        h = beta ((chosen - ref_chosen) - (rejected - ref_rejected))
        L = -p log sigmoid(h) - (1 - p) log sigmoid(-h)

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence, sums over the response, the end token
    included; nothing is divided by length. p: the preference strength, (batch,), in [0, 1], of the pair in this order
    (turned round it is 1 - p); data, no gradient flows into it. beta: strength of the pull to the reference, 1/nats.
    Returns (batch,), log 2 where policy and reference agree. dL/dh = sigmoid(h) - p, so h comes to rest at logit(p):
    finite for p in (0, 1), zero for a tie, while a hard label (p = 1) draws it to infinity. The entropy of p remains
    at the minimum: losses of different labels are not to be compared, gradients are. Equal to `dpo` at p = 1, and to
    its `label_smoothing` e at p = 1 - e for every pair. Raises ValueError for shapes that differ, a p outside [0, 1]
    and a beta that is not positive.

    Source: Zhai et al. 2024, arXiv 2405.14103, the soft-preference cross-entropy (no code of the authors is public; the
    form is the cross-entropy that the abstract names, on DPO's margin). TRL's `label_smoothing` (its `sigmoid` had it
    until it was left to other branches, `aot` among them) is the constant case.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected, p=p)
    positive(beta=beta)
    p = p.detach()
    outside = p[~((p >= 0) & (p <= 1))]
    if len(outside):
        raise ValueError(f"p={outside[0].item()!r} is no preference strength; it must lie in [0, 1]")
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return -p * logsigmoid(h) - (1 - p) * logsigmoid(-h)
