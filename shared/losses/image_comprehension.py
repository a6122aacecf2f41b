r"""The loss of self-training on image comprehension: a preference, and the likelihood of what is preferred."""

from torch import Tensor

from autodidact.losses.preference import dpo
from autodidact.losses.shapes import same_shape


def stic(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
    alpha: float = 1 / 1024,
) -> Tensor:
    r"""STIC's first stage: DPO, and a pull on the preferred answer lest both answers lose likelihood.

        L = log(1 + exp(-t)) - alpha log p(y_w | v, x),   t = lambda (h_w - h_l)

    chosen, rejected, ref_chosen, ref_rejected: (batch,), nats a sequence, of a description of the clean picture v under
    the short request x. beta: the paper's lambda, 1/nats. alpha: weight of the likelihood, 1/nats, on the **sum** over
    the answer's tokens: 1 / (mean length) is what a mean over tokens would be. Returns (batch,); log 2 minus alpha
    times `chosen` where policy and reference agree. Its gradient in `chosen` is -(beta sigmoid(-t) + alpha).

    Source: Deng et al. 2024, arXiv 2405.19716. The authors' code (yihedeng9/STIC, `stic/dpo_trainer.py` at 9511f1e)
    writes alpha as the constant 1/1024, the default here, and hands over another rejected log-probability than that of
    y_l: see `training.train_second_choice`. TRL's `loss_type=["sigmoid", "sft"]` has the mean over the tokens of
    a batch in place of the sum, `rpo_alpha` of older releases the mean over an answer's tokens.
    """
    same_shape(chosen=chosen, rejected=rejected, ref_chosen=ref_chosen, ref_rejected=ref_rejected)
    if not alpha >= 0:
        raise ValueError(f"alpha={alpha!r} must not be negative")
    return dpo(chosen, rejected, ref_chosen, ref_rejected, beta=beta) - alpha * chosen
