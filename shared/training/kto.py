"""KTO on the two sides of preference pairs taken apart: TRL's `KTOTrainer`, policy in and policy out."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import cycle
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
    to other pairs' prompts, at least 0 and without gradient: `desirable (1 - sigmoid(beta (rho - z0)))` for chosen and
    `undesirable (1 - sigmoid(beta (z0 - rho)))` for rejected responses, averaged over the batch.

    A batch is `batch_size` pairs, that is twice as many responses, in which no response meets its own prompt in z0
    (`elsewhere`); z0 is estimated over each part that `gradient_accumulation` makes of it. The other arguments and the
    result are those of `train_preferences`. Raises ValueError for no pairs, for beta not above 0, for parts of one pair
    and for a batch that has but one prompt.
    """
    if not 0 < beta < math.inf:
        raise ValueError(f"beta={beta} must be finite and above 0")
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    if run.loop == "lean":
        raise ValueError("loop='lean' cannot serve here: KTO is TRL's; leave loop at 'auto'")
    if run.part < 2:
        split = f"batch_size={batch_size} with gradient_accumulation={run.gradient_accumulation}"
        raise ValueError(f"{split} makes parts of one pair; z0 is estimated over a part and needs two or more")
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
    """Both sides of every pair, in batch order, and beside each what is said to another prompt of its batch."""
    prompts = run.encode_prompts(policy, [pair.prompt for pair in pairs])
    heads = [prompts[pair.prompt] for pair in pairs]
    sides = [policy.encode_responses([pair.chosen, pair.rejected]) for pair in pairs]
    rows: dict[str, list] = {"prompt_ids": [], "completion_ids": [], "KL_completion_ids": [], "label": []}
    for start in range(0, len(pairs), run.batch_size):
        batch = range(start, start + run.batch_size)
        others = elsewhere([tuple(heads[i]) for i in batch])
        if others is None:
            one = f"a batch of the one prompt {pairs[start].prompt!r:.50}"
            raise ValueError(f"batch_size={run.batch_size} makes {one}; z0 needs two or more")
        for i, j in zip(batch, others, strict=True):
            rows["prompt_ids"] += [heads[i]] * 2
            rows["completion_ids"] += sides[i]
            rows["KL_completion_ids"] += sides[start + j]
            rows["label"] += [True, False]
    for name in ("completion_ids", "KL_completion_ids"):
        longest = max(len(head) + len(tail) for head, tail in zip(rows["prompt_ids"], rows[name], strict=True))
        policy.check_places(min(longest, run.max_length or longest), "the longest prompt with a response")
    return Dataset.from_dict(rows)


def elsewhere(prompts: Sequence[Hashable]) -> list[int] | None:
    """For every place another one with another prompt; None where all prompts are the same.

    Each place is named once, unless a prompt takes more than half of them: then the others are named in turn.
    """
    count = Counter(prompts)
    if len(count) < 2:
        return None
    most = max(count.values())
    if 2 * most <= len(prompts):  # equal ones side by side: `most` places on, round about, stands another prompt
        order = sorted(range(len(prompts)), key=lambda i: list(count).index(prompts[i]))
        found = dict(zip(order, order[most:] + order[:most], strict=True))
        return [found[i] for i in range(len(prompts))]
    others = {prompt: cycle([i for i, other in enumerate(prompts) if other != prompt]) for prompt in count}
    return [next(others[prompt]) for prompt in prompts]
