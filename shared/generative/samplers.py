"""From noise to samples along a velocity field: Euler's method, and the midpoint and Heun's of second order."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from autodidact.generative.flow import Flow

METHODS = ("euler", "midpoint", "heun")


def integrate(field: Callable[[Tensor, Tensor], Tensor], x: Tensor, steps: int, method: str = "euler") -> Tensor:
    """x at time 1 from x at time 0 under dx/dt = field(x, t), in `steps` equal steps.

    x: (batch, ...). euler: one evaluation a step, global error O(1/steps); midpoint and heun: two, O(1/steps^2).
    Raises ValueError for another method and fewer than one step.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown; known are {', '.join(METHODS)}")
    if steps < 1:
        raise ValueError(f"steps={steps} must be 1 or greater")
    h = 1 / steps
    for k in range(steps):
        t = torch.full((len(x),), k * h, device=x.device, dtype=x.dtype)
        slope = field(x, t)
        if method == "midpoint":
            slope = field(x + h / 2 * slope, t + h / 2)
        elif method == "heun":
            slope = (slope + field(x + h * slope, t + h)) / 2
        x = x + h * slope
    return x


@torch.inference_mode()
def generate(
    flow: "Flow", n: int, *, steps: int, rng: np.random.Generator, method: str = "euler", batch_size: int = 1024
) -> np.ndarray:
    """`n` samples of the flow's moving average, (n, ...) float32; the noise comes from `rng`."""
    noise = torch.from_numpy(rng.standard_normal((n, *flow.shape), dtype=np.float32))
    with torch.autocast(flow.device.type, dtype=torch.bfloat16, enabled=flow.device.type == "cuda"):
        parts = [integrate(flow.average, x.to(flow.device), steps, method) for x in noise.split(batch_size)]
    return torch.cat([x.float().cpu() for x in parts]).numpy()
