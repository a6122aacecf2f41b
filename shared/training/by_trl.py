"""Training by TRL's trainers: pretrained models, adapters, GPUs, and what else the lean loop does not serve."""

import copy
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, SFTConfig, SFTTrainer

from autodidact.divergence import check_finite, check_weights
from autodidact.training.preference_trainer import PreferenceTrainer, SecondChoiceTrainer
from autodidact.training.run import (
    Log,
    Recorder,
    Run,
    own_garbage,
    preserved_random_state,
    quiet,
)

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy

IGNORED = -100  # the label that cross-entropy leaves out


class Ordered(Trainer):
    """A trainer whose batches run through `sequence`, indices into the data set, and that reports nothing home."""

    sequence: Sequence[int] = ()

    def _get_train_sampler(self, train_dataset: Any = None) -> Sequence[int]:
        return self.sequence

    def _send_telemetry(self) -> None:
        """The suite reports to nobody."""


class OrderedPreferences(Ordered, PreferenceTrainer):
    """Our trainer on our order of batches."""


class OrderedSecondChoices(Ordered, SecondChoiceTrainer):
    """Our trainer with STIC's rejected log-probability, on our order of batches."""


class OrderedDemonstrations(Ordered, SFTTrainer):
    """TRL's trainer on our order of batches."""


class EveryStep(TrainerCallback):
    """Hands the log of every optimiser step to a recorder, and stops at one that is not finite."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def on_log(self, args: Any, state: Any, control: Any, logs: Log | None = None, **others: Any) -> None:
        """Called by the trainer after a step, and once more with a summary, which is no step."""
        if not logs or "loss" not in logs:
            return
        check_finite(state.global_step, loss=logs["loss"], grad_norm=logs.get("grad_norm", 0.0))
        self.recorder.add({"step": state.global_step, **logs})


class Watch(TrainerCallback):
    """Shows the model in training after some steps; it goes on learning in the mode and random state it had."""

    def __init__(self, show: Callable[[int, torch.nn.Module], None], at: Collection[int]) -> None:
        self.show, self.at = show, at

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Called by the trainer after every optimiser step."""
        if state.global_step not in self.at:
            return
        training = model.training
        model.eval()
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            self.show(state.global_step, model)
        model.train(training)


def arguments(run: Run, model: torch.nn.Module, folder: str) -> dict[str, Any]:
    """Arguments that every TRL config takes: one log a step, nothing printed, nothing saved."""
    on_gpu = model.device.type == "cuda"
    return {
        "output_dir": folder,
        "max_steps": run.steps,
        "per_device_train_batch_size": run.part,
        "gradient_accumulation_steps": run.gradient_accumulation,
        "learning_rate": run.learning_rate,
        "seed": run.seed,
        "optim": run.optimizer,
        "lr_scheduler_type": run.schedule,
        "warmup_steps": run.warmup_steps,
        "max_grad_norm": run.max_grad_norm,
        "weight_decay": run.weight_decay,
        "gradient_checkpointing": run.gradient_checkpointing,
        "max_length": run.max_length,
        "use_cpu": not on_gpu,
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "dataloader_pin_memory": on_gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # a diverged run must show it
        "disable_tqdm": True,
        "report_to": "none",
        "save_strategy": "no",
    }


def train(
    policy: "Policy",
    build: Callable[[torch.nn.Module, str, "PeftConfig | None"], Ordered],
    run: Run,
    *,
    sequence: Sequence[int],
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
) -> tuple["Policy", list[Log]]:
    """Train a copy of the policy with the trainer that `build(model, folder, adapter)` makes.

    Returns the trained policy, in evaluation mode, and the logs by step. The policy given and the global random state
    stay as they are; nothing is printed. Raises `Diverged`.
    """
    adapted = hasattr(policy.model, "peft_config")
    share = lora is not None and not adapted
    trained = policy.copy(share=share)
    # Updates of 1e-7 vanish in bfloat16, so what is trained as a whole is float32; a frozen base keeps its type.
    model = trained.model if adapted or lora else trained.model.float()
    recorder = Recorder(on_step, progress, run.steps)

    def fit(folder: str) -> torch.nn.Module:
        trainer = build(model, folder, None if adapted else lora)
        trainer.sequence = sequence
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(EveryStep(recorder))
        trainer.train()
        return trainer.model

    with own_garbage(), preserved_random_state(), quiet(), tempfile.TemporaryDirectory() as folder, closing(recorder):
        trained.model = _released(fit(folder))
    check_weights(trained.model, run.steps)
    return trained, recorder.logs


def _released(model: torch.nn.Module) -> torch.nn.Module:
    """Take away what trainers leave on a model: patched forward methods, gradients, a reference adapter."""
    for module in model.modules():
        for patch in ("forward", "_original_forward"):
            vars(module).pop(patch, None)
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
    model.zero_grad(set_to_none=True)
    return model.eval()


def train_supervised_by_trl(
    policy: "Policy",
    rows: Sequence[tuple[list[int], list[int]]],
    run: Run,
    *,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Supervised fine-tuning on rows of prompt ids and response ids; options: those of `train`."""
    dataset = Dataset.from_dict(  # in the form that TRL's preparation ends in, so that it has nothing left to do
        {
            "input_ids": [head + tail for head, tail in rows],
            "labels": [[IGNORED] * len(head) + tail for head, tail in rows],
        }
    )

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> OrderedDemonstrations:
        trainer = OrderedDemonstrations(
            model=model,
            args=SFTConfig(**arguments(run, model, folder), dataset_kwargs={"skip_prepare_dataset": True}),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )
        return _watched(trainer, policy, watch, at)

    return train(policy, build, run, **options)


def _watched(
    trainer: Ordered, policy: "Policy", watch: "Callable[[int, Policy], None] | None", at: Collection[int]
) -> Ordered:
    """The trainer, which shows its model as a policy after the steps in `at` to whoever watches."""
    if watch is not None:
        trainer.add_callback(Watch(lambda step, model: watch(step, _showing(policy, model)), at))
    return trainer


def _showing(policy: "Policy", model: torch.nn.Module) -> "Policy":
    shown = copy.copy(policy)
    shown.model = model
    return shown


def train_pairs_by_trl(
    policy: "Policy",
    rows: dict[str, list],
    run: Run,
    *,
    loss: Callable[..., torch.Tensor],
    average_log_prob: bool,
    second_choice: bool,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """Preference training on `pairs.pair_rows`; options: those of `train`."""
    dataset = Dataset.from_dict(rows)
    trainer = OrderedSecondChoices if second_choice else OrderedPreferences

    def build(model: torch.nn.Module, folder: str, adapter: "PeftConfig | None") -> OrderedPreferences:
        built = trainer(
            model=model,
            loss=loss,
            average_log_prob=average_log_prob,
            args=DPOConfig(
                **arguments(run, model, folder),
                precompute_ref_log_probs=True,
                precompute_ref_batch_size=min(run.batch_size, 4 * run.part),  # no gradients: room for more
            ),
            train_dataset=dataset,
            processing_class=policy.tokenizer,
            peft_config=adapter,
        )
        return _watched(built, policy, watch, at)

    return train(policy, build, run, **options)
