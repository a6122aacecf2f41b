"""Log-probabilities that are computed from the model in training: of any response, token by token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from autodidact.models.policy import Policy

Row = tuple[list[int], list[int]]  # ids of a prompt and of a response
AT_ONCE = 64  # responses of one forward pass without gradients


def response_logps(model: torch.nn.Module, rows: Sequence[Row], pad: int) -> tuple[Tensor, Tensor]:
    """log pi of the tokens of responses and which of them exist, (rows, longest response) each; in nats, with gradient.

    Column t is token t of a response; log-probabilities are 0 where there is none.
    """
    device = next(model.parameters()).device
    width, longest = max(len(x) + len(y) for x, y in rows), max(len(y) for _, y in rows)
    ids = torch.tensor([x + y + [pad] * (width - len(x) - len(y)) for x, y in rows], device=device)
    lengths = torch.tensor([[len(x), len(y)] for x, y in rows], device=device)
    seen = torch.arange(width, device=device) < lengths.sum(1, keepdim=True)
    first = min(len(x) for x, _ in rows) - 1  # nothing is predicted before
    logits = model(ids, attention_mask=seen.long(), use_cache=False, logits_to_keep=width - first).logits.float()
    column = torch.arange(longest, device=device)
    mask = column < lengths[:, 1:]
    place = (lengths[:, :1] + column).clamp(max=width - 1)  # where each token of a response stands
    asked = logits.gather(1, (place - 1 - first)[..., None].expand(-1, -1, logits.shape[-1]))
    logps = asked.gather(-1, ids.gather(1, place)[..., None])[..., 0] - asked.logsumexp(-1)
    return logps.masked_fill(~mask, 0), mask


class OwnResponses:
    """For `train_beside`: `own` and `ref_own`, (batch,) in nats, of one further response a pair, as `losses.selm` asks.

    responses: one a pair, in their order. max_length: tokens of prompt and response together, cut at the end.
    """

    columns = ("own", "ref_own")

    def __init__(
        self, policy: "Policy", prompts: Sequence[str], responses: Sequence[str], max_length: int | None = None
    ) -> None:
        if len(prompts) != len(responses):
            raise ValueError(f"prompts and responses must be as many: {len(prompts)} and {len(responses)} were given")
        heads, tails = policy.encode_prompts(prompts), policy.encode_responses(responses)
        room = [None if max_length is None else max(0, max_length - len(heads[x])) for x in prompts]
        self.rows = [(heads[x], y[:n]) for x, y, n in zip(prompts, tails, room, strict=True)]
        self.pad = policy.pad
        self.reference = torch.empty(len(self.rows))

    @torch.no_grad()
    def prepare(self, model: torch.nn.Module) -> None:
        """Keep what the reference says of every response."""
        for start in range(0, len(self.rows), AT_ONCE):
            logps, _ = response_logps(model, self.rows[start : start + AT_ONCE], self.pad)
            self.reference[start : start + AT_ONCE] = logps.sum(1).cpu()

    def __call__(self, model: torch.nn.Module, rows: Sequence[int]) -> dict[str, Tensor]:
        """See `Beside`."""
        logps, _ = response_logps(model, [self.rows[i] for i in rows], self.pad)
        own = logps.sum(1)
        return {"own": own, "ref_own": self.reference[list(rows)].to(own)}
