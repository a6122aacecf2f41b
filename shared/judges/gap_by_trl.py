"""The gap reward model through TRL's RewardTrainer: four rows a pair, and a loss of four gaps in place of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from torch import Tensor
from trl import RewardConfig, RewardTrainer

from autodidact.training.by_trl import Ordered, arguments, train

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy
    from autodidact.training.run import Log, Run


class GapTrainer(Ordered, RewardTrainer):
    """`trl.RewardTrainer` that minimises the mean of `gap_model.Gaps`; an example is the place of a pair there."""

    def __init__(self, *, gaps: Any, **trl: Any) -> None:
        super().__init__(**trl)
        self.gaps = gaps
        self.data_collator = lambda examples: {"pairs": [example["chosen_ids"][0] for example in examples]}

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """The mean loss of a batch of pairs."""
        gaps = self.gaps.gaps(model, inputs["pairs"])
        self._metrics["train"]["accuracy"].append((gaps[0] > gaps[3]).float().mean().item())
        return self.gaps.loss(*gaps).mean()


def train_gaps_by_trl(
    start: "Policy",
    gaps: Any,
    run: "Run",
    *,
    sequence: Sequence[int],
    lora: "PeftConfig | None",
) -> "tuple[Policy, list[Log]]":
    """Train the scalar head and its backbone, `start.model`, on `gap_model.Gaps`."""
    places = [[i] for i in range(len(gaps.rows))]
    dataset = Dataset.from_dict({"chosen_ids": places, "rejected_ids": places})  # what TRL takes to be prepared

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> GapTrainer:
        return GapTrainer(
            model=model,
            args=RewardConfig(**arguments(run, model, folder)),
            train_dataset=dataset,
            processing_class=start.tokenizer,
            peft_config=adapter,
            gaps=gaps,
        )

    return train(start, build, run, sequence=sequence, lora=lora)
