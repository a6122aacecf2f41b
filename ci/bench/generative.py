"""Training images a second of flow matching with optimal transport, beside a loop as one would first write it."""

import copy
import statistics
import time
from typing import Any

import numpy as np

BATCH, REPEATS = 64, 5
KINDS = {"mlp": ((1, 8, 8), 192, 3, 150), "unet": ((3, 16, 16), 32, 3, 4)}  # shape, width, layers, steps


def bench_flow(kind: str) -> dict[str, Any]:
    """Images a second of CPU of both and their ratio, `speedup`: medians over repeats in turn, one thread.

    The other side has the same field, batches, transport plans by POT and clipping; Adam and the moving average are
    written parameter by parameter, as tutorials have them. `apart`, the largest difference of the trained weights,
    shows that both do the same.
    """
    import torch

    from autodidact.generative import new_flow, train_flow, velocity_field
    from autodidact.streams import stream

    torch.set_num_threads(1)
    shape, width, layers, steps = KINDS[kind]
    data = stream(100, "train").standard_normal((4 * BATCH, *shape), dtype=np.float32)
    flow = new_flow(velocity_field(kind, shape, width, layers, stream(100, "initialise")), shape)
    options = {"steps": steps, "batch_size": BATCH, "learning_rate": 1e-3, "decay": 0.99}
    ours, plain = [], []
    for _ in range(REPEATS + 1):
        mine, seconds = _timed(lambda: train_flow(flow, data, rng=stream(100, "order"), **options))
        ours.append(steps * BATCH / seconds)
        other, seconds = _timed(lambda: _plain(flow.field, data, rng=stream(100, "order"), **options))
        plain.append(steps * BATCH / seconds)
    fast, slow = statistics.median(ours[1:]), statistics.median(plain[1:])  # the first of each warms up
    pairs = zip(mine.average.parameters(), other.parameters(), strict=True)
    apart = max(float((a - b).abs().max().detach()) for a, b in pairs)
    return {"ours_images_per_second": fast, "plain_images_per_second": slow, "speedup": fast / slow, "apart": apart}


def _timed(run: Any) -> tuple[Any, float]:
    start = time.process_time()
    return run(), time.process_time() - start


def _plain(
    field: Any, data: np.ndarray, *, steps: int, batch_size: int, learning_rate: float, decay: float, rng: Any
) -> Any:
    """The moving average after training, by a plain loop."""
    import ot
    import torch

    model, average = copy.deepcopy(field), copy.deepcopy(field)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, foreach=False)
    order, at = rng.permutation(len(data)), 0
    for _ in range(steps):
        if at + batch_size > len(data):
            order, at = rng.permutation(len(data)), 0
        x1 = data[order[at : at + batch_size]]
        at += batch_size
        x0 = rng.standard_normal(x1.shape, dtype=np.float32)
        t = torch.from_numpy(rng.random(batch_size, dtype=np.float32))
        cost = ot.dist(x0.reshape(batch_size, -1).astype(float), x1.reshape(batch_size, -1).astype(float))
        plan = ot.emd(np.full(batch_size, 1 / batch_size), np.full(batch_size, 1 / batch_size), cost)
        x0, x1 = torch.from_numpy(x0), torch.from_numpy(x1[plan.argmax(1)])
        at_t = t.view(-1, *[1] * (x0.dim() - 1))
        loss = ((model((1 - at_t) * x0 + at_t * x1, t) - (x1 - x0)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=False)
        optimizer.step()
        for a, b in zip(average.parameters(), model.parameters(), strict=True):
            a.data.mul_(decay).add_(b.data, alpha=1 - decay)
    return average
