r"""Losses on pairs of responses.

Every function takes the log-probabilities of two responses under the policy and under a frozen reference, each a
tensor of shape (batch,) in nats a sequence: log pi(y|x) summed over the tokens of the response, end token included,
prompt left out. What else a method knows of an example follows as further tensors of the same shape. Hyper-parameters
are keyword-only. The result has shape (batch,) and is not reduced: `loss(...).mean()` is what a trainer minimises.

Written throughout: h_w = chosen - ref_chosen and h_l = rejected - ref_rejected, the log-ratios of policy to reference.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import positive, same_shape


def dpo(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""Direct preference optimisation: the logistic loss of the difference of log-ratios.

        L = -(1 - e) log sigmoid(beta (h_w - h_l)) - e log sigmoid(-beta (h_w - h_l))

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence. beta: strength of the pull to the reference,
    1/nats. label_smoothing: e in [0, 0.5], the share of labels taken to be wrong (0: the loss of the paper).
    Returns (batch,), log 2 where policy and reference agree. Finite for any finite input.

    Source: Rafailov et al. 2023, arXiv 2305.18290, equation (7). The smoothed form is conservative DPO (Mitchell, "A
    note on DPO with noisy preferences", 2023). The authors' code is this function; TRL's `sigmoid` is it at e = 0, and
    TRL's `robust` is another correction for noise.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    positive(beta=beta)
    if not 0 <= label_smoothing <= 0.5:
        raise ValueError(f"label_smoothing={label_smoothing!r} must lie in [0, 0.5]")
    margin = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)


def ipo(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, *, beta: float = 0.1) -> Tensor:
    r"""Identity preference optimisation: the difference of log-ratios is drawn to a finite target.

        L = (h_w - h_l - 1 / (2 beta))^2

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats. beta: the paper's tau; the target is 1 / (2 beta) nats.
    Returns (batch,), nats squared; 0 where the difference is on target.

    Source: Azar et al. 2023, arXiv 2310.12036, equation (17). The paper means whole sequences, and this function takes
    what it gets. Sums (nats a sequence) are the form of SPPO's authors' code; TRL's `ipo` divides each log-ratio by the
    number of its response tokens, on the word of IPO's authors: hand over means (nats a token), as the trainer does
    with `average_log_prob=True`, and the two agree. A beta for one unit means nothing in the other.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    positive(beta=beta)
    return ((chosen - ref_chosen) - (rejected - ref_rejected) - 1 / (2 * beta)) ** 2


