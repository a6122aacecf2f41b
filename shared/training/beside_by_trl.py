"""`train_beside` through TRL's trainer: its loss computation overridden, and nothing else."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from trl import DPOConfig

from autodidact.training.by_trl import OrderedPreferences, Watch, arguments, train
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy


class PreferencesBesideTrainer(OrderedPreferences):
    """Our trainer whose loss is a `beside.Reading`: it is shown the model; what it adds is logged under its names."""

    loss: Any

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> torch.Tensor:
        self.loss.model = model
        total = super()._compute_loss(model, inputs, return_outputs)
        for name, value in self.loss.added.items():
            self._metrics["train"][name].append(value / len(inputs["row"]))
        return total


def train_beside_by_trl(
    policy: "Policy",
    rows: dict[str, list],
    run: Run,
    *,
    reading: Any,
    average_log_prob: bool,
    watch: "Callable[[int, Policy], None] | None",
    at: Collection[int],
    sequence: Sequence[int],
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Preference training on `pairs.pair_rows`; options: those of `by_trl.train`."""
    from autodidact.models.policy import Policy

    dataset = Dataset.from_dict(rows)

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> PreferencesBesideTrainer:
        reading.beside.prepare(model)
        batch = min(run.batch_size, 4 * run.part)
        precomputed = {"precompute_ref_log_probs": True, "precompute_ref_batch_size": batch}
        trainer = PreferencesBesideTrainer(
            model=model,
            loss=reading,
            average_log_prob=average_log_prob,
            args=DPOConfig(**arguments(run, model, folder), **precomputed),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )
        if watch is not None:
            show = lambda step, shown: watch(step, Policy(shown, policy.tokenizer, policy.name))  # noqa: E731
            trainer.add_callback(Watch(show, at))
        return trainer

    return train(policy, build, run, sequence=sequence, **options)
