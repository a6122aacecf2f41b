"""Training on pairs of responses, policy in and policy out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from trl import DPOConfig

from autodidact.training.preference import PreferenceTrainer, extra_columns
from autodidact.training.run import Log, Ordered, Run, train

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt, and what a loss needs to know of them (p_win, p_lose ...)."""

    prompt: str
    chosen: str
    rejected: str
    columns: Mapping[str, float] = field(default_factory=dict)


class _Preference(Ordered, PreferenceTrainer):
    """Our trainer on our order of batches."""


def train_preferences(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    loss: Callable[..., torch.Tensor],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    average_log_prob: bool = False,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Minimise a loss of `autodidact.losses` over pairs; the reference is the policy as it comes.

    loss: hyper-parameters bound, as in `functools.partial(sppo, beta=0.1)`; what it takes after the four
    log-probabilities is read from `Pair.columns`. average_log_prob: hand over nats a token instead of nats a sequence.
    steps, batch_size, learning_rate, seed, options: the fields of `Run`. lora: adapters to put on a policy that has
    none; a policy that has adapters goes on training them, and its reference is the policy with the adapters as they
    come. on_step: called with the log of each step. progress: draw a bar.

    Returns a trained copy, and the log of every step: loss, rewards/margins, logps/chosen, grad_norm ...
    A policy trained as a whole comes back in float32, since bfloat16 would round most updates away.
    Raises ValueError for no pairs, for a column that is missing or not finite and for options out of their range,
    TypeError for an option that `Run` lacks.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    sequence = run.order(len(pairs))
    used = sorted(set(sequence))  # the reference need not score what no step will see
    place = {index: row for row, index in enumerate(used)}
    sequence = [place[index] for index in sequence]
    rows = pair_rows(policy, pairs, loss, run)
    dataset = Dataset.from_dict({name: [values[index] for index in used] for name, values in rows.items()})
    micro_batch = run.batch_size // run.gradient_accumulation

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> _Preference:
        return _Preference(
            model=model,
            loss=loss,
            average_log_prob=average_log_prob,
            args=DPOConfig(
                **run.arguments(model, folder),
                precompute_ref_log_probs=True,
                precompute_ref_batch_size=min(run.batch_size, 4 * micro_batch),  # no gradients: room for more
            ),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )

    return train(policy, build, run, sequence=sequence, lora=lora, on_step=on_step, progress=progress)


def pair_rows(policy: "Policy", pairs: Sequence[Pair], loss: Callable[..., torch.Tensor], run: Run) -> dict[str, list]:
    """The data set of pairs: token ids of prompt and responses and the loss's extra columns, one value a pair each.

    Raises ValueError for a column that the loss needs and a pair lacks, or that is not finite.
    """
    prompts = run.encode_prompts(policy, [pair.prompt for pair in pairs])
    responses = policy.encode_responses([text for pair in pairs for text in (pair.chosen, pair.rejected)])
    data: dict[str, list] = {
        "prompt_ids": [prompts[pair.prompt] for pair in pairs],
        "chosen_ids": [responses[pair.chosen] for pair in pairs],
        "rejected_ids": [responses[pair.rejected] for pair in pairs],
    }
    for name, required in extra_columns(loss).items():
        if required or name in pairs[0].columns:
            data[name] = [_column(pair, name, index) for index, pair in enumerate(pairs)]
    return data


def _column(pair: Pair, name: str, index: int) -> float:
    value = pair.columns.get(name)
    if value is None or not math.isfinite(value):
        has = ", ".join(pair.columns) or "none"
        raise ValueError(f"pairs[{index}] needs a finite column {name} for the loss, got {value}; its columns: {has}")
    return float(value)
