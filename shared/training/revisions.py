"""Training on pairs that are also scored as revisions: under prompts that show one of the two responses as a draft."""

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from autodidact.training.pairs import Pair, extra_columns, loss_beta
from autodidact.training.preferences import train_pairs
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig

    from autodidact.models.policy import Policy

PROMPTS = 3  # of every pair: the plain one, and those that show the rejected and the chosen response
SCORES = 12  # that the loss takes of every pair before its own columns


def with_drafts(pairs: Sequence[Pair], revise: Callable[[str, str], str]) -> list[Pair]:
    """Each pair three times: under its prompt x, under revise(x, rejected) and under revise(x, chosen)."""
    return [
        Pair(prompt, pair.chosen, pair.rejected, pair.columns)
        for pair in pairs
        for prompt in (pair.prompt, *(revise(pair.prompt, draft) for draft in (pair.rejected, pair.chosen)))
    ]


def train_revisions(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    loss: "Callable[..., torch.Tensor]",
    revise: Callable[[str, str], str],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences` for a loss that takes each pair under three prompts, as `losses.srpo`.

    loss: hyper-parameters bound; its first twelve parameters are chosen, rejected, ref_chosen, ref_rejected under the
    plain prompt, then w_given_l, l_given_l, w_given_w, l_given_w (the chosen response w and the rejected one l, where
    the prompt shows l or w as a draft) and the same four under the reference; what it takes after them is read from
    `Pair.columns`. revise(prompt, draft): the prompt that shows a draft. batch_size: pairs, so three prompts with two
    responses each; the order of pairs is that of `train_preferences` at the same seed. The reference is the policy as
    it comes, under all three prompts. All else, the errors included, is as in `train_preferences`; what is logged are
    means over the three prompts.
    """
    Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options).check_steps(at)
    run = _Run(steps=steps, batch_size=PROMPTS * batch_size, learning_rate=learning_rate, seed=seed, **options)
    how = {"lora": lora, "on_step": on_step, "progress": progress, "watch": watch, "at": frozenset(at)}
    return train_pairs(policy, with_drafts(pairs, revise), run, loss=_Together(loss), **how)


class _Run(Run):
    """A run whose batches keep the three prompts of a pair together, pairs in the order of a run on pairs."""

    def order(self, examples: int) -> list[int]:
        draws = Run(
            steps=self.steps,
            batch_size=self.batch_size // PROMPTS,
            learning_rate=self.learning_rate,
            seed=self.seed,
        ).order(examples // PROMPTS)
        return [PROMPTS * i + k for i in draws for k in range(PROMPTS)]


class _Together:
    """A loss of twelve scores a pair as one of four scores a prompt: (3 batch,) in, and each pair's loss thrice out.

    So that any trainer of pairs serves: its mean over three prompts of each pair is the mean over pairs.
    """

    def __init__(self, loss: "Callable[..., torch.Tensor]") -> None:
        self.loss = loss
        self.__name__ = getattr(getattr(loss, "func", loss), "__name__", type(loss).__name__)
        taken = extra_columns(loss)
        if len(taken) < SCORES - 4:
            raise ValueError(f"loss {self.__name__} must take the {SCORES} scores of a pair, as losses.srpo does")
        names = [*inspect.signature(loss).parameters][:4] + [*taken][SCORES - 4 :]
        given = {name: _parameter(name, inspect.Parameter.empty if taken.get(name, True) else None) for name in names}
        if loss_beta(loss) is not None:
            given["beta"] = _parameter("beta", loss_beta(loss), inspect.Parameter.KEYWORD_ONLY)
        self.__signature__ = inspect.Signature([*given.values()])

    def __call__(
        self,
        chosen: "torch.Tensor",
        rejected: "torch.Tensor",
        ref_chosen: "torch.Tensor",
        ref_rejected: "torch.Tensor",
        **columns: "torch.Tensor",
    ) -> "torch.Tensor":
        plain, after_l, after_w = zip(
            *(x.view(-1, PROMPTS).unbind(1) for x in (chosen, rejected, ref_chosen, ref_rejected)), strict=True
        )
        drafts = (*after_l[:2], *after_w[:2], *after_l[2:], *after_w[2:])
        losses = self.loss(*plain, *drafts, **{name: x[::PROMPTS] for name, x in columns.items()})
        if losses.shape != plain[0].shape:
            raise ValueError(f"loss must return shape {tuple(plain[0].shape)}, unreduced, not {tuple(losses.shape)}")
        return losses.repeat_interleave(PROMPTS)


def _parameter(name: str, default: Any, kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=default)
