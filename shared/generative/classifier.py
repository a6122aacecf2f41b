"""Classifiers of small images: what rewards are made of, and, trained apart, what classes are counted with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.divergence import check_weights
from autodidact.streams import torch_seed


class Classifier(nn.Module):
    """Features of an image, and a linear layer over them.

    kind: `linear` (features are the pixels, so this is logistic regression), `mlp` (one hidden layer) or `conv` (three
    pairs of 3x3 convolutions with batch norm, each pair after the first at half the resolution, then the mean over
    places). width: of the hidden layer, or of the first convolutions, doubled with each halving.
    """

    def __init__(self, kind: str, shape: Sequence[int], classes: int, width: int = 64) -> None:
        super().__init__()
        size = int(np.prod(shape))
        if kind == "linear":
            self.features, width = nn.Flatten(), size
        elif kind == "mlp":
            self.features = nn.Sequential(nn.Flatten(), nn.Linear(size, width), nn.ReLU())
        elif kind == "conv":
            self.features, width = _convolutions(shape[0], width)
        else:
            raise ValueError(f"kind={kind!r} is unknown; known are linear, mlp, conv")
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) of images (batch, channels, size, size)."""
        return self.head(self.features(x))

    @torch.inference_mode()
    def probabilities(self, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
        """q(class | image) of images (n, channels, size, size): (n, classes), in evaluation mode."""
        return np.concatenate([self(x).softmax(1).cpu().double().numpy() for x in self._parts(images, batch_size)])

    @torch.inference_mode()
    def embed(self, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
        """The features (n, width) under the linear layer: an extractor that needs no download."""
        return np.concatenate([self.features(x).cpu().numpy() for x in self._parts(images, batch_size)])

    def _parts(self, images: np.ndarray, batch_size: int) -> list[Tensor]:
        device = self.head.weight.device
        return [part.to(device) for part in torch.from_numpy(np.ascontiguousarray(images)).split(batch_size)]


def train_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    kind: str,
    steps: int,
    rng: np.random.Generator,
    width: int = 64,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-2,
    momentum: float | None = None,
    shift: int = 0,
    bfloat16: bool = False,
    device: str = "cpu",
) -> Classifier:
    """A classifier trained on the cross-entropy, its learning rate falling to zero along a cosine.

    momentum: of SGD with Nesterov's momentum; None: AdamW. bfloat16: passes in half precision, which takes half of the
    time on processors that have it; weights stay float32.

    images: (n, channels, size, size) float32. labels: (n,) whole numbers from 0. Batches are drawn with replacement;
    `conv` sees half of its images mirrored, `linear` and `mlp` none. shift: each image is moved by up to so many pixels
    each way, what comes in being its mirror image. The global random state stays as it is. Raises ValueError for images
    and labels that are not as many, `Diverged` for weights that are not finite at the end.
    """
    if len(images) != len(labels):
        raise ValueError(f"images and labels must be as many: {len(images)} and {len(labels)} were given")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(rng))
        model = Classifier(kind, images.shape[1:], int(labels.max()) + 1, width).to(device)
    layout = torch.channels_last if kind == "conv" else torch.contiguous_format  # the faster one of convolutions
    model, options = model.to(memory_format=layout), {"lr": learning_rate, "weight_decay": weight_decay, "fused": True}
    if momentum is None:
        optimizer = torch.optim.AdamW(model.parameters(), **options)
    else:
        optimizer = torch.optim.SGD(model.parameters(), momentum=momentum, nesterov=True, **options)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        chosen = rng.integers(len(images), size=batch_size)
        x = torch.from_numpy(images[chosen])
        if kind == "conv":
            mirrored = torch.from_numpy(rng.random(batch_size) < 0.5)
            x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
        x = _shifted(x, shift, rng) if shift else x
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=bfloat16):
            logits = model(x.to(device, memory_format=layout))
        loss = nn.functional.cross_entropy(logits.float(), torch.from_numpy(labels[chosen]).to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    check_weights(model, steps)
    return model.eval()


def _shifted(x: Tensor, shift: int, rng: np.random.Generator) -> Tensor:
    """Square images (batch, channels, size, size), each moved by its own -shift to shift pixels along both axes."""
    wide = nn.functional.pad(x, (shift,) * 4, mode="reflect")
    rows, columns = (torch.from_numpy(rng.integers(2 * shift + 1, size=len(x))) for _ in range(2))
    place, image = torch.arange(x.shape[-1]), torch.arange(len(x))
    at = (rows[:, None] + place)[:, :, None], (columns[:, None] + place)[:, None, :]
    return wide.permute(0, 2, 3, 1)[image[:, None, None], *at].permute(0, 3, 1, 2).contiguous()


def _convolutions(channels: int, width: int) -> tuple[nn.Sequential, int]:
    widths = [channels, width, width, 2 * width, 2 * width, 4 * width, 4 * width]
    layers: list[nn.Module] = []
    for number, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        stride = 2 if number in (2, 4) else 1
        layers += [nn.Conv2d(a, b, 3, padding=1, stride=stride, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), widths[-1]
