"""A model as its own judge: the letter of an option, in both orders of the options."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from autodidact.judges.pairwise import option_masses

if TYPE_CHECKING:
    from autodidact.models.policy import Policy

LEAST = 1e-45  # the least probability of single precision: what is 0 there counts as that


class OptionJudge:
    """Judges a text by the next-token probabilities of two option letters (RAIN, arXiv 2309.07124, self-evaluation).

    question: (prompt, text, order) -> what the policy is asked; in order 0 the first letter says yes (good, harmless),
    in order 1 the second. A verdict is yes if the letter that says so is strictly likelier than the other: a tie counts
    against the text in both orders, as in the authors' code. letters: one token each, and different (ValueError).
    batch_size: questions in one forward pass; what all questions of an order begin with is read once. chat: whether the
    question goes through the tokenizer's chat template, where it has one; a plain text can end in the middle of an
    answer, as behind worked examples. `passes` counts the questions answered.
    """

    def __init__(
        self,
        policy: "Policy",
        question: Callable[[Any, str, int], str],
        letters: tuple[str, str] = ("A", "B"),
        batch_size: int = 256,
        *,
        chat: bool = True,
    ) -> None:
        self.policy = policy if chat else _plain(policy)
        self.question, self.batch_size = question, batch_size
        if letters[0] == letters[1]:
            raise ValueError(f"letters={letters} are the same; an answer must say which of two options is meant")
        self.options = tuple((letter,) for letter in letters)
        self.passes = 0

    def odds(self, items: Sequence[tuple[Any, str]]) -> np.ndarray:
        """Log odds that each (prompt, text) is good, in order 0 and in order 1: nats of shape (items, 2)."""
        asked = [[self.question(prompt, text, order) for prompt, text in items] for order in (0, 1)]
        first, second = (
            option_masses(self.policy, texts, self.options, self.batch_size, shared_beginning=True) for texts in asked
        )
        self.passes += 2 * len(items)
        masses = np.stack([first, second[:, ::-1]], axis=1)  # (items, orders, good or not)
        return np.subtract(*np.log(np.maximum(masses, LEAST)).transpose(2, 0, 1))

    def verdicts(self, items: Sequence[tuple[Any, str]]) -> np.ndarray:
        """Whether each (prompt, text) is called good, in order 0 and in order 1: bool of shape (items, 2)."""
        return self.odds(items) > 0

    def score(self, items: Sequence[tuple[Any, str]]) -> np.ndarray:
        """Mean of both orders of +1 (good) and -1: -1, 0 or 1, of shape (items,)."""
        return self.verdicts(items).sum(axis=1) - 1.0


def _plain(policy: "Policy") -> "Policy":
    """The same model, asked without a chat template."""
    tokenizer = copy(policy.tokenizer)
    tokenizer.chat_template = None
    return type(policy)(policy.model, tokenizer, policy.name)
