"""What training runs have in common, whatever they minimise and by which loop: options, order of batches, log."""

import gc
import math
import random
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from tqdm.auto import tqdm

from autodidact.checks import whole
from autodidact.streams import stream

if TYPE_CHECKING:
    from autodidact.models.policy import Policy

Log = dict[str, float]
LOOPS = ("auto", "lean", "trl")
SELDOM = 20_000  # new objects until the youngest are looked through; Python's own is 700


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
    from transformers.utils import logging

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


@contextmanager
def seldom_garbage() -> Iterator[None]:
    """Look for reference cycles less often: our own loops leave none behind, and looking takes 5 % of their time."""
    before = gc.get_threshold()
    gc.set_threshold(max(SELDOM, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Recorder:
    """Keeps the log of every optimiser step, hands it on, and draws a bar if one is wanted; to be closed."""

    def __init__(self, on_step: Callable[[Log], None] | None, progress: bool, total: int) -> None:
        self.logs: list[Log] = []
        self.on_step = on_step
        self.bar = tqdm(total=total, desc="training", leave=False, disable=not progress)

    def add(self, log: Log) -> None:
        """Take the log of a step."""
        self.logs.append(log)
        self.bar.update()
        if self.on_step is not None:
            self.on_step(log)

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a training run goes, whatever it minimises.

    steps: optimiser steps, of `batch_size` examples each; `gradient_accumulation` splits a batch into as many parts and
    changes nothing but memory. learning_rate: the peak. seed: of the order of the batches and of fresh adapters.
    optimizer, schedule: names of transformers ("adamw_torch", "rmsprop"; "constant", "linear", "cosine",
    "constant_with_warmup"). warmup: share of the steps in which the learning rate rises; a schedule named "constant"
    has none. max_length: tokens of prompt and response together, cut at the end (None: never). loop: "lean" for our own
    loop, "trl" for TRL's trainer, "auto" for the lean one where it can serve (`lean.obstacle` says where it cannot);
    both take the same steps up to rounding.
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
    loop: str = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "gradient_accumulation", "max_length", "seed"):
            value = getattr(self, name)
            if value is not None or name != "max_length":
                object.__setattr__(self, name, whole(name, value, 0 if name == "seed" else 1))
        if not 0 <= self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate} must be finite and not below 0")
        if self.loop not in LOOPS:
            raise ValueError(f"loop={self.loop!r} is unknown; known are {', '.join(LOOPS)}")
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(f"gradient_accumulation={self.gradient_accumulation} must divide {self.batch_size=}")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup={self.warmup} is a share of the steps and must lie in [0, 1]")
        if self.warmup and self.schedule == "constant":
            raise ValueError(f"warmup={self.warmup} needs a schedule that has one, as schedule='constant_with_warmup'")

    @property
    def part(self) -> int:
        """Examples that are held in memory at once."""
        return self.batch_size // self.gradient_accumulation

    @property
    def warmup_steps(self) -> int:
        """Steps in which the learning rate rises."""
        return round(self.warmup * self.steps)

    def check_steps(self, at: Collection[int]) -> None:
        """ValueError for steps at which somebody wants to look that are none of this run's."""
        if not all(1 <= step <= self.steps for step in at):
            raise ValueError(f"at={sorted(at)} must be steps of the run, 1 to {self.steps}")

    def order(self, examples: int) -> list[int]:
        """Indices of steps * batch_size examples out of shuffled epochs: each example once before any comes twice."""
        if not examples:
            raise ValueError("there is nothing to train on: no examples were given")
        draws = self.steps * self.batch_size
        rng = stream(self.seed, "order")
        epochs = [rng.permutation(examples) for _ in range(-(-draws // examples))]
        return np.concatenate(epochs)[:draws].tolist()

    def room(self, prompt: Sequence[int]) -> int | None:
        """Tokens of a response that fit after these of its prompt; None for all."""
        return None if self.max_length is None else self.max_length - len(prompt)

    def encode_prompts(self, policy: "Policy", prompts: Sequence[str]) -> dict[str, list[int]]:
        """Token ids by prompt, each tokenised once. Raises ValueError for one that leaves no room for a response."""
        encoded = policy.encode_prompts(prompts)
        for prompt, ids in encoded.items():
            if self.max_length is not None and len(ids) >= self.max_length:
                start = f"{prompt[:40]!r}..."
                raise ValueError(f"max_length={self.max_length} leaves no room after the {len(ids)} tokens of {start}")
        return encoded
