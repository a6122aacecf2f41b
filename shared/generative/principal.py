"""Principal components of unit variance: a set of many correlated numbers as few that a small generator can learn."""

import numpy as np


class Principal:
    """The directions in which a set of vectors varies most, each scaled to unit variance.

    vectors: (n, size), n greater than `components`. `share` is how much of their variance the components keep.
    Raises ValueError for another shape, values that are not finite, and more components than there is variance for.
    """

    def __init__(self, vectors: np.ndarray, components: int) -> None:
        vectors = np.asarray(vectors, dtype=np.float64)
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise ValueError(f"vectors must be finite and (n, size), shape {vectors.shape} was given")
        self.mean = vectors.mean(0)
        _, sizes, directions = np.linalg.svd(vectors - self.mean, full_matrices=False)
        most = int((sizes > 1e-9 * sizes[0]).sum())
        if not 1 <= components <= most:
            raise ValueError(f"components={components} must be 1 to {most}, which is all the variance there is")
        kept = directions[:components]
        self.directions = kept * np.where(kept.sum(1, keepdims=True) < 0, -1, 1)  # else the sign is the library's whim
        self.sizes = sizes[:components] / np.sqrt(len(vectors))
        self.share = float((sizes[:components] ** 2).sum() / (sizes**2).sum())

    def encode(self, vectors: np.ndarray) -> np.ndarray:
        """The components of (n, size) vectors, (n, components) float32; of the fitted ones each has unit variance."""
        return ((vectors - self.mean) @ self.directions.T / self.sizes).astype(np.float32)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """The vectors (n, size) float32 nearest to those with these components, what was left out being the mean's."""
        return ((codes * self.sizes) @ self.directions + self.mean).astype(np.float32)
