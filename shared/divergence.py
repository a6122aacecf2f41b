"""Training that has diverged says so, at the step and by the quantity that is no finite number."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Diverged(FloatingPointError):
    """A training step whose loss, gradient or weights are no finite numbers."""


def check_finite(step: int, **quantities: float) -> None:
    """Raise `Diverged` that names the step and the quantity if one of them is not finite."""
    for name, value in quantities.items():
        if not math.isfinite(value):
            hint = "a smaller learning rate or a gentler loss may help"
            raise Diverged(f"step {step}: {name.replace('_', ' ')} is {value}, so training has diverged; {hint}")


def check_weights(model: "torch.nn.Module", step: int) -> None:
    """Raise `Diverged` if a weight in training is not finite after this step, the last one."""
    check_tensors({name: weight for name, weight in model.named_parameters() if weight.requires_grad}, step)


def check_tensors(weights: "Mapping[str, torch.Tensor]", step: int) -> None:
    """The same of weights by name."""
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise Diverged(f"step {step}: the weights {name} are not finite, so training has diverged")
