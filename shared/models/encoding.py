"""Texts to token ids and back, the same for sampling, scoring and training."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from autodidact.models.response import Response, vocabulary_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROBE = "a"  # a text that every tokenizer reads, to see what it puts before and after one


class Encoding:
    """The half of a policy that knows its tokenizer; `model` is asked which tokens end a response and how far it sees.

    Wherever ids of a text are asked for, ValueError is raised for a prompt without tokens, and for a response that
    must be ended where the tokenizer has no end token.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"

    @cached_property
    def ends(self) -> frozenset[int]:
        """Token ids that end a response: those of the generation config and the tokenizer's own, if there are any."""
        listed = self.model.generation_config.eos_token_id
        listed = listed if isinstance(listed, list) else [listed]
        return frozenset({*listed, self.tokenizer.eos_token_id} - {None})

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
        if self.tokenizer.eos_token_id is not None:
            return self.tokenizer.eos_token_id
        if not self.ends:
            raise ValueError(f"the tokenizer of {self!r} has no end token to close a response; set its eos_token")
        return min(self.ends)

    @property
    def pad(self) -> int:
        """What fills rows up where nobody looks: the tokenizer's padding, else an end token, else token 0."""
        pad = self.tokenizer.pad_token_id
        return min(self.ends, default=0) if pad is None else pad

    @cached_property
    def places(self) -> int | None:
        """How many tokens the model has learned positions for; None where positions are computed, as rotary ones."""
        names = [name for name, _ in self.model.named_modules()]
        learned = any(name.endswith(("wpe", "embed_positions", "position_embeddings")) for name in names)
        return getattr(self.model.config, "max_position_embeddings", None) if learned else None

    def check_places(self, tokens: int, what: str) -> None:
        """Raise ValueError if a sequence of so many tokens, called `what`, is longer than the model's positions."""
        if self.places is not None and tokens > self.places:
            raise ValueError(f"{what} is {tokens} tokens long; {self!r} has learned {self.places} positions")

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt, ready for the response to follow."""
        return self.encode_prompts([prompt])[prompt]

    def encode_prompts(self, prompts: Iterable[str]) -> dict[str, list[int]]:
        """Prompt -> token ids, each different prompt encoded once, all in one call where there is no chat template."""
        unique = list(dict.fromkeys(prompts))
        return dict(zip(unique, refuse_empty(unique, self._read(unique)), strict=True))

    def _read(self, prompts: list[str]) -> list[list[int]]:
        """Token ids of prompts; what a tokenizer puts after a text, such as an end token, is left out."""
        if self.tokenizer.chat_template:
            return [self._in_template(prompt) for prompt in prompts]
        tail = self._after
        rows = self.tokenizer(prompts)["input_ids"] if prompts else []
        return [row[: len(row) - tail] for row in rows] if tail else rows

    def _in_template(self, prompt: str) -> list[int]:
        turns = [{"role": "user", "content": prompt}]
        encoded = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)
        return list(encoded["input_ids"])

    @cached_property
    def _after(self) -> int:
        """How many tokens of its own the tokenizer puts after a text."""
        whole, bare = self.tokenizer(PROBE)["input_ids"], self.tokenizer(PROBE, add_special_tokens=False)["input_ids"]
        after = range(len(whole) - len(bare) + 1 if bare else 0)
        return next((n for n in after if whole[: len(whole) - n][-len(bare) :] == bare), 0)

    def encode_response(self, response: str) -> list[int]:
        """Token ids of a response: as they were sampled, else those of the text and the end token.

        A `Response` that was cut at its limit has no end token.
        """
        return self.encode_responses([response])[0]

    def encode_responses(self, responses: Iterable[str]) -> list[list[int]]:
        """`encode_response` of each, in order; each different text is read once."""
        responses = list(responses)
        texts = dict.fromkeys(str(y) for y in responses if not self._sampled_here(y))
        rows = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
        read = dict(zip(texts, rows, strict=True))
        return [self._response(y, read) for y in responses]

    def _response(self, response: str, read: dict[str, list[int]]) -> list[int]:
        if self._sampled_here(response):
            return list(response.ids)
        ended = not isinstance(response, Response) or response.ended
        return [*read[response], self.end] if ended else list(read[response])

    def _sampled_here(self, response: str) -> bool:
        """Whether a response comes with ids of this tokenizer."""
        return isinstance(response, Response) and response.vocabulary == vocabulary_of(self.tokenizer)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of response token ids; a stray special token shows as text, so that scorers see it too."""
        return self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def decode_all(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """`decode` of many, in one call where the tokenizer has one."""
        if self.tokenizer.is_fast:  # transformers' own loop over them takes ten times as long
            return self.tokenizer.backend_tokenizer.decode_batch(list(map(list, rows)), skip_special_tokens=False)
        return [self.decode(ids) for ids in rows]


def refuse_empty(prompts: Sequence[str], rows: list[list[int]]) -> list[list[int]]:
    """The token ids of prompts as they are; ValueError, naming the prompt, if one has none."""
    for prompt, ids in zip(prompts, rows, strict=True):
        if not ids:
            raise ValueError(f"prompt {prompt!r} has no tokens, so there is nothing to go on from")
    return rows
