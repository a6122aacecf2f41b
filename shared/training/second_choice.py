"""Preference training with another rejected log-probability, as STIC's authors released it (and POVID's before)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from trl import DPOConfig

from autodidact.training.preference import PreferenceTrainer
from autodidact.training.preferences import Pair, pair_rows
from autodidact.training.run import Log, Ordered, Run, train

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy


def second_choices(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """At each position the likeliest token that is not the label: logits (..., vocabulary), labels (...) -> (...)."""
    first, second = logits.topk(2, dim=-1).indices.unbind(-1)
    return torch.where(first == labels, second, first)


class SecondChoiceTrainer(Ordered, PreferenceTrainer):
    """Our trainer whose rejected log-probability is not that of y_l.

    At every token of y_l it is the log-probability of the likeliest token that is not y_l's, under the policy and under
    the reference, each by its own choice. Lowering it takes from y_l's strongest rival, and so sharpens.
    """

    def _forward(self, model: Any, inputs: dict[str, Any]) -> Any:
        left_out = {"completion_mask", "ref_chosen_logps", "ref_rejected_logps", *self.columns}
        arguments = {name: value for name, value in inputs.items() if name not in left_out}
        answers = inputs["completion_mask"] == 1
        labels = inputs["input_ids"].masked_fill(~answers, -100)
        with torch.no_grad():
            logits = model(**arguments, use_cache=False).logits[:, :-1]
        rivals = labels.clone()
        rivals[:, 1:] = second_choices(logits, labels[:, 1:])
        rejected = torch.arange(len(labels), device=labels.device) >= len(labels) // 2  # the second half of a batch
        labels = torch.where(answers & rejected[:, None], rivals, labels)
        return model(**arguments, labels=labels, use_cache=False, fused_lm_head=True)

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities under the reference, which is the model before its first step, (batch,) each."""
        with torch.no_grad():
            outputs = self._forward(model, inputs)
        length = inputs["completion_mask"].size(1) - 1
        return outputs.log_probs[:, -length:].sum(dim=1).chunk(2)


def train_second_choice(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    loss: Callable[..., torch.Tensor],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences` with the rejected log-probability of `SecondChoiceTrainer`; any loss.

    Source: `_get_noisy_batch_logps` in yihedeng9/STIC, `stic/dpo_trainer.py` at 9511f1e.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    sequence = run.order(len(pairs))
    dataset = Dataset.from_dict(pair_rows(policy, pairs, loss, run))

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> SecondChoiceTrainer:
        return SecondChoiceTrainer(
            model=model,
            loss=loss,
            args=DPOConfig(**run.arguments(model, folder), precompute_ref_log_probs=True),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )

    return train(policy, build, run, sequence=sequence, lora=lora, on_step=on_step, progress=progress)
