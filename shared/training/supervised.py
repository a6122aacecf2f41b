"""Supervised fine-tuning on responses: TRL's `SFTTrainer`, policy in and policy out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from autodidact.training.run import Log, Ordered, Run, train

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy

IGNORED = -100  # the label that cross-entropy leaves out


class _Supervised(Ordered, SFTTrainer):
    """TRL's trainer on our order of batches."""


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
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Raise the likelihood of (prompt, response) examples: cross-entropy on the response and its end token only.

    steps, batch_size, learning_rate, seed, options: the fields of `Run`. lora: adapters to put on a policy that has
    none. on_step: called with the log of each step. progress: draw a bar.

    Returns a trained copy, and the log of every step: loss (nats a token), grad_norm, entropy, mean_token_accuracy ...
    Raises ValueError for no examples and for options out of their range, TypeError for an option that `Run` lacks.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    sequence = run.order(len(examples))

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> _Supervised:
        return _Supervised(
            model=model,
            args=SFTConfig(**run.arguments(model, folder), dataset_kwargs={"skip_prepare_dataset": True}),
            train_dataset=_tokenise(policy, examples, run),
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )

    return train(policy, build, run, sequence=sequence, lora=lora, on_step=on_step, progress=progress)


def _tokenise(policy: "Policy", examples: Sequence[tuple[str, str]], run: Run) -> Dataset:
    """Token ids and labels in the form that TRL's preparation ends in, so that it has nothing left to do."""
    heads = run.encode_prompts(policy, [prompt for prompt, _ in examples])
    tails = policy.encode_responses([response for _, response in examples])
    return Dataset.from_dict(
        {
            "input_ids": [(heads[x] + tails[y])[: run.max_length] for x, y in examples],
            "labels": [([IGNORED] * len(heads[x]) + tails[y])[: run.max_length] for x, y in examples],
        }
    )
