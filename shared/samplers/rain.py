"""RAIN for any policy and any judge: `tree_search` with what it needs of a policy filled in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodidact.models.policy import Policy
from autodidact.samplers.prefix_cache import PrefixCache
from autodidact.samplers.tree_node import Embed
from autodidact.samplers.tree_search import Found, SearchSettings, Task, tree_search

CLAUSE_ENDS = (".", ",", ";", ":", "!", "?", "\n")


def rain(
    policy: Policy,
    prompts: Sequence[str],
    judge: Callable,
    settings: SearchSettings | None = None,
    *,
    rng: np.random.Generator,
    batched: bool = False,
    stops: Callable[[str], bool] | None = None,
    embed: Embed | None = None,
) -> list[Found]:
    """An answer to every prompt by RAIN's search: no weight moves, the policy takes back what the judge calls bad.

    judge: (prompt, answer so far) -> score in [-1, 1], 1 the best; with `batched`, a list of such pairs -> as many
    scores. Each different text of a prompt is judged once. settings: those of the authors' code by default, made for
    long answers of large models; a few rounds and children serve a first try. rng: one seed a prompt is drawn from it,
    so that an answer does not depend on the other prompts. stops, embed: see `surroundings`.
    Returns one `Found` a prompt: `text`, and what it cost. Raises ValueError for a prompt without tokens and for scores
    outside [-1, 1].

    Li et al. 2023, arXiv 2309.07124, algorithm 1.
    """
    settings = settings or SearchSettings()
    streams = [np.random.default_rng(seed) for seed in rng.integers(2**63, size=len(prompts))]
    tasks = [Task(tuple(policy.encode(x)), settings, own) for x, own in zip(prompts, streams, strict=True)]

    def scores(items: list[tuple[int, str]]) -> Sequence[float]:
        asked = [(prompts[i], text) for i, text in items]
        return judge(asked) if batched else [judge(prompt, text) for prompt, text in asked]

    return tree_search(PrefixCache(policy), tasks, scores, **surroundings(policy, stops=stops, embed=embed))


def surroundings(
    policy: Policy, *, stops: Callable[[str], bool] | None = None, embed: Embed | None = None
) -> dict[str, Any]:
    """What `tree_search` needs of a policy besides its probabilities, as its arguments decode, embed, ends and stops.

    stops: text of a token -> whether a look-ahead may stop there; by default at the end of a clause, that is a token
    ending in one of . , ; : ! ? or a new line. embed: of token sets, for their similarity; by default the mean of the
    policy's input embeddings, scaled to length 1 (the authors have a sentence encoder). An answer ends at
    `policy.ends`.
    """
    stops = stops or ends_clause
    known = range(len(policy.tokenizer))
    return {
        "decode": policy.decode,
        "embed": embed or mean_embedding(policy),
        "ends": policy.ends,
        "stops": frozenset(token for token in known if stops(policy.decode([token]))),
    }


def ends_clause(text: str) -> bool:
    """Whether the text of a token ends a clause, blanks after it left aside."""
    return text.rstrip(" ").endswith(CLAUSE_ENDS)


def mean_embedding(policy: Policy) -> Embed:
    """Token sequences to (sequences, width): means of the input embeddings, of length 1; zero for an empty sequence."""
    weights = policy.model.get_input_embeddings().weight.detach().float().cpu().numpy()

    def embed(texts: Sequence[Sequence[int]]) -> np.ndarray:
        zero = np.zeros(weights.shape[1], weights.dtype)
        means = np.stack([weights[list(text)].mean(axis=0) if len(text) else zero for text in texts])
        norms = np.linalg.norm(means, axis=1, keepdims=True)
        return means / np.where(norms > 0, norms, 1)

    return embed
