"""Supervised fine-tuning on responses, policy in and policy out."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from autodidact.training.lean import descend, serves
from autodidact.training.objectives import Demonstrations
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy


def train_supervised(
    policy: "Policy",
    examples: Sequence[tuple[str, str]],
    *,
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
    """Raise the likelihood of (prompt, response) examples: cross-entropy on the response and its end token only.

    steps, batch_size, learning_rate, seed, options: the fields of `Run`. lora: adapters to put on a policy that has
    none. on_step: called with the log of each step. progress: draw a bar. watch: is shown the step and the policy in
    training, in evaluation mode, after each of the steps in `at`: measure it and let it go.

    Returns a trained copy, and the log of every step: loss (nats a token), grad_norm, entropy, mean_token_accuracy ...
    Raises ValueError for no examples, for options out of their range and for `at` beyond the run, TypeError for an
    option that `Run` lacks, `Diverged` for a step that is not finite.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    run.check_steps(at)
    sequence = run.order(len(examples))
    heads = run.encode_prompts(policy, [prompt for prompt, _ in examples])
    tails = policy.encode_responses([response for _, response in examples])
    rows = [(heads[x], tail[: run.room(heads[x])]) for (x, _), tail in zip(examples, tails, strict=True)]
    policy.check_places(max(len(x) + len(y) for x, y in rows), "the longest prompt with its response")
    how = {"sequence": sequence, "on_step": on_step, "progress": progress, "watch": watch, "at": frozenset(at)}
    if serves(policy, run, lora):
        return descend(policy, Demonstrations(rows), run, **how)
    from autodidact.training.by_trl import train_supervised_by_trl

    return train_supervised_by_trl(policy, rows, run, lora=lora, **how)
