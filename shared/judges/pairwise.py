"""A language model as a pairwise judge: asked for one letter, in both orders (arXiv 2506.02592, section 3)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodidact.checks import finite
from autodidact.models.sampling import refuse_nan

if TYPE_CHECKING:
    import torch

    from autodidact.models.policy import Policy

Template = Callable[[object, str, str], str]


def option_masses(
    policy: "Policy",
    texts: Sequence[str],
    options: tuple[Sequence[str], Sequence[str]] = (("A",), ("B",)),
    batch_size: int = 128,
    *,
    shared_beginning: bool = False,
) -> np.ndarray:
    """Probability of each option's tokens as the first token after each text, (texts, 2): softmax over all tokens.

    options: the spellings of either option, whose masses add up; give (("A", " A"), ("B", " B")) where a tokenizer
    writes a letter with and without a blank. shared_beginning: the tokens with which all texts begin (instructions,
    worked examples) are read once, not with each text. Raises ValueError for a spelling that is not one token.
    """
    import torch

    ids = [sorted({_token(policy, spelling) for spelling in spellings}) for spellings in options]
    heads = [policy.encode(text) for text in texts]
    policy.check_places(max(map(len, heads), default=0), "the longest text")
    order = sorted(range(len(heads)), key=lambda i: len(heads[i]))
    masses = np.empty((len(heads), 2))
    training, _ = policy.model.training, policy.model.eval()
    with torch.inference_mode():
        begun = heads[order[0]][: _shared(heads)] if shared_beginning and heads else []
        past = (
            policy.model(torch.tensor([begun], device=policy.device), use_cache=True).past_key_values if begun else None
        )
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            logits = _last_logits(policy, [heads[i][len(begun) :] for i in batch], len(begun), past)
            p = refuse_nan(torch.softmax(logits.float(), dim=-1), policy).cpu().double().numpy()
            masses[batch] = np.stack([p[:, tokens].sum(axis=1) for tokens in ids], axis=1)
    policy.model.train(training)
    return masses


def _shared(heads: Sequence[Sequence[int]]) -> int:
    """How many tokens all begin with; one token at least is left of each."""
    most = min(map(len, heads)) - 1
    return next((k for k in range(most) if any(head[k] != heads[0][k] for head in heads)), max(most, 0))


def _last_logits(policy: "Policy", tails: list[Sequence[int]], begun: int, past: object) -> "torch.Tensor":
    """Logits after each tail (tails, vocabulary), behind the `begun` tokens whose keys and values `past` holds."""
    import torch
    from transformers import DynamicCache

    width, device = max(map(len, tails)), policy.device
    rows = torch.full((len(tails), width), policy.pad)
    mask = torch.zeros(len(tails), begun + width, dtype=torch.long)
    mask[:, :begun] = 1
    for row, tail in enumerate(tails):  # padded on the left: every row's next token is at the end
        rows[row, width - len(tail) :] = torch.tensor(tail)
        mask[row, begun + width - len(tail) :] = 1
    position = mask.cumsum(1).sub(1).clamp(min=0)[:, begun:].to(device)
    cache = {"use_cache": False}
    if past is not None:
        cache = {"use_cache": True, "past_key_values": DynamicCache()}
        for index, layer in enumerate(past.layers):
            both = (x.expand(len(tails), -1, -1, -1) for x in (layer.keys, layer.values))
            cache["past_key_values"].update(*both, index)
    out = policy.model(
        rows.to(device), attention_mask=mask.to(device), position_ids=position, logits_to_keep=1, **cache
    )
    return out.logits[:, -1]


def both_orders(
    policy: "Policy", template: Template, items: Sequence[tuple[object, str, str]], **options: object
) -> np.ndarray:
    """P(first response is better) of items (prompt, first, second) in each order, (items, 2).

    Column 0 shows the first response as A, column 1 as B. In each order the masses of the two letters are normalised to
    sum to one; a pair on which both are zero gets 0.5. `options` go to `option_masses`.
    """
    forward = [template(x, a, b) for x, a, b in items]
    backward = [template(x, b, a) for x, a, b in items]
    masses = option_masses(policy, forward + backward, **options).reshape(2, len(items), 2)
    total = masses.sum(axis=2)
    share = np.where(total > 0, masses[..., 0] / np.where(total > 0, total, 1), 0.5)
    return np.stack([share[0], 1 - share[1]], axis=1)


def hard_labels(probabilities: np.ndarray) -> np.ndarray:
    """Outcome (pairs,) of P(own) averaged over the orders (pairs, orders): above 0.5 a win, below a loss, 0.5 a tie."""
    p = _probabilities(probabilities).mean(axis=1)
    return (np.sign(np.round(p - 0.5, 12)) + 1) / 2


def flipped_share(probabilities: np.ndarray) -> float:
    """Share of pairs whose label in one order is not that in the other: what the slot decides, not the response."""
    p = _probabilities(probabilities)
    return float((np.sign(p[:, 0] - 0.5) != np.sign(p[:, 1] - 0.5)).mean())


def closed_labels(first: Sequence[str], second: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Votes and outcomes of a judge that only writes a letter: `first` in order (own, other), `second` swapped.

    Returns votes (pairs, 2), 1 for the own response, 0 for the other, NaN for anything but A and B (invalid), and
    outcomes (pairs,): the two orders' common label, the valid one's where the other is invalid, and 0.5 where they
    disagree or neither is valid. The authors' files suggest the tie on disagreement; their script for it is not public.
    Raises ValueError if the two differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"first has {len(first)} letters and second {len(second)}; they must be as many")
    own = {"A": 1.0, "B": 0.0}
    votes = np.array(
        [[own.get(a.strip(), np.nan), 1 - own.get(b.strip(), np.nan)] for a, b in zip(first, second, strict=True)]
    )
    votes = votes.reshape(-1, 2)
    balance = np.where(np.isnan(votes), 0.0, 2 * votes - 1).sum(axis=1)
    return votes, (np.sign(balance) + 1) / 2


def likelihood_outcomes(policy: "Policy", items: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """Outcomes (items,) of (prompt, first, second) by the policy's mean log-probability a token: the higher wins."""
    texts = [x for x, _, _ in items]
    sides = [policy.logprobs(texts, [item[k] for item in items]) for k in (1, 2)]
    means = [finite("mean log pi", [float(row.double().mean()) for row in side]) for side in sides]
    return (np.sign(means[0] - means[1]) + 1) / 2


def _token(policy: "Policy", spelling: str) -> int:
    ids = policy.tokenizer(spelling, add_special_tokens=False)["input_ids"]
    if len(ids) != 1:
        raise ValueError(f"option {spelling!r} is {len(ids)} tokens of this tokenizer, must be 1")
    return ids[0]


def _probabilities(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.size or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"probabilities has shape {values.shape}; it must be (pairs, orders), not empty, in [0, 1]")
    return values
