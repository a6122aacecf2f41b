"""What a pairwise judge looks at: attention from the place of its answer to the tokens of either response."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from autodidact.checks import finite
from autodidact.judges.pairwise import Template

if TYPE_CHECKING:
    from autodidact.models.policy import Policy

_MARK = "\x1e"  # finds where a response begins in the judge's prompt; no text of ours holds it


def response_attention(
    policy: "Policy", template: Template, items: Sequence[tuple[object, str, str]]
) -> tuple[np.ndarray, np.ndarray]:
    """Attention from the last position to a token of the first and of the second response of (prompt, first, second).

    Mean over the tokens of the response, over layers and heads, and over both orders of the options, (items,) each: a
    share of the attention, of which a position pays 1 in all. 0 for a response without tokens.
    Source: arXiv 2506.02592, whose details of the averaging we could not check.
    """
    rows = []
    with _visible(policy):
        for x, first, second in items:
            one = _shown(policy, template, x, first, second)
            two = _shown(policy, template, x, second, first)
            rows.append([(one[0] + two[1]) / 2, (one[1] + two[0]) / 2])
    first, second = finite("attention", rows).reshape(-1, 2).T
    return first, second


def _shown(policy: "Policy", template: Template, x: object, a: str, b: str) -> tuple[float, float]:
    """Attention to a token of A and of B, in this order."""
    import torch

    text = template(x, a, b)
    starts = template(x, _MARK + a, b).index(_MARK), template(x, a, _MARK + b).index(_MARK)
    ids, offsets = _tokens(policy, text)
    with torch.inference_mode():
        out = policy.model(torch.tensor([ids], device=policy.device), output_attentions=True, use_cache=False)
    paid = torch.stack([layer[0, :, -1].float().mean(0) for layer in out.attentions]).mean(0).cpu().double().numpy()
    spans = ((start, start + len(y)) for start, y in zip(starts, (a, b), strict=True))
    inside = [(offsets >= start) & (offsets < end) for start, end in spans]
    return tuple(float(paid[tokens].mean()) if tokens.any() else 0.0 for tokens in inside)


def _tokens(policy: "Policy", text: str) -> tuple[list[int], np.ndarray]:
    """Token ids as `Policy.encode` gives them, and the place in `text` where each begins (negative before it)."""
    tokenizer, shown = policy.tokenizer, text
    if tokenizer.chat_template:
        turns = [{"role": "user", "content": text}]
        shown = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    encoded = tokenizer(shown, add_special_tokens=not tokenizer.chat_template, return_offsets_mapping=True)
    ids = policy.encode(text)  # shorter where the tokenizer closes a text with tokens of its own
    if encoded["input_ids"][: len(ids)] != ids:
        raise ValueError(f"{policy!r} has no text whose tokens are those of its prompts, so no place in it is known")
    places = [start if end > start else -1 for start, end in encoded["offset_mapping"]]  # an added token is nowhere
    return ids, np.array(places[: len(ids)]) - _place(text, shown)


def _place(text: str, shown: str) -> int:
    """Where a text begins in what is shown of it; before that if a template trims the blanks that it begins with."""
    bare = text.strip()
    if bare not in shown:
        raise ValueError(f"the chat template alters the text {text[:40]!r}, so no place in it is known")
    return shown.index(bare) - text.index(bare)


@contextmanager
def _visible(policy: "Policy") -> Iterator[None]:
    """Fused attention kernels do not tell their weights: use the plain one meanwhile, outside training."""
    kind, training = policy.model.config._attn_implementation, policy.model.training
    policy.model.eval().set_attn_implementation("eager")
    try:
        yield
    finally:
        policy.model.train(training).set_attn_implementation(kind)
