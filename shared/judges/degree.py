"""A head that tells how much of a response was taken away, and preference training that learns it beside its loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from autodidact.losses import degree
from autodidact.streams import stream, torch_seed

if TYPE_CHECKING:
    from autodidact.models.policy import Policy
    from autodidact.training import Pair
    from autodidact.training.run import Log

FORMS = ("tokens", "states")
SIDES = ("chosen", "rejected")


def removed(ranked: Sequence[int], k: int, K: int) -> list[int]:
    """The positions that degree k of 0 to K - 1 takes away: the first floor(k n / (K - 1)) of n, the most important."""
    if not 0 <= k < K or K < 2:
        raise ValueError(f"k={k!r} is no degree: with K={K!r} classes it is one of 0 to K - 1, and K is at least 2")
    return list(ranked[: k * len(ranked) // (K - 1)])


def shown(n: int, K: int) -> list[int]:
    """The degrees that a response with n important positions can show, each with another number of them gone.

    All K for n >= K - 1, else n + 1 of them, 0 and (for n > 0) K - 1 included.
    """
    counts = [k * n // (K - 1) for k in range(K)]
    return [k for k in range(K) if k == 0 or counts[k] > counts[k - 1]]


class DegreeHead(torch.nn.Module):
    """A linear layer on the mean of a model's last-layer states over the response positions that are kept.

    K: number of degrees. form: "tokens" removes tokens from the text and reads it again; "states" reads the whole text
    and leaves their states out of the mean, which causal attention lets others still know of. neutral: token id that
    stands in place of a removed one (form "tokens"), so that length says nothing; None drops it. frozen: no gradient
    flows into the model.
    """

    def __init__(
        self,
        hidden: int,
        K: int,
        *,
        seed: int = 0,
        form: str = "tokens",
        neutral: int | None = None,
        frozen: bool = False,
    ) -> None:
        if K < 2 or form not in FORMS:
            raise ValueError(f"K={K!r} must be at least 2, and form={form!r} one of {', '.join(FORMS)}")
        if neutral is not None and form == "states":
            raise ValueError(f"neutral={neutral!r} stands in place of tokens; with form='states' none is removed")
        super().__init__()
        self.K, self.form, self.neutral, self.frozen = K, form, neutral, frozen
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(stream(seed, "initialise", 1)))
            self.linear = torch.nn.Linear(hidden, K)

    def forward(self, model: torch.nn.Module, rows: Sequence[tuple[list[int], list[int], Sequence[int]]]) -> Tensor:
        """Logits (rows, K) of responses: ids of a prompt, ids of its response, positions of it that are removed.

        Raises ValueError for a position outside its response, and for a response of which nothing is left.
        """
        texts, kept = zip(*(self._text(*row) for row in rows), strict=True)
        width, device = max(map(len, texts)), self.linear.weight.device
        ids = torch.tensor([row + row[-1:] * (width - len(row)) for row in texts], device=device)
        seen = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in texts], device=device)
        pool = torch.zeros(len(texts), width, device=device)
        for i, places in enumerate(kept):
            pool[i, places] = 1 / len(places)
        states = model(
            ids, attention_mask=seen, output_hidden_states=True, use_cache=False, logits_to_keep=1
        ).hidden_states[-1]
        pooled = (pool[..., None] * states.float()).sum(1)
        return self.linear(pooled.detach() if self.frozen else pooled)

    def _text(self, head: list[int], tail: list[int], gone: Sequence[int]) -> tuple[list[int], list[int]]:
        """Ids that are read, and the places in them that the mean is over."""
        away = set(gone)
        outside = [i for i in away if not 0 <= i < len(tail)]
        if outside or len(away) == len(tail):
            raise ValueError(f"of a response with {len(tail)} tokens the positions {sorted(away)} cannot be removed")
        left = [i for i in range(len(tail)) if i not in away]
        if self.form == "tokens" and self.neutral is None:
            return head + [tail[i] for i in left], list(range(len(head), len(head) + len(left)))
        text = tail if self.form == "states" else [self.neutral if i in away else y for i, y in enumerate(tail)]
        return head + list(text), [len(head) + i for i in left]


@dataclass
class DegreeDraws:
    """Responses with their important positions; degrees are drawn from a stream of their own, the same for all arms.

    rows: ids of prompt and response; ranked: positions of the response, the most important first (the end token is
    none of them). shuffled: the head is told another response's degree of the same draw (control).
    """

    rows: Sequence[tuple[list[int], list[int]]]
    ranked: Sequence[Sequence[int]]
    K: int
    seed: int
    shuffled: bool = False

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.ranked):
            raise ValueError(f"ranked has {len(self.ranked)} entries for {len(self.rows)} responses")
        self.rng, self.other = stream(self.seed, "label"), stream(self.seed, "shuffle")

    def draw(self, rows: Sequence[int]) -> tuple[list[tuple[list[int], list[int], list[int]]], Tensor]:
        """What the head reads of these responses, and the degrees (rows,), each uniform over those it can show."""
        degrees = []
        for i, u in zip(rows, self.rng.random(len(rows)), strict=True):
            levels = shown(len(self.ranked[i]), self.K)
            degrees.append(levels[int(u * len(levels))])
        texts = [(*self.rows[i], removed(self.ranked[i], k, self.K)) for i, k in zip(rows, degrees, strict=True)]
        told = self.other.permutation(degrees) if self.shuffled else np.array(degrees)
        return texts, torch.from_numpy(told)


class DegreeBeside:
    """For `train_beside`: gamma L_degree of the chosen and of the rejected response, added to the preference loss."""

    columns = ()

    def __init__(self, head: DegreeHead, draws: dict[str, DegreeDraws], gamma: float) -> None:
        self.head, self.draws, self.gamma = head, draws, gamma

    def prepare(self, model: torch.nn.Module) -> None:
        """The head reads what the model is in training, on its device."""
        self.head.to(next(model.parameters()).device)

    def __call__(self, model: torch.nn.Module, rows: Sequence[int]) -> dict[str, Tensor]:
        """See `training.beside.Beside`."""
        losses = {}
        for side, draws in self.draws.items():
            texts, k = draws.draw(rows)
            losses[f"degree/{side}"] = self.gamma * degree(
                self.head(model, texts), k.to(self.head.linear.weight.device)
            )
        return losses


def train_with_degree(
    policy: "Policy",
    pairs: "Sequence[Pair]",
    ranked: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    loss: Callable[..., Tensor],
    gamma: float = 0.3,
    K: int = 3,
    sides: Sequence[str] = SIDES,
    form: str = "tokens",
    neutral: int | None = None,
    frozen: bool = False,
    shuffled: bool = False,
    head_rate: float = 1e-3,
    seed: int,
    on_step: "Callable[[Log], None] | None" = None,
    **options: Any,
) -> tuple["Policy", DegreeHead, "list[Log]"]:
    """Preference training that is made aware of preference degree: L = L_align + gamma (L_degree(y_w) + L_degree(y_l)).

    ranked: for each pair the important token positions of chosen and of rejected, the most important first. loss: of
    the pair, as in `train_preferences`. gamma: weight of the head's loss, K: number of degrees. sides: which responses
    the head sees. form, neutral, frozen: see `DegreeHead`. shuffled: it is told wrong degrees of the right frequency.
    head_rate: the head's learning rate; it has an AdamW and no clipping of its own, so that it touches the policy
    through the gradient alone: frozen, the policy is bit for bit the one without a head. options: what
    `train_preferences` takes besides. On one device. Returns policy, head and logs, with degree/* as they were added.

    Source: Li et al. 2024, arXiv 2409.17791 (reconstructed; gamma, K and the token form as our default).
    """
    from autodidact.training.beside import train_beside

    if not 0 <= gamma < float("inf"):
        raise ValueError(f"gamma={gamma!r} must be finite and not below 0")
    if not sides or not set(sides) <= set(SIDES):
        raise ValueError(f"sides={sides!r} must be some of {', '.join(SIDES)}")
    if len(ranked) != len(pairs):
        raise ValueError(f"ranked has {len(ranked)} entries for {len(pairs)} pairs")
    hidden = policy.model.config.hidden_size
    head = DegreeHead(hidden, K, seed=seed, form=form, neutral=neutral, frozen=frozen)
    optimizer = torch.optim.AdamW(head.parameters(), lr=head_rate, weight_decay=0.0)
    draws = {
        side: degree_draws(
            policy,
            [pair.prompt for pair in pairs],
            [getattr(pair, side) for pair in pairs],
            [both[SIDES.index(side)] for both in ranked],
            K=K,
            seed=2 * seed + SIDES.index(side),
            shuffled=shuffled,
        )
        for side in sides
    }

    def step(log: "Log") -> None:
        optimizer.step()
        optimizer.zero_grad()
        if on_step is not None:
            on_step(log)

    beside = DegreeBeside(head, draws, gamma)
    trained, logs = train_beside(policy, pairs, beside, loss=loss, seed=seed, on_step=step, **options)
    return trained, head, logs


def degree_draws(
    policy: "Policy",
    prompts: Sequence[str],
    responses: Sequence[str],
    ranked: Sequence[Sequence[int]],
    *,
    K: int,
    seed: int,
    shuffled: bool = False,
) -> DegreeDraws:
    """`DegreeDraws` of texts. Raises ValueError for lists that differ in length and a position beyond its response."""
    heads, tails = policy.encode_prompts(prompts), policy.encode_responses(responses)
    rows = [(heads[x], y) for x, y in zip(prompts, tails, strict=True)]
    for i, (positions, tail) in enumerate(zip(ranked, tails, strict=True)):
        if not all(0 <= p < len(tail) for p in positions) or len(set(positions)) < len(positions):
            raise ValueError(f"ranked[{i}]={list(positions)} must be different positions of its {len(tail)} tokens")
    return DegreeDraws(rows, [list(positions) for positions in ranked], K, seed, shuffled)


@torch.inference_mode()
def degree_accuracy(policy: "Policy", head: DegreeHead, draws: DegreeDraws, batch_size: int = 128) -> float:
    """Share of responses whose degree the head names, one draw each; 1 / K is chance where all degrees are shown."""
    hits = 0
    for start in range(0, len(draws.rows), batch_size):
        texts, k = draws.draw(range(start, min(start + batch_size, len(draws.rows))))
        hits += int((head(policy.model, texts).argmax(1).cpu() == k).sum())
    return hits / len(draws.rows)
