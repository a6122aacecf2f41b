"""DPO whose reference is extrapolated from the last two policies."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import positive, same_shape


def apo(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    past_chosen: Tensor,
    past_rejected: Tensor,
    *,
    beta: float = 0.1,
    momentum: float = 0.3,
) -> Tensor:
    r"""Accelerated preference optimisation: DPO against a reference with Nesterov's momentum.

        log pi_t = (1 + a) log pihat_t - a log pihat_{t-1} - log Z
        L = -log sigmoid(beta [ (chosen - rejected) - (1 + a) (ref_chosen - ref_rejected)
                                + a (past_chosen - past_rejected) ])

    The reference of the loss is the extrapolated pi_t, which is never built: a pair needs only its log-ratio, in which
    log Z cancels. In other losses it may not: in SPPO's, each response stands by itself.

    chosen, rejected: (batch,), nats a sequence. ref_chosen, ref_rejected: (batch,), under pihat_t, the policy that the
    round before trained. past_chosen, past_rejected: (batch,), under pihat_{t-1}, the one before that; in round 1
    pihat_t itself. Not under pi_t: then steps would tend to 1 + a times the plain one, and not to 1 / (1 - a).
    beta: strength of the pull to pi_t, 1/nats. momentum: a in (-1, 1); 0 is `dpo`, below 0 averages the last two.
    Returns (batch,), log 2 where the policy has the pair's log-ratio of the extrapolated reference. Finite for any
    finite input whose differences are.

    No kin of TRL's `apo_zero` and `apo_down`, which are Anchored Preference Optimization.

    Source: He et al. 2024, arXiv 2410.06293, the framework with DPO's loss; its text was not at hand, so equation
    numbers are missing and the defaults (beta 0.1, momentum 0.3) are unverified. No code of its authors was found.
    """
    same_shape(
        chosen=chosen,
        rejected=rejected,
        ref_chosen=ref_chosen,
        ref_rejected=ref_rejected,
        past_chosen=past_chosen,
        past_rejected=past_rejected,
    )
    positive(beta=beta)
    if not -1 < momentum < 1:
        raise ValueError(f"momentum={momentum!r} must lie between -1 and 1, both excluded")
    step = (ref_chosen - past_chosen) - (ref_rejected - past_rejected)  # of the last round, in the pair's log-ratio
    return -logsigmoid(beta * ((chosen - ref_chosen) - (rejected - ref_rejected) - momentum * step))
