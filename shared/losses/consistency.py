"""DPO with a label that is only as sure as two rankings agree."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import positive, same_shape


def cream(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    consistency: Tensor,
    *,
    beta: float = 0.1,
) -> Tensor:
    r"""Consistency-regularised DPO: the label holds with probability C, its reverse with 1 - C.

        m = beta ((chosen - ref_chosen) - (rejected - ref_rejected))
        L = -C log sigmoid(m) - (1 - C) log sigmoid(-m)

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence. consistency: C, (batch,), in [0, 1]; data,
    no gradient flows into it. beta: strength of the pull to the reference, 1/nats. Returns (batch,), log 2 where policy
    and reference agree. dL/dm = sigmoid(m) - C, so the margin comes to rest at logit(C): finite for C in (0, 1), zero
    at 1/2, and reversed below. Equal to `dpo` at C = 1, and to its `label_smoothing` e = 1 - C at one C for all.
    Raises ValueError for shapes that differ, a C outside [0, 1] and a beta that is not positive.

    Source: Wang et al. 2024, arXiv 2410.12735, the training objective; the average form hands the mean of C over a
    round's prompts to every pair, the dynamic form each pair its own. The authors' code is this function (`beta` 0.1).
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    same_shape(chosen=chosen, consistency=consistency)
    positive(beta=beta)
    consistency = consistency.detach()
    outside = consistency[~((consistency >= 0) & (consistency <= 1))]
    if len(outside):
        raise ValueError(f"consistency={outside[0].item()!r} must lie in [0, 1]")
    margin = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return -consistency * logsigmoid(margin) - (1 - consistency) * logsigmoid(-margin)
