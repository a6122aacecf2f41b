"""Supervised training with a look at the policy on the way: learning curves without training twice."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from transformers import TrainerCallback
from trl import SFTConfig

from autodidact.models.policy import Policy
from autodidact.training.run import Run, train
from autodidact.training.supervised import _Supervised, _tokenise


def train_watched(
    policy: Policy,
    examples: Sequence[tuple[str, str]],
    *,
    watch: Callable[[int, Policy], None],
    at: Collection[int],
    lora: Any = None,
    **options: Any,
) -> Policy:
    """A trained copy as `train_supervised` gives it; `watch(step, policy)` sees it after each of the steps in `at`.

    The policy shown is the one in training, in evaluation mode: measure it and let it go. options: the fields of `Run`.
    Raises ValueError for steps that the run does not have, and as `train_supervised` does.
    """
    run = Run(**options)
    if not all(1 <= step <= run.steps for step in at):
        raise ValueError(f"at={sorted(at)} must be steps of the run, 1 to {run.steps}")
    sequence = run.order(len(examples))

    def build(model: torch.nn.Module, folder: str, adapter: Any) -> Any:
        trainer = _Supervised(
            model=model,
            args=SFTConfig(**run.arguments(model, folder), dataset_kwargs={"skip_prepare_dataset": True}),
            train_dataset=_tokenise(policy, examples, run),
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )
        trainer.add_callback(_Watch(policy, watch, frozenset(at)))
        return trainer

    return train(policy, build, run, sequence=sequence, lora=lora)[0]


class _Watch(TrainerCallback):
    """Shows the model in training after some steps; it goes on learning in the mode and random state it had."""

    def __init__(self, policy: Policy, watch: Callable[[int, Policy], None], at: frozenset[int]) -> None:
        self.policy, self.watch, self.at = policy, watch, at

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Called by the trainer after every optimiser step."""
        if state.global_step not in self.at:
            return
        training = model.training
        model.eval()
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            self.watch(state.global_step, Policy(model, self.policy.tokenizer, self.policy.name))
        model.train(training)
