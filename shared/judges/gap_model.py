"""A gap reward model, which reads two responses and says how much better the first is; and what it is measured by."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from autodidact.checks import finite
from autodidact.judges.consistency import rank_correlation
from autodidact.judges.reward_model import HasText, with_scalar_head
from autodidact.losses import pit_gap
from autodidact.models.sampling import refuse_nan

if TYPE_CHECKING:
    from peft import PeftConfig
    from transformers import PreTrainedModel

    from autodidact.models.policy import Policy
    from autodidact.training import Pair
    from autodidact.training.run import Log

CASES = ("wl", "ww", "ll", "lw")  # candidate, then reference; w and l are the preferred and the other response


class GapModel:
    """R_gap(x, y, y_ref): how much better y is than y_ref, in nats; a scalar head on a language model.

    It reads prompt, candidate, reference, each response with its end token, both cut to `max_response` tokens.
    """

    def __init__(self, model: "PreTrainedModel", policy: "Policy", max_response: int | None = None) -> None:
        self.model, self.policy, self.max_response = model, policy, max_response

    @torch.inference_mode()
    def gaps(
        self, prompts: Sequence[str], candidates: Sequence[str], references: Sequence[str], batch_size: int = 256
    ) -> np.ndarray:
        """One gap a triple, float64 in nats; prompts are texts. Raises ValueError where one is NaN."""
        rows = gap_rows(self.policy, prompts, candidates, references, self.max_response)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        gaps = np.empty(len(rows))
        for start in range(0, len(rows), batch_size):
            part = order[start : start + batch_size]
            values = scores(self.model, [rows[i] for i in part], self.policy.pad)
            gaps[part] = refuse_nan(values, self.policy).double().cpu().numpy()
        return gaps

    def gap(self, prompt: HasText, candidate: str, reference: str) -> float:
        """The gap of one triple."""
        return float(self.gaps([prompt.text], [candidate], [reference])[0])

    def probability(self, prompt: HasText, a: str, b: str) -> float:
        """P(a beats b | prompt) = sigmoid(R_gap(a, b) - R_gap(b, a)), what the term wl > lw of its loss is made of."""
        forward, backward = self.gaps([prompt.text] * 2, [a, b], [b, a])
        return float(torch.sigmoid(torch.tensor(forward - backward)))


def gap_rows(
    policy: "Policy",
    prompts: Sequence[str],
    candidates: Sequence[str],
    references: Sequence[str],
    max_response: int | None = None,
) -> list[list[int]]:
    """Token ids of prompt, candidate, reference; both responses are cut alike, so that no length betrays a case."""
    heads = policy.encode_prompts(prompts)
    firsts, seconds = policy.encode_responses(candidates), policy.encode_responses(references)
    triples = zip(prompts, firsts, seconds, strict=True)
    return [heads[x] + y[:max_response] + reference[:max_response] for x, y, reference in triples]


def scores(model: torch.nn.Module, rows: Sequence[list[int]], pad: int) -> Tensor:
    """The scalar head at the last token of each row of ids, (rows,), float32."""
    width, device = max(map(len, rows)), next(model.parameters()).device
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return model(ids, attention_mask=mask, use_cache=False).logits[:, 0].float()


class Gaps:
    """What the lean loop minimises: the mean of a loss of four gaps, read off a scalar head."""

    def __init__(self, rows: Sequence[Sequence[list[int]]], loss: Callable[..., Tensor], pad: int) -> None:
        self.rows, self.loss, self.pad = rows, loss, pad

    def prepare(self, model: torch.nn.Module) -> None:
        """No reference is needed."""

    def gaps(self, model: torch.nn.Module, part: Sequence[int]) -> Sequence[Tensor]:
        """The gaps of these pairs, (pairs,) each, in the order of `CASES`."""
        return scores(model, [self.rows[i][k] for k in range(len(CASES)) for i in part], self.pad).chunk(len(CASES))

    def __call__(self, model: torch.nn.Module, part: Sequence[int], whole: Sequence[int]) -> "tuple[Tensor, Log]":
        """See `Objective`; logged is the share of pairs with the gap wl above lw."""
        gaps = self.gaps(model, part)
        right = (gaps[0] > gaps[3]).sum().item()
        return self.loss(*gaps).sum() / len(whole), {"accuracy": right / len(whole)}


def train_gap_model(
    policy: "Policy",
    pairs: "Sequence[Pair]",
    *,
    loss: Callable[..., Tensor] = pit_gap,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    max_response: int | None = None,
    lora: "PeftConfig | None" = None,
    **options: Any,
) -> GapModel:
    """Fit a gap reward model on pairs (prompt, chosen, rejected), from the weights of `policy`, which stays as it is.

    loss: of four gaps in the order wl, ww, ll, lw, as `pit_gap` or `partial(pit_gap, relations=["wl>lw"])`, the plain
    one. max_response: tokens that are read of each response, None for all. options: further fields of `Run`. Raises
    ValueError for an empty list of pairs, `Diverged` for a step that is not finite.
    """
    from autodidact.models.policy import Policy
    from autodidact.training.lean import descend, serves
    from autodidact.training.run import Run

    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    if not pairs:
        raise ValueError("pairs is empty: a gap reward model needs at least one comparison")
    sides = {"w": [pair.chosen for pair in pairs], "l": [pair.rejected for pair in pairs]}
    prompts = [pair.prompt for pair in pairs]
    of_case = [gap_rows(policy, prompts, sides[a], sides[b], max_response) for a, b in CASES]
    rows = list(zip(*of_case, strict=True))
    start = Policy(with_scalar_head(policy, run.seed), policy.tokenizer, policy.name)
    sequence = run.order(len(pairs))
    objective = Gaps(rows, loss, policy.pad)
    if serves(policy, run, lora):
        trained, _ = descend(start, objective, run, sequence=sequence)
    else:
        from autodidact.judges.gap_by_trl import train_gaps_by_trl

        trained, _ = train_gaps_by_trl(start, objective, run, sequence=sequence, lora=lora)
    return GapModel(trained.model.eval(), policy, max_response)


def self_gap_spread(self_gaps: ArrayLike, gaps: ArrayLike) -> float:
    """Standard deviation of R_gap(y, y) over that of R_gap(y, y'): 0 for a difference, 1 for a reward of y alone."""
    return float(np.std(finite("self_gaps", self_gaps)) / _spread(gaps))


def antisymmetry_error(forward: ArrayLike, backward: ArrayLike) -> float:
    """Root mean square of R_gap(a, b) + R_gap(b, a) over the standard deviation of R_gap(a, b): 0 if antisymmetric.

    forward, backward: gaps of the same pairs in both orders.
    """
    forward, backward = finite("forward", forward), finite("backward", backward)
    if forward.shape != backward.shape:
        raise ValueError(f"forward and backward must be of one shape, got {forward.shape} and {backward.shape}")
    return float(np.sqrt(np.mean((forward + backward) ** 2)) / _spread(forward))


def reference_sensitivity(gaps: ArrayLike, gold_references: ArrayLike) -> float:
    """Mean Spearman correlation of R_gap(y, y_ref) with -gold(y_ref) over the references of one candidate.

    gaps, gold_references: (candidates, references). Candidates for which one does not vary are left out; 0 if all are.
    """
    return rank_correlation(gaps, -finite("gold_references", gold_references))


def _spread(gaps: ArrayLike) -> float:
    spread = float(np.std(finite("gaps", gaps)))
    if not spread > 0:
        raise ValueError("gaps are all equal: there is no spread to compare with")
    return spread
