r"""Losses of a gap reward model, which says how much better one response is than another.

g_ab stands for R_gap(x, candidate a, reference b), (batch,) in nats; w and l are the preferred and the other response
of a pair. What is wanted is g_wl > g_ww ~ g_ll > g_lw.
"""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import logsigmoid

from autodidact.losses.shapes import same_shape

PIT_RELATIONS = ("wl>ww", "wl>ll", "wl>lw", "ww>lw", "ll>lw")  # in the order of the paper's loss


def pit_gap(
    g_wl: Tensor,
    g_ww: Tensor,
    g_ll: Tensor,
    g_lw: Tensor,
    *,
    relations: Sequence[str] = PIT_RELATIONS,
    terms: str = "sum",
) -> Tensor:
    r"""The five-term ranking loss of PIT's gap reward model.

        L = -[ log s(g_wl - g_ww) + log s(g_wl - g_ll) + log s(g_wl - g_lw) + log s(g_ww - g_lw) + log s(g_ll - g_lw) ]

    with s the sigmoid. g_wl, g_ww, g_ll, g_lw: (batch,), nats, candidate first and reference second. relations: which
    of the terms "wl>ww", "wl>ll", "wl>lw", "ww>lw", "ll>lw" are taken; "wl>lw" alone is the plain loss, which an
    ordinary reward of the candidate fulfils as well. terms: "sum", or "mean" over the terms taken. Returns (batch,),
    log 2 a term where all gaps are equal. It asks for no antisymmetry and no zero self-gap. Raises ValueError for
    shapes that differ, and for relations and terms that are unknown.

    Source: Wang et al. 2023, arXiv 2310.00898, section 3.2, as reconstructed; no code of its authors was found. Whether
    the paper sums or averages could not be verified: it only scales the learning rate.
    """
    gaps = {"wl": g_wl, "ww": g_ww, "ll": g_ll, "lw": g_lw}
    same_shape(**{f"g_{name}": gap for name, gap in gaps.items()})
    relations = [relations] if isinstance(relations, str) else list(relations)
    unknown = [name for name in relations if name not in PIT_RELATIONS]
    if unknown or not relations or len(set(relations)) < len(relations):
        raise ValueError(f"relations={relations!r} must be some of {', '.join(PIT_RELATIONS)}, each once")
    if terms not in ("sum", "mean"):
        raise ValueError(f"terms={terms!r} must be 'sum' or 'mean'")
    loss = sum(-logsigmoid(gaps[more] - gaps[less]) for more, less in (name.split(">") for name in relations))
    return loss / len(relations) if terms == "mean" else loss
