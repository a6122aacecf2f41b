"""How good generated samples are: precision and recall by nearest neighbours, and the Fréchet distance of features."""

import numpy as np
from scipy.spatial.distance import cdist


def precision_recall(real: np.ndarray, made: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Share of generated samples within the real ones' support, and of real ones within the generated ones'.

    A sample lies in a set's support if it is no farther from some member than that member from its k-th nearest fellow.
    real, made: (n, ...) and (m, ...), features or pixels, flattened. Source: Kynkaanniemi et al. 2019, arXiv
    1904.06991, equation (1), there on VGG-16 features with k = 3; here on whatever is handed over.
    Raises ValueError for sets of k members or fewer and for features that differ in size.
    """
    real, made = _flat("real", real), _flat("made", made)
    if real.shape[1] != made.shape[1]:
        raise ValueError(f"real and made must have as many features, but have {real.shape[1]} and {made.shape[1]}")
    if not 1 <= k < min(len(real), len(made)):
        raise ValueError(f"k={k} must be 1 or greater and below the sizes of both sets, {len(real)} and {len(made)}")
    across = cdist(real, made)
    precision = (across <= _radius(real, k)[:, None]).any(0).mean()
    recall = (across <= _radius(made, k)[None, :]).any(1).mean()
    return float(precision), float(recall)


def frechet_distance(real: np.ndarray, made: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^{1/2}): squared 2-Wasserstein distance of Gaussians fitted to two sets.

    real, made: (n, d) and (m, d) features. It is FID only on Inception's features, which have to be downloaded: on any
    others, as here, numbers compare with each other alone. Source: Heusel et al. 2017, arXiv 1706.08500.
    """
    real, made = _flat("real", real), _flat("made", made)
    (m1, c1), (m2, c2) = _moments(real), _moments(made)
    root = _root(c1)  # tr (C1 C2)^{1/2} = tr (C1^{1/2} C2 C1^{1/2})^{1/2}, whose argument is symmetric
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ c2 @ root), 0, None)).sum()
    return float(((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * cross)


def _radius(x: np.ndarray, k: int) -> np.ndarray:
    """Distance of each member to its k-th nearest fellow, itself not counted."""
    return np.partition(cdist(x, x), k, axis=1)[:, k]


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def _flat(name: str, x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    if x.ndim < 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"{name} must be two or more finite samples, (n, ...), shape {x.shape} was given")
    return x.reshape(len(x), -1)
