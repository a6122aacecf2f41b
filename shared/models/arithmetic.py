"""Arithmetic on the weights of two policies of one architecture."""

import math

import numpy as np
import torch

from autodidact.models.policy import Policy


def extrapolate(policy: Policy, past: Policy, by: float, *, direction: np.random.Generator | None = None) -> Policy:
    """A policy with the weights w + by (w - w_past), computed in float32; both given ones stay as they are.

    by: 0 copies, above 0 goes on in the direction of the last training, below 0 goes back (-1: `past`). Only weights
    that differ move, so adapters over one frozen base move alone, and a tied weight moves once. Buffers are copied.
    A `past` without adapters is the one on which those of `policy` were put: there B A = 0, so B moves for both. Two
    policies with adapters move factor by factor, which is B A + by (B A - B A of the past) to first order in a round.
    direction: draws, in place of w - w_past, a normal vector of the same norm, weight by weight: a control.
    Raises ValueError for policies whose weights differ in name or shape, and for `by` not finite.
    """
    if not math.isfinite(by):
        raise ValueError(f"by={by} must be finite")
    result = policy.copy()
    own, old = dict(result.model.named_parameters()), dict(past.model.named_parameters())
    if hasattr(result.model, "peft_config") and not hasattr(past.model, "peft_config"):
        own = {name: weight for name, weight in own.items() if ".lora_B." in name}
        old = {name: torch.zeros_like(weight) for name, weight in own.items()}
    if own.keys() != old.keys() or any(own[name].shape != old[name].shape for name in own):
        raise ValueError(f"policy {policy!r} and past {past!r} must have weights of the same names and shapes")
    with torch.no_grad():
        for name, weight in own.items():
            step = weight.float() - old[name].to(weight.device).float()
            if not step.any():
                continue
            if direction is not None:
                drawn = torch.from_numpy(direction.standard_normal(step.shape, dtype=np.float32)).to(step.device)
                step = drawn * (step.norm() / drawn.norm())
            weight.copy_((weight.float() + by * step).to(weight.dtype))
    return result
