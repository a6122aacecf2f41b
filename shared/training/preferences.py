"""Training on pairs of responses, policy in and policy out."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from autodidact.training.lean import descend, serves
from autodidact.training.objectives import Preferences
from autodidact.training.pairs import Pair, loss_beta, pair_rows
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig

    from autodidact.models.policy import Policy

REWARD_SCALE = 0.1  # of logged rewards under a loss without beta, as in TRL


def train_preferences(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    loss: "Callable[..., torch.Tensor]",
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    average_log_prob: bool = False,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Minimise a loss of `autodidact.losses` over pairs; the reference is the policy as it comes, or the pairs' own.

    loss: hyper-parameters bound, as in `functools.partial(sppo, beta=0.1)`; what it takes after the four
    log-probabilities is read from `Pair.columns`. average_log_prob: hand over nats a token instead of nats a sequence.
    steps, batch_size, learning_rate, seed, options: the fields of `Run`. lora: adapters to put on a policy that has
    none; a policy that has adapters goes on training them, and its reference is the policy with the adapters as they
    come. on_step: called with the log of each step. progress: draw a bar. watch: is shown the step and the policy in
    training, in evaluation mode, after each of the steps in `at`: measure it and let it go.

    Returns a trained copy, and the log of every step: loss, rewards/margins, logps/chosen, grad_norm ...
    A policy trained as a whole comes back in float32, since bfloat16 would round most updates away.
    Raises ValueError for no pairs, for a column that is missing or not finite, for options out of their range and for
    `at` beyond the run, TypeError for an option that `Run` lacks, `Diverged` for a step that is not finite.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    run.check_steps(at)
    how = {"lora": lora, "on_step": on_step, "progress": progress, "watch": watch, "at": frozenset(at)}
    return train_pairs(policy, pairs, run, loss=loss, average_log_prob=average_log_prob, **how)


def train_pairs(
    policy: "Policy",
    pairs: Sequence[Pair],
    run: Run,
    *,
    loss: "Callable[..., torch.Tensor]",
    average_log_prob: bool = False,
    second_choice: bool = False,
    lora: "PeftConfig | None" = None,
    **recorded: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences`, or with `second_choice` `train_second_choice`; recorded: on_step, progress,
    watch and at."""
    sequence = run.order(len(pairs))
    used = sorted(set(sequence))  # the reference need not score what no step will see
    place = {index: row for row, index in enumerate(used)}
    sequence = [place[index] for index in sequence]
    rows = {name: [values[i] for i in used] for name, values in pair_rows(policy, pairs, loss, run).items()}
    if serves(policy, run, lora):
        objective = Preferences(
            rows,
            loss=loss,
            beta=REWARD_SCALE if loss_beta(loss) is None else loss_beta(loss),
            average=average_log_prob,
            second_choice=second_choice,
        )
        return descend(policy, objective, run, sequence=sequence, **recorded)
    from autodidact.training.by_trl import train_pairs_by_trl

    how = {"loss": loss, "average_log_prob": average_log_prob, "second_choice": second_choice, "lora": lora}
    return train_pairs_by_trl(policy, rows, run, sequence=sequence, **how, **recorded)
