"""A policy that goes on from the beginning of an answer, and whose texts need not end the answer.

`Policy` writes an end token after every response, which is right for a whole answer. A step is no whole answer: trained
with an end token, a policy learns to stop after one step.
"""

from collections.abc import Hashable, Sequence

from autodidact.models.policy import Policy

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

    def encode(self, prompt: str) -> list[int]:
        """Token ids of question and beginning, cut from the left."""
        question, _, answer = prompt.partition(MARK)
        ids = super().encode(question)
        if answer:
            ids = [*ids, *self.tokenizer(answer, add_special_tokens=False)["input_ids"]]
        return ids[-self.max_prompt_length :] if self.max_prompt_length else ids

    def encode_prompts(self, prompts: Sequence[str]) -> dict[str, list[int]]:
        """Prompt -> token ids, each different prompt encoded once."""
        return {prompt: self.encode(prompt) for prompt in dict.fromkeys(prompts)}

    def encode_response(self, response: str) -> list[int]:
        """Token ids of a response, with the end token if responses end answers."""
        ids = super().encode_response(response)
        return ids if self.ends_answers else ids[:-1]

    def encode_responses(self, responses: Sequence[str]) -> dict[str, list[int]]:
        """Response -> token ids, each different response encoded once."""
        rows = super().encode_responses(responses)
        return rows if self.ends_answers else {response: ids[:-1] for response, ids in rows.items()}

    def _state(self) -> Hashable | None:
        state = super()._state()
        return None if state is None else (state, self.ends_answers, self.max_prompt_length)

    def copy(self, *, share: bool = False) -> "BegunPolicy":
        """An independent copy that treats prompts and ends the same way; see `Policy.copy`."""
        policy = super().copy(share=share)
        return BegunPolicy(policy, end=self.ends_answers, max_prompt_length=self.max_prompt_length)
