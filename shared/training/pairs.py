"""Preference pairs, the columns that losses ask of them, and their token ids."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autodidact.models.response import is_whole

if TYPE_CHECKING:
    import torch

    from autodidact.models.policy import Policy
    from autodidact.training.run import Run


REFERENCE = ("ref_chosen", "ref_rejected")  # columns of a pair that brings its reference along
LOGPS = tuple(f"{name}_logps" for name in REFERENCE)  # the same in a data set, under TRL's names


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt, and what a loss needs to know of them (p_win, p_lose ...).

    Columns `ref_chosen` and `ref_rejected` are a reference of the pair's own: log-probabilities of both responses, in
    the unit that the loss gets, in place of those under the policy as it comes.
    """

    prompt: str
    chosen: str
    rejected: str
    columns: Mapping[str, float] = field(default_factory=dict)


def whole_pairs(pairs: Sequence[Pair]) -> tuple[list[Pair], int]:
    """The pairs of two whole answers, and how many were left out: those with a response cut at its token limit."""
    kept = [pair for pair in pairs if is_whole(pair.chosen) and is_whole(pair.rejected)]
    return kept, len(pairs) - len(kept)


def extra_columns(loss: "Callable[..., torch.Tensor]") -> dict[str, bool]:
    """The columns that a loss takes after its four log-probabilities, each with whether it is required.

    They are the parameters that may be given by position; one with a default is used where the data set has it.
    Raises ValueError for a loss that has fewer than four such parameters or a hyper-parameter left unbound.
    """
    parameters = inspect.signature(loss).parameters.values()
    name = getattr(getattr(loss, "func", loss), "__name__", repr(loss))
    unbound = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if unbound:
        raise ValueError(f"loss {name} leaves {', '.join(unbound)} open; bind it: functools.partial({name}, ...)")
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(positional) < 4:
        raise ValueError(f"loss {name} must take chosen, rejected, ref_chosen, ref_rejected, then its own columns")
    return {p.name: p.default is p.empty for p in positional[4:]}


def loss_beta(loss: "Callable[..., torch.Tensor]") -> float | None:
    """The beta that a loss is bound to or has by default; None for a loss without one."""
    parameter = inspect.signature(loss).parameters.get("beta")
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def pair_rows(
    policy: "Policy", pairs: Sequence[Pair], loss: "Callable[..., torch.Tensor]", run: "Run"
) -> dict[str, list]:
    """The data set of pairs: token ids of prompt and responses (cut to `run.max_length`) and the loss's columns.

    A reference that the pairs bring along stands under `LOGPS`. Raises ValueError for a column that the loss needs and
    a pair lacks, or that is not finite, and for pairs of which only some bring a reference.
    """
    prompts = run.encode_prompts(policy, [pair.prompt for pair in pairs])
    heads = [prompts[pair.prompt] for pair in pairs]
    data: dict[str, list] = {"prompt_ids": heads}
    for side in ("chosen", "rejected"):
        tails = policy.encode_responses([getattr(pair, side) for pair in pairs])
        data[f"{side}_ids"] = [tail[: run.room(head)] for head, tail in zip(heads, tails, strict=True)]
        longest = max(len(head) + len(tail) for head, tail in zip(heads, data[f"{side}_ids"], strict=True))
        policy.check_places(longest, f"the longest prompt with its {side} response")
    for name, required in extra_columns(loss).items():
        if required or name in pairs[0].columns:
            data[name] = [_column(pair, name, index) for index, pair in enumerate(pairs)]
    if any(name in pair.columns for pair in pairs for name in REFERENCE):
        for column, name in zip(LOGPS, REFERENCE, strict=True):
            data[column] = [_column(pair, name, index) for index, pair in enumerate(pairs)]
    return data


def _column(pair: Pair, name: str, index: int) -> float:
    value = pair.columns.get(name)
    if isinstance(value, str) or value is None or not math.isfinite(value):
        has = ", ".join(pair.columns) or "none"
        raise ValueError(f"pairs[{index}] needs a finite column {name} for the loss, got {value!r}; its columns: {has}")
    return float(value)
