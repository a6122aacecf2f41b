"""A memo of log-probabilities by prompt and response, which forgets everything once the weights are others."""

from typing import Any

import numpy as np
import torch

Prompt = str | tuple[str | bytes | None, ...]  # what tells a prompt from others
Response = str | tuple[str, tuple[int, ...], bool]  # what tells a response from others: its text, or its tokens too
Key = tuple[Prompt, Response]
BYTES = 2**26
_OVERHEAD = 400  # bytes of an entry besides its texts and numbers: the dictionary's, the key's, the array's


class Memo:
    """(prompt, response) -> log-probabilities of its tokens, of at most `limit` bytes; the oldest go first."""

    def __init__(self, limit: int = BYTES) -> None:
        self.limit = limit
        self._state: Any = None
        self._rows: dict[Key, np.ndarray] = {}
        self._used = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __deepcopy__(self, memo: dict) -> "Memo":
        return Memo(self.limit)  # a copy's weights go their own way

    def of(self, state: Any) -> "Memo":
        """This memo, empty if `state` is not the one that it was last asked with; None empties it always."""
        if state is None or state != self._state:
            self._rows, self._used = {}, 0
        self._state = state
        return self

    def get(self, key: Key) -> torch.Tensor | None:
        """What was put there, not to be written to; None if there is nothing."""
        row = self._rows.get(key)
        return None if row is None else torch.from_numpy(row)

    def put(self, key: Key, row: torch.Tensor) -> None:
        """Keep a copy of `row` (tokens,), float32 on the CPU."""
        self._used += _size(key, row.numel())
        self._rows[key] = row.numpy().copy()
        while self._used > self.limit:
            oldest = next(iter(self._rows))
            self._used -= _size(oldest, len(self._rows.pop(oldest)))


def _size(key: Key, tokens: int) -> int:
    """Bytes of an entry, its texts counted as its own although entries may share them."""
    prompt, response = key
    texts = [prompt] if isinstance(prompt, str) else [part for part in prompt if part is not None]
    said = len(response) if isinstance(response, str) else len(response[0]) + 8 * len(response[1])
    return _OVERHEAD + sum(map(len, texts)) + said + 4 * tokens


@torch.no_grad()
def weights_state(model: torch.nn.Module) -> tuple | None:
    """What is another after any change of a model's weights; None where that cannot be told.

    Identities, types and places of all parameters and buffers, their version counters, and the sum of their bits taken
    as integers: the counters do not see what is written through `.data` or by fused optimisers. None in training
    mode, and for a model with adapters, which can be switched without a weight being touched.
    """
    if model.training or hasattr(model, "peft_config"):
        return None
    tensors = [*model.parameters(), *model.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        return None
    places = tuple((id(t), t.data_ptr(), t.dtype, str(t.device), _version(t)) for t in tensors)
    return (*places, getattr(model.config, "_attn_implementation", None), _bits(tensors))


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version  # an inference tensor counts nothing


def _bits(tensors: list[torch.Tensor]) -> tuple[int, ...]:
    """The sum of each tensor's bits as integers, in one transfer a device."""
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    sums = [t.detach().contiguous().view(-1).view(integers[t.element_size()]).sum(dtype=torch.int64) for t in tensors]
    return tuple(torch.stack([total.to(sums[0].device) for total in sums]).tolist()) if sums else ()
