"""KTO on the two sides of preference pairs taken apart: TRL's `KTOTrainer`, policy in and policy out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from trl import KTOConfig, KTOTrainer

from autodidact.training.by_trl import Ordered, arguments, train
from autodidact.training.pairs import Pair
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy


class _Unpaired(Ordered, KTOTrainer):
    """TRL's trainer on our order of batches, and on rows that are tokenised already."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any, **kwargs: Any) -> Dataset:
        return dataset


def train_kto(
    policy: "Policy",
    pairs: Sequence[Pair],
    *,
    beta: float,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    desirable: float = 1.0,
    undesirable: float = 1.0,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Minimise the KTO loss (arXiv 2402.01306, equation 7); the reference is the policy as it comes.

    With rho the log-ratio of a response to the reference (nats a sequence) and z0 the mean log-ratio of responses put
    to their neighbours' prompts, at least 0 and without gradient: `desirable (1 - sigmoid(beta (rho - z0)))` for
    chosen and `undesirable (1 - sigmoid(beta (z0 - rho)))` for rejected responses, averaged over the batch.

    A batch is `batch_size` pairs, that is twice as many responses; z0 is estimated over each part that
    `gradient_accumulation` makes of it. The other arguments and the result are those of `train_preferences`. Raises
    ValueError for no pairs and for beta not above 0.
    """
    if not beta > 0:
        raise ValueError(f"beta={beta} must be above 0")
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    if run.loop == "lean":
        raise ValueError("loop='lean' cannot serve here: KTO is TRL's; leave loop at 'auto'")
    rows = _rows(policy, [pairs[i] for i in run.order(len(pairs))], run)

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> _Unpaired:
        adapted = adapter is not None or hasattr(model, "peft_config")  # the reference is then the base without them
        return _Unpaired(
            model=model,
            ref_model=None if adapted else policy.copy().model,
            args=KTOConfig(
                **arguments(run, model, folder) | {"per_device_train_batch_size": 2 * run.part},
                beta=beta,
                desirable_weight=desirable,
                undesirable_weight=undesirable,
                train_sampling_strategy="sequential",
                precompute_ref_log_probs=False,
            ),
            train_dataset=rows,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )

    return train(policy, build, run, sequence=range(len(rows)), lora=lora, on_step=on_step, progress=progress)


def _rows(policy: "Policy", pairs: Sequence[Pair], run: Run) -> Dataset:
    """Both sides of every pair, in batch order; a response's neighbour is the one before it in its part."""
    prompts = run.encode_prompts(policy, [pair.prompt for pair in pairs])
    responses = policy.encode_responses([text for pair in pairs for text in (pair.chosen, pair.rejected)])
    rows: dict[str, list] = {"prompt_ids": [], "completion_ids": [], "KL_completion_ids": [], "label": []}
    for start in range(0, len(pairs), run.part):
        batch = pairs[start : start + run.part]
        sides = [responses[text] for pair in batch for text in (pair.chosen, pair.rejected)]
        rows["prompt_ids"] += [prompts[pair.prompt] for pair in batch for _ in range(2)]
        rows["completion_ids"] += sides
        rows["KL_completion_ids"] += sides[-1:] + sides[:-1]
        rows["label"] += [True, False] * len(batch)
    return Dataset.from_dict(rows)
