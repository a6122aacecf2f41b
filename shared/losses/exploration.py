"""DPO with an optimistic term: the model's own response is pushed down, so that others are tried."""

import math

from torch import Tensor

from autodidact.losses.preference import dpo
from autodidact.losses.shapes import same_shape


def selm(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    own: Tensor,
    ref_own: Tensor,
    *,
    beta: float = 0.01,
    alpha: float = 0.001,
) -> Tensor:
    r"""Self-exploring language models: DPO, plus the weighted log-ratio of a response that the reference wrote itself.

        L = -log sigmoid( beta (h_w - h_l) ) + alpha beta (own - ref_own),   h = log pi - log ref

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence; the reference is the policy at the start of
    the round. own, ref_own: (batch,), nats a sequence, of the reference's own response to the same prompt, whatever its
    rank in the pair. beta: 1/nats. alpha: weight of the term, any finite number: 0 is `dpo`, and below 0 the own
    response is pulled up instead (pessimism, a control). Returns (batch,), log 2 where policy and reference agree.
    dL/d own = alpha beta, always: the term is unbounded below, and against DPO's gradient at the start of a round,
    beta / 2, its size is 2 alpha. In expectation over exact samples of the reference its gradient there is zero.
    Raises ValueError for shapes that differ, a beta that is not positive and an alpha that is not finite.

    Source: Zhang et al. 2024, arXiv 2405.19332, equation (4.2); its algorithm 1 writes alpha without beta. The authors'
    code (shenao-zhang/SELM at 0ba546a) is this function, with one greedy response of the reference as own and alpha
    0.001 (Zephyr, the default here) or 0.0001 (Llama-3); `ref_own` is a constant there as here, which shifts the loss
    and leaves the gradient. XPO (Xie et al. 2024, arXiv 2405.21046; TRL's XPOTrainer in older releases) adds
    alpha log pi(own) without beta, own being a response of the first model in all rounds: its alpha is alpha beta here.
    """
    same_shape(
        chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected, own=own, ref_own=ref_own
    )
    if not math.isfinite(alpha):
        raise ValueError(f"alpha={alpha!r} must be a finite number")
    return dpo(chosen, rejected, ref_chosen, ref_rejected, beta=beta) + alpha * beta * (own - ref_own)
