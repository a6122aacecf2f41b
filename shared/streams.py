"""Named streams of randomness: the one way in which a seed becomes a generator.

Every stage of a study draws from a stream of its own, so that adding a draw to one stage moves no other, and
neighbouring seeds share nothing: seed, purpose and index are entropy words of a `SeedSequence`, never added up.
"""

import numpy as np

PURPOSES = {
    "train": 0,  # prompts that a policy learns from
    "held-out": 1,  # prompts that only measure
    "demonstrate": 2,  # the demonstrations of the base model
    "rater": 3,  # votes and label noise
    "sample": 4,  # responses of a policy
    "evaluate": 5,  # responses that only measure
    "pairs": 6,  # choices among responses
    "shuffle": 7,  # permutations that serve as controls
    "initialise": 8,  # weights of a fresh model
    "order": 9,  # order of the training batches
    "table": 10,  # worlds that are a table of numbers
    "discriminator": 11,  # splits and weights of a fresh discriminator
    "instance": 12,  # instances of a world: games, maps, problems, raters' tastes
    "evolve": 13,  # a population's variation and selection
    "act": 14,  # an agent's actions
    "generate": 15,  # noise from which a generative model draws its samples
    "label": 16,  # what a labeller or a judge says
    "resample": 17,  # bootstrap over what was measured
}


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of one seed for one purpose; `index` counts rounds, arms or parts within it.

    Raises ValueError for a purpose outside `PURPOSES` and for a negative seed or index.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose={purpose!r} is unknown; known are {', '.join(PURPOSES)}")
    if seed < 0 or index < 0:
        raise ValueError(f"seed={seed} and index={index} must not be negative")
    return np.random.default_rng([seed, PURPOSES[purpose], index])


def torch_seed(rng: np.random.Generator) -> int:
    """A seed for libraries that want one integer (TRL's `seed`), drawn from `rng`."""
    return int(rng.integers(2**31 - 1))
