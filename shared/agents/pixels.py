"""From pixels to what a policy is shown: a frozen feature extractor, its look-up table, and the gaze of an episode."""

from collections.abc import Callable

import numpy as np
from scipy.cluster.vq import kmeans2


class PatchFeatures:
    """Visual features without labels: how near each patch of a frame is to learned prototypes, then principal axes.

    Coates, Lee and Ng 2011 ("An analysis of single-layer networks in unsupervised feature learning"): k-means on
    patches, "triangle" activation max(0, mean distance - distance), without their whitening, since colour is what tells
    cells apart here. Patches lie side by side, centred in the frame. Fit once on frames that serve nothing else, then
    frozen.
    """

    def __init__(
        self, frames: np.ndarray, rng: np.random.Generator, *, patch: int, prototypes: int, components: int
    ) -> None:
        """`frames` (n, height, width, channels) uint8. Raises ValueError where there are too few of them."""
        self.patch = patch
        patches = self._patches(frames).reshape(-1, patch * patch * frames.shape[-1])
        if len(patches) < 10 * prototypes or len(frames) < components:
            raise ValueError(f"{len(frames)} frames are too few for prototypes={prototypes}, components={components}")
        sample = patches[rng.permutation(len(patches))[: 200 * prototypes]]
        self.prototypes = kmeans2(sample, prototypes, minit="++", seed=rng, iter=8)[0].astype(np.float32)
        active = self._activations(frames)
        self.mean = active.mean(0)
        variances, axes = np.linalg.eigh(np.cov(active.T))
        self.axes = axes[:, ::-1][:, :components].astype(np.float32)
        kept = variances[::-1][:components].sum()
        self.kept_variance = float(kept / variances.sum())
        self.scale = np.float32(np.sqrt(components / kept))  # a mean variance of 1

    @property
    def dim(self) -> int:
        """Number of features of a frame."""
        return self.axes.shape[1]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Features (n, dim) float32 of frames (n, height, width, channels) uint8."""
        return (self._activations(frames) - self.mean) @ self.axes * self.scale

    def _patches(self, frames: np.ndarray) -> np.ndarray:
        """(n, rows, columns, patch * patch * channels) float32 in [0, 1]."""
        n, height, width, channels = frames.shape
        rows, columns, p = height // self.patch, width // self.patch, self.patch
        top, left = (height - rows * p) // 2, (width - columns * p) // 2
        inner = frames[:, top : top + rows * p, left : left + columns * p]
        cut = inner.reshape(n, rows, p, columns, p, channels).transpose(0, 1, 3, 2, 4, 5)
        return cut.reshape(n, rows, columns, -1).astype(np.float32) / 255

    def _activations(self, frames: np.ndarray) -> np.ndarray:
        x = self._patches(frames)
        x = x.reshape(len(frames), -1, x.shape[-1])
        squares = (x**2).sum(-1, keepdims=True) - 2 * x @ self.prototypes.T + (self.prototypes**2).sum(-1)
        away = np.sqrt(np.maximum(squares, 0))
        return np.maximum(away.mean(-1, keepdims=True) - away, 0).reshape(len(frames), -1)


class Remembered:
    """Features of frames of which many recur, as those of a small town do: each is computed once and then looked up.

    Frames are known by their bytes. No more than `limit` are kept, the others are computed each time. What is stored
    depends in its last bits on which frames were computed together: `forget` before work that must be repeatable.
    """

    def __init__(self, features: Callable[[np.ndarray], np.ndarray], dim: int, *, limit: int = 2**15) -> None:
        self.features, self.dim, self.limit = features, dim, limit
        self.forget()

    def forget(self) -> None:
        """Begin anew with no frame known."""
        self._places: dict[bytes, int] = {}
        self._known = np.zeros((1024, self.dim), np.float32)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Features (n, dim) of frames (n, height, width, channels)."""
        keys = [frame.tobytes() for frame in frames]
        new = {key: i for i, key in enumerate(keys) if key not in self._places}
        if len(self._places) + len(new) > self.limit:
            return self.features(frames)
        if new:
            self._learn(list(new), self.features(frames[list(new.values())]))
        return self._known[[self._places[key] for key in keys]]

    def _learn(self, keys: list[bytes], z: np.ndarray) -> None:
        first = len(self._places)
        while first + len(keys) > len(self._known):
            self._known = np.concatenate([self._known, np.zeros_like(self._known)])
        self._known[first : first + len(keys)] = z
        self._places.update(zip(keys, range(first, first + len(keys)), strict=True))


class Gaze:
    """What a batch of players is shown at a step: features before and now, a trace of the episode, the last action.

    The trace is a leaky mean of all features so far, `decay` per step: a memory that need not be trained. `seen`
    (players, width) joins them; `z` are the present features, `last` the last actions, -1 before the first.
    """

    def __init__(self, dim: int, actions: int, *, decay: float) -> None:
        """Raises ValueError for a decay outside [0, 1)."""
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay!r} must be in [0, 1)")
        self.width, self._actions, self._decay = 3 * dim + actions, np.eye(actions, dtype=np.float32), np.float32(decay)

    def begin(self, z: np.ndarray) -> None:
        """An episode begins with features z (players, dim)."""
        self._before = self.z = z
        self._trace = (1 - self._decay) * z
        self.last = np.full(len(z), -1)

    def step(self, actions: np.ndarray, z: np.ndarray) -> None:
        """The players took actions (players,) and see features z (players, dim)."""
        self._before, self.z, self.last = self.z, z, actions
        self._trace = self._decay * self._trace + (1 - self._decay) * z

    @property
    def seen(self) -> np.ndarray:
        """The observation (players, width), float32."""
        last = self._actions[self.last] * (self.last >= 0)[:, None]
        return np.concatenate([self._before, self.z, 2 * self._trace, last], 1).astype(np.float32)
