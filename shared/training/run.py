"""What a training run has in common, whatever it minimises: arguments, order of the batches, silence, no traces."""

import gc
import random
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import Trainer, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from transformers.utils import logging

from autodidact.streams import stream

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy

Log = dict[str, float]


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Put the global generators of Python, NumPy and torch back as they were: TRL seeds all of them."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back notes of transformers and TRL on each other's names: the versions are pinned, nothing is to be done."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)


@contextmanager
def own_garbage() -> Iterator[None]:
    """Collect at the end what was made within, and no more.

    A trainer sits in reference cycles and holds optimiser states, so it must be collected; walking over all objects
    of a notebook takes 0.2 s, and transformers asks for it at the start of every training.
    """
    gc.freeze()
    try:
        yield
        gc.collect()
    finally:
        gc.unfreeze()


class Ordered(Trainer):
    """A trainer whose batches run through `sequence`, indices into the data set, and that reports nothing home."""

    sequence: Sequence[int] = ()

    def _get_train_sampler(self, train_dataset: Any = None) -> Sequence[int]:
        return self.sequence

    def _send_telemetry(self) -> None:
        """The suite reports to nobody."""


class EveryStep(TrainerCallback):
    """Collects the log of every optimiser step, hands it on, and draws a bar if one is wanted."""

    def __init__(self, on_step: Callable[[Log], None] | None, progress: bool, total: int) -> None:
        self.logs: list[Log] = []
        self.on_step = on_step
        self.bar = tqdm(total=total, desc="training", leave=False, disable=not progress)

    def on_log(self, args: Any, state: Any, control: Any, logs: Log | None = None, **others: Any) -> None:
        """Called by the trainer after a step, and once more with a summary, which is no step."""
        if not logs or "loss" not in logs:
            return
        self.logs.append({"step": state.global_step, **logs})
        self.bar.update()
        if self.on_step is not None:
            self.on_step(self.logs[-1])

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Take the bar away."""
        self.bar.close()


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a training run goes, whatever it minimises.

    steps: optimiser steps, of `batch_size` examples each; `gradient_accumulation` splits a batch into as many parts and
    changes nothing but memory. learning_rate: the peak. seed: of the order of the batches and of fresh adapters.
    optimizer, schedule: names of transformers ("adamw_torch", "rmsprop"; "constant", "linear", "cosine",
    "constant_with_warmup"). warmup: share of the steps in which the learning rate rises; a schedule named "constant"
    has none. max_length: tokens of prompt and response together, cut at the end (None: never).
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int
    optimizer: str = "adamw_torch"
    schedule: str = "constant"
    warmup: float = 0.0
    gradient_accumulation: int = 1
    max_grad_norm: float = 1.0
    weight_decay: float = 0.0
    max_length: int | None = None
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "gradient_accumulation", "max_length"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}={value} must be at least 1")
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(f"gradient_accumulation={self.gradient_accumulation} must divide {self.batch_size=}")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup={self.warmup} is a share of the steps and must lie in [0, 1]")
        if self.warmup and self.schedule == "constant":
            raise ValueError(f"warmup={self.warmup} needs a schedule that has one, as schedule='constant_with_warmup'")

    def order(self, examples: int) -> list[int]:
        """Indices of steps * batch_size examples out of shuffled epochs: each example once before any comes twice."""
        if not examples:
            raise ValueError("there is nothing to train on: no examples were given")
        draws = self.steps * self.batch_size
        rng = stream(self.seed, "order")
        epochs = [rng.permutation(examples) for _ in range(-(-draws // examples))]
        return np.concatenate(epochs)[:draws].tolist()

    def encode_prompts(self, policy: "Policy", prompts: Sequence[str]) -> dict[str, list[int]]:
        """Token ids by prompt, each tokenised once. Raises ValueError for one that leaves no room for a response."""
        encoded = policy.encode_prompts(prompts)
        for prompt, ids in encoded.items():
            if self.max_length is not None and len(ids) >= self.max_length:
                start = f"{prompt[:40]!r}..."
                raise ValueError(f"max_length={self.max_length} leaves no room after the {len(ids)} tokens of {start}")
        return encoded

    def arguments(self, model: torch.nn.Module, folder: str) -> dict[str, Any]:
        """Arguments that every TRL config takes: one log a step, nothing printed, nothing saved."""
        on_gpu = model.device.type == "cuda"
        return {
            "output_dir": folder,
            "max_steps": self.steps,
            "per_device_train_batch_size": self.batch_size // self.gradient_accumulation,
            "gradient_accumulation_steps": self.gradient_accumulation,
            "learning_rate": self.learning_rate,
            "seed": self.seed,
            "optim": self.optimizer,
            "lr_scheduler_type": self.schedule,
            "warmup_steps": round(self.warmup * self.steps),
            "max_grad_norm": self.max_grad_norm,
            "weight_decay": self.weight_decay,
            "gradient_checkpointing": self.gradient_checkpointing,
            "max_length": self.max_length,
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
    stay as they are; nothing is printed.
    """
    adapted = hasattr(policy.model, "peft_config")
    share = lora is not None and not adapted
    trained = policy.copy(share=share)
    # Updates of 1e-7 vanish in bfloat16, so what is trained as a whole is float32; a frozen base keeps its type.
    model = trained.model if adapted or lora else trained.model.float()
    steps = EveryStep(on_step, progress, run.steps)

    def fit(folder: str) -> torch.nn.Module:
        trainer = build(model, folder, None if adapted else lora)
        trainer.sequence = sequence
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(steps)
        trainer.train()
        return trainer.model

    with own_garbage(), preserved_random_state(), quiet(), tempfile.TemporaryDirectory() as folder:
        trained.model = _released(fit(folder))
    return trained, steps.logs


def _released(model: torch.nn.Module) -> torch.nn.Module:
    """Take away what trainers leave on a model: patched forward methods, gradients, a reference adapter."""
    for module in model.modules():
        for patch in ("forward", "_original_forward"):
            vars(module).pop(patch, None)
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
    model.zero_grad(set_to_none=True)
    return model.eval()
