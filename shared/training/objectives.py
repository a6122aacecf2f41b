"""What the lean loop minimises: the cross-entropy of demonstrations, and losses of pairs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autodidact.training.llama import Row, lay_out, response_logits
from autodidact.training.pairs import LOGPS
from autodidact.training.run import Log

TOKENS = ("prompt_ids", "chosen_ids", "rejected_ids")
AT_ONCE = 64  # pairs of one forward pass without gradients


def second_choices(logits: Tensor, labels: Tensor) -> Tensor:
    """At each position the likeliest token that is not the label: logits (..., vocabulary), labels (...) -> (...)."""
    first, second = logits.topk(2, dim=-1).indices.unbind(-1)
    return torch.where(first == labels, second, first)


class Demonstrations:
    """Mean cross-entropy (nats a token) of a batch's response tokens; rows: ids of a prompt and of its response."""

    def __init__(self, rows: Sequence[tuple[list[int], list[int]]]) -> None:
        self.rows: list[Row] = [(head, (tail,)) for head, tail in rows]

    def prepare(self, model: torch.nn.Module) -> None:
        """Nothing is to be known of the model before its first step."""

    def __call__(self, model: torch.nn.Module, part: Sequence[int], whole: Sequence[int]) -> tuple[Tensor, Log]:
        """See `Objective`; logged are entropy (nats a token) and mean_token_accuracy."""
        batch = lay_out([self.rows[i] for i in part])
        tokens = max(1, sum(len(self.rows[i][1][0]) for i in whole))
        logps = torch.log_softmax(response_logits(model, batch), dim=-1)
        loss = -logps[batch.predictor, batch.targets].sum() / tokens
        with torch.no_grad():
            logps = logps[batch.predictor]
            entropy = -logps.exp().mul_(logps).sum()
            hits = (logps.argmax(dim=1) == batch.targets).sum()
            seen = (torch.stack([entropy, hits]) / tokens).tolist()
        return loss, dict(zip(("entropy", "mean_token_accuracy"), seen, strict=True))


class Preferences:
    """Mean of a loss of `autodidact.losses` over pairs.

    rows: what `pairs.pair_rows` gives, the columns of the loss included. beta: scales the logged rewards. average: the
    loss is given nats a token and not nats a sequence. second_choice: the log-probabilities of rejected are those of
    `second_choices`. The reference is the model that `prepare` is shown, or what the rows bring along.
    """

    def __init__(
        self,
        rows: dict[str, list],
        *,
        loss: Callable[..., Tensor],
        beta: float,
        average: bool = False,
        second_choice: bool = False,
    ) -> None:
        self.loss, self.beta = loss, beta
        self.average, self.second_choice = average, second_choice
        ids = zip(*(rows[name] for name in TOKENS), strict=True)
        self.rows: list[Row] = [(head, tuple(tails)) for head, *tails in ids]
        self.columns = {name: torch.tensor(values) for name, values in rows.items() if name not in (*TOKENS, *LOGPS)}
        self.brought = set(LOGPS) <= set(rows)
        self.reference = torch.empty(len(self.rows), 2)
        if self.brought:
            self.reference = torch.tensor([rows[name] for name in LOGPS]).T

    @torch.no_grad()
    def prepare(self, model: torch.nn.Module) -> None:
        """Keep what the model says of every pair before its first step, unless the pairs bring a reference along."""
        if self.brought:
            return
        order = sorted(range(len(self.rows)), key=lambda i: sum(map(len, (self.rows[i][0], *self.rows[i][1]))))
        for start in range(0, len(order), AT_ONCE):
            part = order[start : start + AT_ONCE]
            self.reference[part] = self.logps(model, part).T

    def logps(self, model: torch.nn.Module, part: Sequence[int]) -> Tensor:
        """(2, pairs): log-probabilities of chosen and of rejected, in the unit of the loss."""
        rows = [self.rows[i] for i in part]
        batch = lay_out(rows)
        logits, targets = response_logits(model, batch)[batch.predictor], batch.targets
        if self.second_choice:
            rejected = batch.owner >= len(rows)
            targets = torch.where(rejected, second_choices(logits.detach(), targets), targets)
        tokens = torch.log_softmax(logits, dim=-1).gather(1, targets[:, None])[:, 0]
        sums = tokens.new_zeros(2 * len(rows)).index_add(0, batch.owner, tokens)
        if self.average:
            sums = sums / torch.bincount(batch.owner, minlength=len(sums)).clamp(min=1)
        return sums.view(2, len(rows))

    def __call__(self, model: torch.nn.Module, part: Sequence[int], whole: Sequence[int]) -> tuple[Tensor, Log]:
        """See `Objective`; logged are TRL's rewards/* and logps/*."""
        chosen, rejected = self.logps(model, part)
        ref_chosen, ref_rejected = self.reference[part].T
        columns = {name: values[part] for name, values in self.columns.items()}
        losses = self.loss(chosen, rejected, ref_chosen, ref_rejected, **columns)
        if losses.shape != chosen.shape:
            raise ValueError(f"loss must return shape {tuple(chosen.shape)}, unreduced, not {tuple(losses.shape)}")
        with torch.no_grad():
            win, lose = self.beta * (chosen - ref_chosen), self.beta * (rejected - ref_rejected)
            seen = {
                "rewards/chosen": win,
                "rewards/rejected": lose,
                "rewards/accuracies": (win > lose).float(),
                "rewards/margins": win - lose,
                "logps/chosen": chosen,
                "logps/rejected": rejected,
            }
            values = (torch.stack(list(seen.values())).sum(dim=1) / len(whole)).tolist()
        return losses.sum() / len(whole), dict(zip(seen, values, strict=True))
