"""What a study's results are drawn by: seeds, or the items of a run whose models are fixed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autodidact.claims import Study


def by_replicate(study: "Study", claim: str, values: Iterable[np.ndarray]) -> np.ndarray:
    """A row for every replicate of a claim, (replicates, ...), from a seed's values each, (items, ...).

    Where the claim's replicates are seeds, a row is the mean over a seed's items; where they are items (`judged` in
    `paper.yaml`), an item's mean over the seeds. Raises ValueError for a claim that is not judged at this scale, where
    there is no seed, where one has no items, and where seeds that are to be averaged differ in how many they have.
    """
    if claim not in study.replicate_kinds:
        raise ValueError(f"claim {claim!r} is not judged at this scale; judged are {', '.join(study.replicate_kinds)}")
    seeds = [np.asarray(one) for one in values]
    if not seeds or any(one.ndim == 0 or not len(one) for one in seeds):
        raise ValueError(f"claim {claim!r}: values of each seed must be (items, ...) with an item or more")
    if study.replicate_kinds[claim] == "seed":
        return np.stack([one.mean(axis=0) for one in seeds])
    shapes = sorted({one.shape for one in seeds})
    if len(shapes) > 1:
        raise ValueError(f"claim {claim!r}: its replicates are items, but the seeds' values have the shapes {shapes}")
    return np.mean(seeds, axis=0)
