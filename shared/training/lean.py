"""One lean loop for tiny models, whatever it minimises: half to two thirds of TRL's step are overhead for them.

AdamW, schedule, clipping and the order of the batches are those of transformers' `Trainer`; the tests hold the weights
to TRL's own, step for step.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from autodidact.divergence import check_finite, check_weights
from autodidact.training.run import Log, Recorder, Run, seldom_garbage

if TYPE_CHECKING:
    from peft import PeftConfig

    from autodidact.models.policy import Policy

MOST_PARAMETERS = 2_000_000
SCHEDULES = ("constant", "constant_with_warmup", "linear", "cosine")


class Objective(Protocol):
    """What a training minimises."""

    def prepare(self, model: torch.nn.Module) -> None:
        """See the model before its first step."""
        ...

    def __call__(self, model: torch.nn.Module, part: Sequence[int], whole: Sequence[int]) -> tuple[Tensor, Log]:
        """The share of the examples `part` in the loss of the batch `whole`, and in what is logged: shares add up."""
        ...


def obstacle(policy: "Policy", run: Run, lora: "PeftConfig | None") -> str | None:
    """Why the lean loop cannot serve a training; None where it can.

    It trains all weights of a small Llama on a CPU, by AdamW. Pretrained models, adapters and GPUs are TRL's.
    """
    from transformers import LlamaForCausalLM

    model, config = policy.model, policy.model.config
    if lora is not None or hasattr(model, "peft_config"):
        return "adapters are trained"
    if type(model) is not LlamaForCausalLM:
        return f"{type(model).__name__} is no LlamaForCausalLM"
    if model.num_parameters() > MOST_PARAMETERS:
        return f"the model has {model.num_parameters():,} parameters, above {MOST_PARAMETERS:,}"
    if model.device.type != "cpu":
        return f"the model is on {model.device}"
    if config.attention_bias or config.mlp_bias or config.attention_dropout or config.pretraining_tp > 1:
        return "the model has biases or dropout"
    if config.num_key_value_heads != config.num_attention_heads or config.rope_parameters["rope_type"] != "default":
        return "heads share keys, or positions are not the usual ones"
    if run.optimizer != "adamw_torch" or run.schedule not in SCHEDULES or run.gradient_checkpointing:
        return f"of optimizer={run.optimizer!r}, schedule={run.schedule!r} and gradient_checkpointing"
    return None


def serves(policy: "Policy", run: Run, lora: "PeftConfig | None") -> bool:
    """Whether this training goes through the lean loop.

    Raises ValueError if the lean loop is asked for and cannot serve.
    """
    if run.loop == "trl":
        return False
    why = obstacle(policy, run, lora)
    if run.loop == "lean" and why:
        raise ValueError(f"loop='lean' cannot serve here: {why}; leave loop at 'auto'")
    return why is None


def descend(
    policy: "Policy",
    objective: Objective,
    run: Run,
    *,
    sequence: Sequence[int],
    on_step: Callable[[Log], None] | None = None,
    progress: bool = False,
    watch: "Callable[[int, Policy], None] | None" = None,
    at: Collection[int] = (),
) -> tuple["Policy", list[Log]]:
    """Train a copy of the policy on batches of `sequence`; returns it, in evaluation mode, and the logs by step.

    watch: sees the policy in training after each of the steps in `at`. Raises `Diverged`.
    """
    trained = policy.copy()
    trained.model = trained.model.float().eval()  # no dropout anywhere: one mode serves
    objective.prepare(trained.model)
    optimizer, schedule = _optimizer(trained.model, run)
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    with seldom_garbage(), closing(Recorder(on_step, progress, run.steps)) as recorder:
        for step in range(1, run.steps + 1):
            whole = sequence[(step - 1) * run.batch_size : step * run.batch_size]
            optimizer.zero_grad()
            log = _gradient(trained.model, objective, whole, run, weights)
            check_finite(step, loss=log["loss"], grad_norm=log["grad_norm"])
            log = {"step": step, **log, "learning_rate": schedule.get_last_lr()[0]}
            optimizer.step()
            schedule.step()
            recorder.add(log)
            if step in at and watch is not None:
                watch(step, trained)
    check_weights(trained.model, run.steps)
    trained.model.zero_grad(set_to_none=True)
    return trained, recorder.logs


def _gradient(
    model: torch.nn.Module, objective: Objective, whole: Sequence[int], run: Run, weights: Sequence[Tensor]
) -> Log:
    """Leave the clipped gradient of a batch in the weights; returns what is logged of it."""
    total: Log = {"loss": 0.0}
    for start in range(0, len(whole), run.part):
        loss, log = objective(model, whole[start : start + run.part], whole)
        loss.backward()
        for name, value in {"loss": loss.item(), **log}.items():
            total[name] = total.get(name, 0.0) + value
    norm = torch.nn.utils.clip_grad_norm_(weights, run.max_grad_norm if run.max_grad_norm > 0 else torch.inf)
    return {**total, "grad_norm": norm.item()}


def _optimizer(model: torch.nn.Module, run: Run) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW and a schedule as transformers sets them up: norms and biases do not decay."""
    from transformers import get_scheduler

    decaying, others = [], []
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            (others if "norm" in name or "bias" in name else decaying).append(weight)
    groups = [{"params": decaying, "weight_decay": run.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=run.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)
    return optimizer, get_scheduler(run.schedule, optimizer, run.warmup_steps, run.steps)
