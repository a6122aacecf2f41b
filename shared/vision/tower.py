"""The tiny frozen vision tower: a reader of single patches, trained on labelled ones before any caption is seen."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from autodidact.divergence import check_weights
from autodidact.streams import stream, torch_seed

SHARPNESS = 3.0  # class probabilities are handed on times this, so that the projection starts at a useful scale


class PatchWorld(Protocol):
    """What a world must offer for a tower to be trained in it."""

    def labelled_patches(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Patches out of n pictures, float32 (patches, width) in [0, 1], and labels, (patches, kinds) from 0 on."""


@dataclass(frozen=True)
class Tower:
    """Shape and training of a tower. kind: "mlp" or, for patches of some size, "conv"; pictures: drawn for training."""

    kind: str = "mlp"
    pictures: int = 2000
    steps: int = 300
    batch_size: int = 256
    learning_rate: float = 3e-3


class Retina(nn.Module):
    """Reads a picture patch by patch: class probabilities of every kind of label.

    `forward` takes patches (n, width) in [0, 1] to logits, one (n, classes) a kind. `look` takes pictures to features
    (patches, classes of all kinds), probabilities times 3. Where a patch stands, its position among the tokens says;
    reading errors stay as uncertain probabilities, which no training on captions can mend.
    """

    def __init__(self, kind: str, width: int, classes: list[int]) -> None:
        super().__init__()
        self.kind, self.classes = kind, list(classes)
        if kind == "mlp":
            self.body = nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, 64), nn.GELU(), nn.RMSNorm(64))
        elif kind == "conv":
            self.size = round((width / 3) ** 0.5)
            layers, channels = [], 3
            for out in (16, 32, 64):
                layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
                channels = out
            flat = channels * (self.size // 8) ** 2
            self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, 64), nn.ReLU())
        else:
            raise ValueError(f"kind={kind!r} is unknown; known are 'mlp' and 'conv'")
        self.head = nn.Linear(64, sum(self.classes))

    def forward(self, patches: Tensor) -> tuple[Tensor, ...]:
        """(n, width) patches to logits by kind of label."""
        if self.kind == "conv":
            patches = patches.reshape(-1, self.size, self.size, 3).permute(0, 3, 1, 2)
        return self.head(self.body(2 * patches - 1)).split(self.classes, dim=1)

    @torch.no_grad()
    def look(self, patches: np.ndarray) -> Tensor:
        """Features of one picture's patches, or of many pictures' at once: (..., patches, width) to features."""
        shape = patches.shape[:-1]
        logits = self(torch.from_numpy(patches.reshape(-1, patches.shape[-1])))
        read = SHARPNESS * torch.cat([part.softmax(dim=1) for part in logits], dim=1)
        return read.reshape(*shape, -1)


def train_retina(labelled: tuple[np.ndarray, np.ndarray], seed: int, tower: Tower, classes: list[int]) -> Retina:
    """A tower that has learnt to name single patches; its weights and batches are drawn from the seed.

    labelled: patches and labels as `PatchWorld.labelled_patches` gives them, of `tower.pictures` pictures.

    The loss is the sum over kinds of label of the mean cross-entropy; Adam, learning rate falling linearly to zero.
    """
    patches, labels = (torch.from_numpy(part) for part in labelled)
    rng = stream(seed, "order", 1)
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(stream(seed, "initialise", 1)))
        retina = Retina(tower.kind, patches.shape[1], classes)
    optimiser = torch.optim.AdamW(retina.parameters(), lr=tower.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / tower.steps)
    for _ in range(tower.steps):
        rows = torch.from_numpy(rng.integers(len(patches), size=tower.batch_size))
        losses = [
            nn.functional.cross_entropy(logits, labels[rows, kind]) for kind, logits in enumerate(retina(patches[rows]))
        ]
        optimiser.zero_grad()
        sum(losses).backward()
        optimiser.step()
        schedule.step()
    check_weights(retina, tower.steps)
    return retina.eval().requires_grad_(False)
