"""Token sets that a tree search proposes, and their priors."""

from collections.abc import Generator, Sequence

import numpy as np

Proposal = list[tuple[tuple[int, ...], float]]  # token sets and their weights, not normalised
Asking = Generator[list[tuple[int, ...]], np.ndarray, Proposal]  # yields prefixes, is sent their log-probabilities


def most_likely(logprobs: np.ndarray, k: int, temperature: float = 1.0) -> Proposal:
    """The `k` likeliest tokens, likeliest first (of equals the lower id), with their probabilities among all tokens.

    logprobs: (vocabulary,), nats.
    """
    scaled = logprobs.astype(float) / temperature
    order = np.argsort(-scaled, kind="stable")[:k]
    p = np.exp(scaled - scaled.max())
    return [((int(i),), float(p[i] / p.sum())) for i in order if p[i] > 0]


def clamp_greedy(greedy: float, others: Sequence[float]) -> float:
    """The greedy set's weight: at most the sum of the others', then at least the largest plus the smallest of them.

    Unchanged without others. The bound below wins: with a single other the greedy set gets twice its weight.
    """
    if not others:
        return greedy
    return max(min(greedy, sum(others)), max(others) + min(others))


def normalised(weights: Sequence[float], uniform: float = 0.0) -> list[float]:
    """Priors of sum 1: (1 - uniform) w / sum(w) + uniform / k; equal ones if all weights are 0."""
    w = np.asarray(weights, float)
    w = w / w.sum() if w.sum() > 0 else np.full(len(w), 1 / len(w))
    return ((1 - uniform) * w + uniform / len(w)).tolist()


def sampled_sets(
    prefix: tuple[int, ...],
    length: int,
    samples: int,
    tries: int,
    rng: np.random.Generator,
    *,
    top_k: int = 15,
    temperature: float = 1.0,
    ends: frozenset[int] = frozenset(),
) -> Asking:
    """A greedy token set and up to `samples` different sampled ones, from at most `tries` draws.

    A generator: it yields lists of prefixes and must be sent their next-token log-probabilities, (prefixes,
    vocabulary). Tokens come from the `top_k` likeliest at `temperature`; a set's weight is the product of its
    probabilities renormalised over these; the greedy one's is clamped (`clamp_greedy`). A set stops at an end token
    (the authors' code goes on past it). Returns the sets, the greedy one first.
    """
    greedy, drawn = ((), 1.0), []
    left = tries
    first = True
    while first or (left and len(drawn) < samples):
        wave = min(left, samples - len(drawn))
        rows = yield from _extend(prefix, length, wave, first, rng, top_k, temperature, ends)
        if first:
            greedy, rows, first = rows[0], rows[1:], False
        left -= wave
        for tokens, weight in rows:
            if tokens != greedy[0] and all(tokens != known for known, _ in drawn):
                drawn.append((tokens, weight))
    return [(greedy[0], clamp_greedy(greedy[1], [weight for _, weight in drawn])), *drawn]


def _extend(
    prefix: tuple[int, ...],
    length: int,
    wave: int,
    greedy: bool,
    rng: np.random.Generator,
    top_k: int,
    temperature: float,
    ends: frozenset[int],
) -> Asking:
    """`wave` sampled continuations side by side, a greedy one before them if asked for."""
    texts = [prefix] * (wave + greedy)
    weights = np.zeros(len(texts))
    alive = list(range(len(texts)))
    for _ in range(length):
        if not alive:
            break
        rows = yield [texts[i] for i in alive]
        tokens, logs = _draw(rows, rng.random(len(alive)), top_k, temperature, greedy and alive[0] == 0)
        weights[alive] += logs
        for i, token in zip(alive, tokens, strict=True):
            texts[i] = (*texts[i], int(token))
        alive = [i for i in alive if texts[i][-1] not in ends]
    return [(text[len(prefix) :], float(np.exp(w))) for text, w in zip(texts, weights, strict=True)]


def _draw(
    rows: np.ndarray, uniform: np.ndarray, top_k: int, temperature: float, greedy: bool
) -> tuple[np.ndarray, np.ndarray]:
    """One token a row among the `top_k` likeliest (the first row's likeliest if `greedy`), and its log-probability."""
    k = min(top_k, rows.shape[1])
    top = np.sort(np.argpartition(-rows, k - 1, axis=1)[:, :k], axis=1)  # by id, so that a draw is well defined
    logs = np.take_along_axis(rows, top, axis=1).astype(float) / temperature
    logs -= logs.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    at = (np.exp(logs).cumsum(axis=1) <= uniform[:, None]).sum(axis=1).clip(max=k - 1)
    if greedy:
        at[0] = logs[0].argmax()
    each = np.arange(len(rows))
    return top[each, at], logs[each, at]


def draw_token(logprobs: np.ndarray, uniform: float) -> int:
    """One token from the whole distribution by inversion; logprobs (vocabulary,), uniform in [0, 1)."""
    cumulative = np.exp(logprobs.astype(float)).cumsum()
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right").clip(max=len(cumulative) - 1))
