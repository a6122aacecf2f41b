r"""Losses of direct Nash optimisation: a round towards the policy that no other one is preferred to.

Log-probabilities are those of `autodidact.losses.preference`: (batch,), nats a sequence; the reference is pi_t, the
policy at the start of the round. Written throughout: Delta = beta [(chosen - ref_chosen) - (rejected - ref_rejected)].
"""

import torch
from torch import Tensor

from autodidact.losses.preference import dpo
from autodidact.losses.shapes import same_shape
from autodidact.losses.soft import osp


def dno(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, *, beta: float = 0.1) -> Tensor:
    r"""The contrastive form (DNO-Prct): of two answers the one with the higher win rate against pi_t is chosen.

        L = -log sigmoid(Delta),   Delta = beta [(chosen - ref_chosen) - (rejected - ref_rejected)]

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence. beta: the paper's eta, the strength of the
    pull to pi_t, 1/nats (SPPO's eta is its inverse); 0.1 or 0.05 in the paper. Returns (batch,), log 2 where policy and
    reference agree. Finite for any finite input.

    Source: Rosset et al. 2024, arXiv 2404.03715, algorithm 2. It is `dpo` with pi_t for a reference: a preference
    enters by the choice and the order of pairs alone, and by how much an answer wins is lost. No code of the authors
    was found.
    """
    return dpo(chosen, rejected, ref_chosen, ref_rejected, beta=beta)


def dno_exact(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    r_chosen: Tensor,
    r_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> Tensor:
    r"""The exact form: differences of log-ratios are regressed, by cross-entropy, on differences of win rates.

        L = -sigmoid(d) log sigmoid(Delta) - sigmoid(-d) log sigmoid(-Delta),   d = r_chosen - r_rejected

    Its minimum lies at Delta = d: over all pairs that is pi_{t+1} ~ pi_t exp(r_t / beta), exponential weights.

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence; the two sides may change places. r_chosen,
    r_rejected: (batch,), r_t(x, y) = E_{y' ~ pi_t} P(y beats y' | x) in [0, 1], no gradient goes through them; so the
    label sigmoid(d) is never beyond sigmoid(1) = 0.73. beta: the paper's eta, 1/nats; log-ratios are drawn at most
    1 / beta nats apart. Returns (batch,), the entropy of the label at the minimum. Raises ValueError for a win rate
    that is no probability, such as a logit or a NaN.

    Source: Rosset et al. 2024, arXiv 2404.03715, algorithm 1. It is `dpo` with a label_smoothing of sigmoid(-d) for
    every pair of its own. No code of the authors was found; what they ran is `dno`.
    """
    same_shape(
        chosen=chosen,
        rejected=rejected,
        ref_chosen=ref_chosen,
        ref_rejected=ref_rejected,
        r_chosen=r_chosen,
        r_rejected=r_rejected,
    )
    _win_rates(r_chosen=r_chosen, r_rejected=r_rejected)
    label = torch.sigmoid(r_chosen - r_rejected)
    return osp(chosen, rejected, ref_chosen, ref_rejected, label, beta=beta)  # which lets no gradient into the label


def _win_rates(**rates: Tensor) -> None:
    for name, rate in rates.items():
        wrong = rate.detach()[~((rate >= 0) & (rate <= 1))]
        if len(wrong):
            raise ValueError(f"{name} has the entry {wrong[0].item():g}, must be win rates in [0, 1]")
