"""Texts to token ids and back, the same for sampling, scoring and training."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Encoding:
    """The half of a policy that knows its tokenizer; `model` is asked for nothing but which tokens end a response."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"

    @cached_property
    def ends(self) -> frozenset[int]:
        """Token ids that end a response: those of the generation config and the tokenizer's own."""
        listed = self.model.generation_config.eos_token_id
        listed = [] if listed is None else listed if isinstance(listed, list) else [listed]
        return frozenset(listed) | {self.tokenizer.eos_token_id}

    @cached_property
    def end(self) -> int:
        """The token that ends a response in training: what the chat template writes after it, else the tokenizer's."""
        if self.tokenizer.chat_template:
            marker = "response"
            turns = [{"role": "user", "content": "prompt"}, {"role": "assistant", "content": marker}]
            text = self.tokenizer.apply_chat_template(turns, tokenize=False)
            tail = self.tokenizer(text.rpartition(marker)[2], add_special_tokens=False)["input_ids"]
            if tail and tail[0] in self.ends:
                return tail[0]
        return self.tokenizer.eos_token_id

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt, ready for the response to follow."""
        if self.tokenizer.chat_template:
            turns = [{"role": "user", "content": prompt}]
            encoded = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)
            return list(encoded["input_ids"])
        return self.tokenizer(prompt)["input_ids"]

    def encode_prompts(self, prompts: Iterable[str]) -> dict[str, list[int]]:
        """Prompt -> token ids, each different prompt encoded once, all in one call where there is no chat template."""
        unique = list(dict.fromkeys(prompts))
        if self.tokenizer.chat_template or not unique:
            return {prompt: self.encode(prompt) for prompt in unique}
        return dict(zip(unique, self.tokenizer(unique)["input_ids"], strict=True))

    def encode_response(self, response: str) -> list[int]:
        """Token ids of a response, the end token included."""
        return [*self.tokenizer(response, add_special_tokens=False)["input_ids"], self.end]

    def encode_responses(self, responses: Iterable[str]) -> dict[str, list[int]]:
        """Response -> token ids with the end token, each different response encoded once."""
        unique = list(dict.fromkeys(responses))
        rows = self.tokenizer(unique, add_special_tokens=False)["input_ids"] if unique else []
        return {response: [*ids, self.end] for response, ids in zip(unique, rows, strict=True)}

    def decode(self, ids: Sequence[int]) -> str:
        """The text of response token ids; a stray special token shows as text, so that scorers see it too."""
        return self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def decode_all(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """`decode` of many, in one call where the tokenizer has one."""
        if self.tokenizer.is_fast:  # transformers' own loop over them takes ten times as long
            return self.tokenizer.backend_tokenizer.decode_batch(list(map(list, rows)), skip_special_tokens=False)
        return [self.decode(ids) for ids in rows]
