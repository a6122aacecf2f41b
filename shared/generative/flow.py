"""Flow matching with minibatch optimal transport: training, and going on with training."""

import copy
from dataclasses import dataclass

import numpy as np
import ot
import torch
from scipy.spatial.distance import cdist
from torch import nn

from autodidact.divergence import check_weights
from autodidact.losses.flow import flow_matching


@dataclass(frozen=True)
class Flow:
    """A generative model as training leaves it: all that further training goes on from.

    field: the velocity field that is trained. average: its exponential moving average, which samples are drawn from.
    optimizer: Adam over `field`, its state included. shape: of one example.
    """

    field: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    shape: tuple[int, ...]

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        return next(self.field.parameters()).device


def new_flow(field: nn.Module, shape: tuple[int, ...], device: str = "cpu") -> Flow:
    """An untrained flow around a velocity field; `shape` is that of one example."""
    field = field.to(device)
    optimizer = torch.optim.Adam(field.parameters(), fused=True)
    return Flow(field, copy.deepcopy(field).requires_grad_(False).eval(), optimizer, tuple(shape))


def transport_pairs(noise: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The order (batch,) in which `data` is joined to `noise`: an optimal plan under the squared Euclidean distance.

    noise, data: (batch, ...). Between as many equal weights an optimal plan is a permutation, which POT's network
    simplex finds. Source: Tong et al. 2024, arXiv 2302.00482, section 3.3 (their code draws from the plan with
    replacement; this takes each example once).
    """
    if noise.shape != data.shape:
        raise ValueError(f"noise and data must have one shape, but have {noise.shape} and {data.shape}")
    cost = cdist(noise.reshape(len(noise), -1), data.reshape(len(data), -1), "sqeuclidean")
    weights = ot.unif(len(noise))
    return ot.emd(weights, weights, cost, center_dual=False, check_marginals=False).argmax(1)


def train_flow(
    flow: Flow,
    data: np.ndarray,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    decay: float,
    rng: np.random.Generator,
    clip: float = 1.0,
) -> Flow:
    """A copy of the flow after `steps` more steps of flow matching on `data`; the flow given stays as it is.

    data: (n, ...) float32, examples of the flow's shape; batches come from shuffled epochs. decay: of the moving
    average, which goes on from the flow's. clip: largest norm of a gradient. Weights, average and Adam's state all go
    on from where the flow stands. Raises ValueError for data of another shape or fewer than one batch,
    `Diverged` for weights that are not finite at the end.
    """
    if data.shape[1:] != flow.shape or len(data) < batch_size:
        raise ValueError(f"data must be {batch_size} or more examples of shape {flow.shape}, not {data.shape}")
    if not 0 <= decay < 1:
        raise ValueError(f"decay={decay} must lie in [0, 1)")
    field, average, optimizer = copy.deepcopy((flow.field, flow.average, flow.optimizer))
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    parameters, averages = list(field.parameters()), list(average.parameters())
    field.train()
    for chosen in _batches(len(data), steps, batch_size, rng):
        noise = rng.standard_normal((batch_size, *flow.shape), dtype=np.float32)
        examples = data[chosen]
        examples = examples[transport_pairs(noise, examples)]
        t = rng.random(batch_size, dtype=np.float32)
        batch = [torch.from_numpy(array).to(flow.device) for array in (noise, examples, t)]
        with torch.autocast(flow.device.type, dtype=torch.bfloat16, enabled=flow.device.type == "cuda"):
            loss = flow_matching(field, *batch).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, parameters, 1 - decay)
    check_weights(field, steps)
    return Flow(field.eval(), average, optimizer, flow.shape)


def _batches(examples: int, steps: int, batch_size: int, rng: np.random.Generator):  # noqa: ANN202
    """Indices of `steps` batches out of shuffled epochs; what is left of an epoch's end is dropped."""
    order, at = rng.permutation(examples), 0
    for _ in range(steps):
        if at + batch_size > examples:
            order, at = rng.permutation(examples), 0
        yield order[at : at + batch_size]
        at += batch_size
