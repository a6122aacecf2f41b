"""Preference training on token rewards: what a per-token loss such as `losses.t_reg` asks of the model."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from autodidact.training.third import AT_ONCE, response_logps

if TYPE_CHECKING:
    from autodidact.models.policy import Policy
    from autodidact.training.pairs import Pair

SIDES = ("chosen", "rejected")


class TokenRewards:
    """For `train_beside` with `per_token(loss)`: log-probabilities, rewards and masks, (batch, length) each.

    rewards: for each pair the rewards of all tokens of chosen and of rejected, end token included (see
    `losses.contrastive_rewards`). Responses are read whole. Raises ValueError for rewards that are not one a token.
    """

    columns = tuple(f"{kind}_{side}" for kind in ("tokens", "ref_tokens", "rhat", "mask") for side in SIDES)

    def __init__(
        self, policy: "Policy", pairs: "Sequence[Pair]", rewards: Sequence[tuple[Sequence[float], Sequence[float]]]
    ) -> None:
        heads = policy.encode_prompts([pair.prompt for pair in pairs])
        self.pad, self.rows, self.rhat, self.reference = policy.pad, {}, {}, {}
        for k, side in enumerate(SIDES):
            tails = policy.encode_responses([getattr(pair, side) for pair in pairs])
            self.rows[side] = [(heads[pair.prompt], tail) for pair, tail in zip(pairs, tails, strict=True)]
            self.rhat[side] = [torch.tensor(both[k], dtype=torch.float32) for both in rewards]
            for i, (rhat, tail) in enumerate(zip(self.rhat[side], tails, strict=True)):
                if len(rhat) != len(tail):
                    raise ValueError(f"rewards[{i}] of {side} are {len(rhat)}, for a response of {len(tail)} tokens")

    @torch.no_grad()
    def prepare(self, model: torch.nn.Module) -> None:
        """Keep what the reference says of every token."""
        for side, rows in self.rows.items():
            self.reference[side] = []
            for start in range(0, len(rows), AT_ONCE):
                logps, mask = response_logps(model, rows[start : start + AT_ONCE], self.pad)
                self.reference[side] += [row[kept].cpu() for row, kept in zip(logps, mask, strict=True)]

    def __call__(self, model: torch.nn.Module, rows: Sequence[int]) -> dict[str, Tensor]:
        """See `Beside`."""
        read = {}
        for side in SIDES:
            logps, mask = response_logps(model, [self.rows[side][i] for i in rows], self.pad)
            read[f"tokens_{side}"], read[f"mask_{side}"] = logps, mask
            for name, values in (("ref_tokens", self.reference), ("rhat", self.rhat)):
                padded = pad_sequence([values[side][i] for i in rows], batch_first=True)
                read[f"{name}_{side}"] = padded.to(logps)
        return read


def per_token(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss of log-probabilities, rewards and masks of tokens, as `losses.t_reg`, in the form of `train_beside`."""

    def of_tokens(
        chosen: Tensor,
        rejected: Tensor,
        ref_chosen: Tensor,
        ref_rejected: Tensor,
        tokens_chosen: Tensor,
        tokens_rejected: Tensor,
        ref_tokens_chosen: Tensor,
        ref_tokens_rejected: Tensor,
        rhat_chosen: Tensor,
        rhat_rejected: Tensor,
        mask_chosen: Tensor,
        mask_rejected: Tensor,
    ) -> Tensor:
        logps = (tokens_chosen, tokens_rejected, ref_tokens_chosen, ref_tokens_rejected)
        return loss(*logps, rhat_chosen, rhat_rejected, mask_chosen, mask_rejected)

    return of_tokens
