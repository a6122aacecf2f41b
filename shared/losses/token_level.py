r"""Losses on pairs of responses that weigh single tokens.

Log-probabilities are per token, (batch, length) in nats: log pi(y_t | x, y_<t), the end token included. The two
responses of a pair may be padded to different lengths; a mask says which positions count, and what stands elsewhere,
NaN or infinity included, is never looked at.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import positive, same_shape


def t_reg(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    rhat_chosen: Tensor,
    rhat_rejected: Tensor,
    mask_chosen: Tensor | None = None,
    mask_rejected: Tensor | None = None,
    *,
    beta: float = 0.01,
    alpha: float = 0.25,
    w: float | None = None,
) -> Tensor:
    r"""DPO with a token-level regulariser: likelihood weighted by self-made token rewards (DPO-REG).

        L = -log sigmoid(h) + alpha w ( L_reg(y_w) + L_reg(y_l) )
        h = beta sum_t [ (log pi - log ref)(y_w,t) ] - beta sum_t [ (log pi - log ref)(y_l,t) ]
        L_reg(y) = -sum_t beta rhat(y_t) log pi(y_t | x, y_<t),   w = sigmoid(-h), without a gradient

    chosen, ref_chosen, rhat_chosen, mask_chosen: (batch, length of y_w); rejected, ref_rejected, rhat_rejected,
    mask_rejected: (batch, length of y_l). Log-probabilities in nats a token. rhat: token rewards in [-1/2, 1/2], see
    `contrastive_rewards`, data without a gradient; both regularisers are added with one sign. mask: true at tokens
    that count, None for all. beta: 1/nats. alpha: weight of the regulariser, not below 0; 0 is `dpo` on the sums. w: a
    constant instead of the weight of the sequence (an ablation of the paper). Returns (batch,).

    Its gradient is DPO's with re-weighted tokens: -beta w (1 + alpha rhat_t) at tokens of y_w, +beta w (1 - alpha
    rhat_t) at tokens of y_l. Up to alpha = 2 no token turns round.
    Raises ValueError for shapes that differ within a response, a rhat outside [-1/2, 1/2] at a token that counts, and
    hyper-parameters out of range.

    Source: Zhou et al. 2024, arXiv 2412.02685; alpha of the paper is one of 0.1, 0.25 and 0.5, beta that of the SimPO
    recipe. No copy of the authors' code (wzhouad/T-REG) was seen: that w carries no gradient follows from the paper's
    reason for it, to hold both gradients in proportion.
    """
    positive(beta=beta)
    if not (alpha >= 0 and math.isfinite(alpha)):
        raise ValueError(f"alpha={alpha!r} must be finite and not below 0")
    if w is not None and not (w >= 0 and math.isfinite(w)):
        raise ValueError(f"w={w!r} must be finite and not below 0, or None for the weight of the sequence")
    win, reg_win = _response("chosen", chosen, ref_chosen, rhat_chosen, mask_chosen)
    lose, reg_lose = _response("rejected", rejected, ref_rejected, rhat_rejected, mask_rejected)
    if win.shape != lose.shape:
        raise ValueError(f"chosen has {len(win)} rows and rejected {len(lose)}: a pair needs one of each")
    h = beta * (win - lose)
    weight = torch.sigmoid(-h).detach() if w is None else w
    return -logsigmoid(h) - alpha * weight * beta * (reg_win + reg_lose)


def contrastive_rewards(better: Tensor, worse: Tensor) -> Tensor:
    r"""Token rewards of an answer from two prompts that ask for a better and for a worse one.

        rhat(y_t) = sigmoid( log pi(y_t | x_better, y_<t) - log pi(y_t | x_worse, y_<t) ) - 1/2

    better, worse: log-probabilities in nats a token, any one shape. Returns that shape, in [-1/2, 1/2], float32 at
    least and without a gradient. Source: Zhou et al. 2024, arXiv 2412.02685.
    """
    same_shape(better=better, worse=worse)
    wide = torch.promote_types(better.dtype, torch.float32)
    return torch.sigmoid(better.detach().to(wide) - worse.detach().to(wide)) - 0.5


def _response(name: str, logps: Tensor, ref: Tensor, rhat: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Log-ratio of a response and its reward-weighted log-likelihood, (batch,) each, in nats."""
    mask = torch.ones_like(logps) if mask is None and isinstance(logps, Tensor) else mask
    given = {name: logps, f"ref_{name}": ref, f"rhat_{name}": rhat, f"mask_{name}": mask}
    for label, tensor in given.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{label} must be a tensor, but is a {type(tensor).__name__}")
    if logps.ndim != 2 or len({tensor.shape for tensor in given.values()}) > 1:
        shapes = ", ".join(f"{label} {tuple(tensor.shape)}" for label, tensor in given.items())
        raise ValueError(f"all of a response must have one shape, (batch, length), but were given as {shapes}")
    kept = mask.bool()
    reward = rhat.detach().masked_fill(~kept, 0)
    outside = reward[~(reward.abs() <= 0.5)]
    if len(outside):
        raise ValueError(f"rhat_{name}={outside[0].item()!r} must lie in [-0.5, 0.5]")
    logps = logps.masked_fill(~kept, 0)
    return (logps - ref.masked_fill(~kept, 0)).sum(1), (reward * logps).sum(1)
