"""Preference training with another rejected log-probability, as STIC's authors released it (and POVID's before)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autodidact.training.pairs import Pair
from autodidact.training.preferences import train_pairs
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig

    from autodidact.models.policy import Policy


def train_second_choice(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    loss: "Callable[..., torch.Tensor]",
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences` with a rejected log-probability that is not that of y_l; any loss.

    At every token of y_l it is the log-probability of the likeliest token that is not y_l's, under the policy and under
    the reference, each by its own choice. Lowering it takes from y_l's strongest rival, and so sharpens.
    Source: `_get_noisy_batch_logps` in yihedeng9/STIC, `stic/dpo_trainer.py` at 9511f1e.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    how = {"lora": lora, "on_step": on_step, "progress": progress}
    return train_pairs(policy, pairs, run, loss=loss, second_choice=True, **how)
