"""A policy that goes on from the beginning of an answer, and whose texts need not end the answer.

`Policy` writes an end token after every response, which is right for a whole answer. A step is no whole answer: trained
with an end token, a policy learns to stop after one step.
"""

from collections.abc import Hashable

from autodidact.models.policy import Policy
from autodidact.models.response import is_whole

MARK = "\x1e"  # between a question and the beginning of its answer; no text of ours holds it


def begun(question: str, answer: str) -> str:
    """The prompt for a `BegunPolicy` of a question whose answer has begun; an empty `answer` is a plain prompt."""
    for name, text in (("question", question), ("answer", answer)):
        if MARK in text:
            raise ValueError(f"{name}={text[:40]!r} holds the character \\x1e, which separates the two")
    return f"{question}{MARK}{answer}" if answer else question


class BegunPolicy(Policy):
    """The same weights and tokenizer as `policy`, with prompts made by `begun` and a choice about the end.

    What has begun stands where the policy's own answer stands, after the chat template's head where there is one. end:
    whether responses are scored and trained with an end token: True for what ends an answer, False for a step.
    max_prompt_length: of a longer prompt the last tokens are kept (cut from the left, so that what is scored and what
    leads up to it survives); None keeps all.
    """

    def __init__(self, policy: Policy, *, end: bool, max_prompt_length: int | None = None) -> None:
        if max_prompt_length is not None and max_prompt_length < 1:
            raise ValueError(f"max_prompt_length={max_prompt_length} must be at least 1")
        super().__init__(policy.model, policy.tokenizer, policy.name)
        self.ends_answers = end
        self.max_prompt_length = max_prompt_length

    def _read(self, prompts: list[str]) -> list[list[int]]:
        """Token ids of question and beginning, cut from the left."""
        parts = [prompt.partition(MARK) for prompt in prompts]
        heads = super()._read([question for question, _, _ in parts])
        tails = (
            self.tokenizer(answer, add_special_tokens=False)["input_ids"] if answer else [] for *_, answer in parts
        )
        rows = ([*head, *tail] for head, tail in zip(heads, tails, strict=True))
        return [row[-self.max_prompt_length :] if self.max_prompt_length else row for row in rows]

    def _response(self, response: str, read: dict[str, list[int]]) -> list[int]:
        """Token ids of a response, its end token left out if responses do not end answers."""
        ids = super()._response(response, read)
        return ids[:-1] if not self.ends_answers and is_whole(response) else ids

    def _state(self) -> Hashable | None:
        state = super()._state()
        return None if state is None else (state, self.ends_answers, self.max_prompt_length)

    def copy(self, *, share: bool = False) -> "BegunPolicy":
        """An independent copy that treats prompts and ends the same way; see `Policy.copy`."""
        policy = super().copy(share=share)
        return BegunPolicy(policy, end=self.ends_answers, max_prompt_length=self.max_prompt_length)
