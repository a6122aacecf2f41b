"""Preference training that reads more off the model in training than the log-probabilities of two responses.

A third response's log-probability, the state of a layer under a head: what must be computed from the model at every
step, and so is no column of the data.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from autodidact.training.lean import descend, serves
from autodidact.training.objectives import Preferences
from autodidact.training.pairs import Pair, extra_columns, loss_beta, pair_rows
from autodidact.training.preferences import REWARD_SCALE
from autodidact.training.run import Log, Run

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy

ROW = "row"  # the column that says which pair an example is


class Beside(Protocol):
    """What is read off the model. `columns` names what is handed to the loss; all else is added to it."""

    columns: Collection[str]

    def prepare(self, model: torch.nn.Module) -> None:
        """See the model before its first step: it is the reference."""
        ...

    def __call__(self, model: torch.nn.Module, rows: Sequence[int]) -> dict[str, Tensor]:
        """For these pairs, by their place in the list: tensors by name, (rows,) each where they are added."""
        ...


class Reading:
    """A loss that is also given what is read off the model, and what it adds up to.

    It takes the column `row` first, then those of the loss that are not read off the model. Who trains sets `model`.
    """

    model: torch.nn.Module

    def __init__(self, loss: Callable[..., Tensor], beside: Beside) -> None:
        unknown = [name for name in beside.columns if name not in extra_columns(loss)]
        if unknown:
            raise ValueError(f"the loss takes no {', '.join(unknown)}; its columns: {', '.join(extra_columns(loss))}")
        self.loss, self.beside = loss, beside
        self.added: dict[str, float] = {}  # sums of what was added last, for the log
        own = partial(loss, **dict.fromkeys(beside.columns))
        parameters = list(inspect.signature(own).parameters.values())
        parameters.insert(4, inspect.Parameter(ROW, inspect.Parameter.POSITIONAL_OR_KEYWORD))
        self.__signature__ = inspect.Signature(parameters)

    def __call__(self, *logps: Tensor, row: Tensor, **columns: Tensor) -> Tensor:
        """Losses (batch,)."""
        read = dict(self.beside(self.model, row.long().tolist()))
        given = {name: read.pop(name) for name in self.beside.columns}
        losses = self.loss(*logps, **columns, **given)
        for name, values in read.items():
            if values.shape != losses.shape:
                raise ValueError(f"{name} has shape {tuple(values.shape)}, to be added to {tuple(losses.shape)} losses")
            losses = losses + values
        self.added = {name: values.detach().sum().item() for name, values in read.items()}
        return losses


class PreferencesBeside(Preferences):
    """`Preferences` of a `Reading`; what it adds is logged under its names."""

    loss: Reading

    def prepare(self, model: torch.nn.Module) -> None:
        """See the reference."""
        super().prepare(model)
        self.loss.beside.prepare(model)

    def __call__(self, model: torch.nn.Module, part: Sequence[int], whole: Sequence[int]) -> tuple[Tensor, Log]:
        """See `Objective`."""
        self.loss.model = model
        total, log = super().__call__(model, part, whole)
        return total, {**log, **{name: value / len(whole) for name, value in self.loss.added.items()}}


def train_beside(
    policy: "Policy",
    pairs: Sequence[Pair],
    beside: Beside,
    *,
    loss: Callable[..., Tensor],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    average_log_prob: bool = False,
    lora: "PeftConfig | None" = None,
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
    **options: Any,
) -> tuple["Policy", list[Log]]:
    """`train_preferences` with what `beside` reads off the model at every step, from the pairs' places in the list.

    What it names in `columns` goes to the loss under these names, after the columns of the pairs; all else, (batch,)
    each, is added to the loss and logged. All other arguments, results and errors are those of `train_preferences`.
    """
    run = Run(steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed, **options)
    run.check_steps(at)
    sequence = run.order(len(pairs))
    used = sorted(set(sequence))
    place = {index: row for row, index in enumerate(used)}
    sequence = [place[index] for index in sequence]
    reading = Reading(loss, beside)
    placed = [replace(pairs[i], columns={**pairs[i].columns, ROW: float(i)}) for i in used]
    rows = pair_rows(policy, placed, reading, run)
    how = {"on_step": on_step, "progress": progress, "watch": watch, "at": frozenset(at)}
    if serves(policy, run, lora):
        beta = loss_beta(reading)
        scale = REWARD_SCALE if beta is None else beta
        objective = PreferencesBeside(rows, loss=reading, beta=scale, average=average_log_prob)
        return descend(policy, objective, run, sequence=sequence, **how)
    from autodidact.training.beside_by_trl import train_beside_by_trl

    how = {**how, "average_log_prob": average_log_prob, "lora": lora}
    return train_beside_by_trl(policy, rows, run, reading=reading, sequence=sequence, **how)