def hinge(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, *, beta: float = 0.1) -> Tensor:
    r"""Hinge loss of the difference of log-ratios: no push once the margin is reached.

        L = max(0, 1 - beta (h_w - h_l))

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence. beta: 1/nats; the margin is 1 / beta nats.
    Returns (batch,), 1 where policy and reference agree.

    Source: the hinge of SLiC (Zhao et al. 2023, arXiv 2305.10425) on log-ratios, as in RSO (Liu et al. 2023, arXiv
    2309.06657, section 4). SLiC itself has no reference in the margin and adds a supervised term. Equal to TRL's
    `hinge`.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    positive(beta=beta)
    return (1 - beta * ((chosen - ref_chosen) - (rejected - ref_rejected))).relu()


def sppo(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    p_win: Tensor,
    p_lose: Tensor,
    *,
    beta: float = 0.001,
    log_z: float = 0.5,
    terms: str = "mean",
) -> Tensor:
    r"""Self-play preference optimisation: each log-ratio is regressed on its own win rate.

        L = 1/2 [ (h_w - (p_win - log_z) / beta)^2 + (h_l - (p_lose - log_z) / beta)^2 ]

    One step of exponential weights, pi' ~ pi exp(eta P), written as a regression; eta = 1 / beta, and log_z * eta
    stands in for log Z. The minimum, zero, lies where h = eta (P - 1/2) for both responses.

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence; the reference is the policy at the start of
    the round. p_win, p_lose: (batch,), the probabilities with which chosen and rejected beat a fresh response of the
    reference policy, in [0, 1]; 1 and 0 give the hard form. beta: 1 / eta, 1/nats. log_z: the constant in units of eta;
    1/2 is exact for coin flips, and the paper allows tuning. terms: "mean" halves the sum of the two squares, "sum"
    does not. Returns (batch,), nats squared: some 1e5 at beta = 0.001, a scale for the optimiser to undo.

    Source: Wu et al. 2024, arXiv 2405.00675, equation (4.7) within algorithm 1, which regresses all sampled responses;
    the authors' code (`sppo`, uclaml/SPPO at 5e61c4e) takes best and worst only and halves, as here. TRL's `sppo_hard`
    is this function with terms="sum" at p_win = 1, p_lose = 0.
    """
    same_shape(
        chosen=chosen,
        rejected=rejected,
        ref_chosen=ref_chosen,
        ref_rejected=ref_rejected,
        p_win=p_win,
        p_lose=p_lose,
    )
    positive(beta=beta)
    if terms not in ("mean", "sum"):
        raise ValueError(f"terms={terms!r} must be 'mean' (the authors' code) or 'sum' (TRL)")
    win = (chosen - ref_chosen - (p_win - log_z) / beta) ** 2
    lose = (rejected - ref_rejected - (p_lose - log_z) / beta) ** 2
    return (win + lose) / 2 if terms == "mean" else win + lose


def sppo_linearised(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    p_win: Tensor,
    p_lose: Tensor,
    *,
    beta: float = 0.001,
) -> Tensor:
    r"""The straight line that touches `sppo` at the start of a round: a policy gradient with advantage P - 1/2.

        L = -[ (p_win - 1/2) h_w + (p_lose - 1/2) h_l ] / beta

    Its gradient is that of `sppo` (log_z 1/2, terms "mean") where policy and reference agree, everywhere. In the limit
    beta -> 0 the two train alike under an optimiser that undoes scale; where they differ, the regression is active.
    Unlike `sppo` it is unbounded below.

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence. p_win, p_lose: (batch,), in [0, 1]. beta:
    1 / eta, 1/nats. Returns (batch,), nats squared, 0 where policy and reference agree.

    Source: derived from `sppo`; in no paper or code of its authors.
    """
    same_shape(
        chosen=chosen,
        rejected=rejected,
        ref_chosen=ref_chosen,
        ref_rejected=ref_rejected,
        p_win=p_win,
        p_lose=p_lose,
    )
    positive(beta=beta)
    return -((p_win - 0.5) * (chosen - ref_chosen) + (p_lose - 0.5) * (rejected - ref_rejected)) / beta


SPIN_KINDS = {
    "logistic": lambda t: -logsigmoid(t),
    "hinge": lambda t: (1 - t).relu(),
    "exponential": lambda t: (-t).exp(),
    "correlation": lambda t: 1 - t,
}


def spin(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
    kind: str = "logistic",
) -> Tensor:
    r"""Self-play fine-tuning: the policy tells data from what its previous iterate wrote.

        L = l( lambda h_real - lambda h_generated ),   l(t) = log(1 + e^-t) | max(0, 1 - t) | e^-t | 1 - t

    chosen, ref_chosen: (batch,), nats a sequence, of the response in the supervised data (real). rejected,
    ref_rejected: of a response sampled from the reference, the previous iterate (generated). beta: the paper's lambda,
    1/nats, 0.1 in iterations 0 to 2 and 5.0 in iteration 3. kind: the loss l, "logistic", "hinge", "exponential" or
    "correlation". Returns (batch,); log 2, 1, 1 or 1 where policy and reference agree.

    The exponential kind overflows to inf where beta (h_real - h_generated) < -88 in float32 (< -709 in float64); the
    others are finite for any finite input. The correlation kind is unbounded below.

    Source: Chen et al. 2024, arXiv 2401.01335, equation (4.7), the kinds from its section 4. The authors' code
    (uclaml/SPIN at a12ba80) has logistic and hinge. The logistic kind is `dpo` under other roles. The paper samples the
    generated response from the template that it trains; the authors' code uses another one for sampling.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    positive(beta=beta)
    if kind not in SPIN_KINDS:
        raise ValueError(f"kind={kind!r} is unknown; known are {', '.join(SPIN_KINDS)}")
    return SPIN_KINDS[kind](beta * ((chosen - ref_chosen) - (rejected - ref_rejected)))
