"""A text that a policy wrote, with the tokens that it wrote it in."""

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Response(str):
    """A sampled text: a plain `str` that also knows the tokens it came in and whether an end token closed it.

    To read a text anew may give other tokens, and an end where the answer was cut at its limit. So scoring and training
    take the `ids` of a policy with the same `vocabulary` (`vocabulary_of`), and of another policy the text, with an end
    token only if it `ended`. What is made of a response by cutting or joining is a plain text again. It equals every
    text of the same characters; `tokens_key` tells them apart.

    ids: the end token included if it `ended`.
    """

    ids: tuple[int, ...]
    ended: bool
    vocabulary: str

    def __new__(cls, text: str, ids: tuple[int, ...], ended: bool, vocabulary: str) -> "Response":
        """A response; its parts are read and never changed."""
        made = super().__new__(cls, text)
        made.ids, made.ended, made.vocabulary = tuple(ids), ended, vocabulary
        return made

    def __getnewargs__(self) -> tuple[str, tuple[int, ...], bool, str]:
        return str(self), self.ids, self.ended, self.vocabulary


def tokens_key(text: str) -> str | tuple[str, tuple[int, ...], bool]:
    """What tells texts apart where their tokens count: a plain text is itself, a response its text, ids and end."""
    return (str(text), text.ids, text.ended) if isinstance(text, Response) else text


def is_whole(text: str) -> bool:
    """Whether a text is a whole answer: not a response that was cut at its token limit. Plain texts are."""
    return not isinstance(text, Response) or text.ended


@lru_cache(maxsize=64)
def vocabulary_of(tokenizer: "PreTrainedTokenizerBase") -> str:
    """A digest of which token has which id: what two tokenizers must share for ids of one to be ids of the other."""
    return hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode()).hexdigest()[:16]
