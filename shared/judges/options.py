"""A model as its own judge: the letter of an option, in both orders of the options."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from shared.models.policy import Policy


class OptionJudge:
    """Judges a text by the next-token probabilities of two option letters (RAIN, arXiv 2309.07124, self-evaluation).

    question: (prompt, text, order) -> what the policy is asked; in order 0 the first letter says yes (good, harmless),
    in order 1 the second. A verdict is yes if the letter that says so is strictly likelier than the other: a tie counts
    against the text in both orders, as in the authors' code. batch_size: questions in one forward pass.
    `passes` counts the questions answered.
    """

    def __init__(
        self,
        policy: "Policy",
        question: Callable[[Any, str, int], str],
        letters: tuple[str, str] = ("A", "B"),
        batch_size: int = 256,
    ) -> None:
        self.policy, self.question, self.batch_size = policy, question, batch_size
        self.letters = [policy.tokenizer(letter, add_special_tokens=False)["input_ids"][0] for letter in letters]
        if self.letters[0] == self.letters[1]:
            raise ValueError(f"letters={letters} begin with the same token; use letters that differ in it")
        self.passes = 0

    def verdicts(self, items: Sequence[tuple[Any, str]]) -> np.ndarray:
        """Whether each (prompt, text) is called good, in order 0 and in order 1: bool of shape (items, 2)."""
        asked = [self.question(prompt, text, order) for prompt, text in items for order in (0, 1)]
        gaps = self._gaps(asked).reshape(len(items), 2)
        return np.stack([gaps[:, 0] > 0, gaps[:, 1] < 0], axis=1)

    def score(self, items: Sequence[tuple[Any, str]]) -> np.ndarray:
        """Mean of both orders of +1 (good) and -1: -1, 0 or 1, of shape (items,)."""
        return self.verdicts(items).sum(axis=1) - 1.0

    @torch.inference_mode()
    def _gaps(self, asked: list[str]) -> np.ndarray:
        """log p(first letter) - log p(second letter) for every question."""
        encoded = self.policy.encode_prompts(asked)
        rows = [encoded[text] for text in asked]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        result = np.zeros(len(rows))
        for start in range(0, len(rows), self.batch_size):
            batch = order[start : start + self.batch_size]
            width = max(len(rows[i]) for i in batch)
            pad, device = self.policy.tokenizer.pad_token_id, self.policy.device
            ids = torch.tensor([[*rows[i], *[pad] * (width - len(rows[i]))] for i in batch], device=device)
            mask = torch.tensor([[1] * len(rows[i]) + [0] * (width - len(rows[i])) for i in batch], device=device)
            first = min(len(rows[i]) for i in batch) - 1
            logits = self.policy.model(ids, attention_mask=mask, use_cache=False, logits_to_keep=width - first).logits
            last = logits[torch.arange(len(batch)), mask.sum(1) - 1 - first][:, self.letters].float()
            result[batch] = (last[:, 0] - last[:, 1]).cpu().numpy()
            self.passes += len(batch)
        return result
