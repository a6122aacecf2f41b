"""Next-token distributions of a language model by prefix, each prefix computed once and its keys and values kept."""

from collections.abc import Sequence

import numpy as np
import torch

from autodidact.models.policy import Policy
from autodidact.models.sampling import refuse_nan


class PrefixCache:
    """log pi(next token | prefix) for any prefixes, in batches.

    A tree search asks for many prefixes that share their beginnings. Keys and values of every token of every prefix lie
    in one pool; a new prefix whose parent (all but its last token) is known costs one token of computation, whatever
    its length, and a known one costs nothing.

    policy: any `Policy` over a causal language model with rotary or absolute positions. batch_size: prefixes in one
    forward pass. memory: bytes for distributions (the oldest go first; keys and values stay, so that one that is asked
    for again costs one token). `computed` counts the tokens that went through the model.
    """

    def __init__(self, policy: Policy, batch_size: int = 1024, memory: int = 2**30) -> None:
        if batch_size < 1 or memory < 1:
            raise ValueError(f"batch_size={batch_size} and memory={memory} must be at least 1")
        self.policy = policy
        self.batch_size, self.memory = batch_size, memory
        self.computed = 0
        self._rows: dict[tuple[int, ...], np.ndarray] = {}
        self._slots: dict[tuple[int, ...], np.ndarray] = {}  # prefix -> where in the pool its tokens lie
        self._pool: list[tuple[torch.Tensor, torch.Tensor]] = []  # a layer: keys, values (slots, heads, width)
        self._used = 0

    @torch.inference_mode()
    def logprobs(self, prefixes: Sequence[tuple[int, ...]]) -> np.ndarray:
        """Log-probabilities in nats, float32 of shape (prefixes, vocabulary); ValueError for an empty prefix."""
        if not all(prefixes):
            raise ValueError("prefixes holds an empty one: a distribution needs one token or more before it")
        self.policy.check_places(max(map(len, prefixes)), "the longest prefix")
        missing = [x for x in dict.fromkeys(prefixes) if x not in self._rows]
        fresh: dict[tuple[int, ...], np.ndarray] = {}
        for one_step in (False, True):  # whole prefixes first: they may be parents of the others
            group = [x for x in missing if x not in fresh and (x[:-1] in self._slots) == one_step]
            group.sort(key=len)
            for start in range(0, len(group), self.batch_size):
                batch = group[start : start + self.batch_size]
                values = self._step(batch) if one_step else self._read(batch)
                fresh.update(zip(batch, values, strict=True))
        result = np.stack([fresh[x] if x in fresh else self._rows[x] for x in prefixes])
        self._rows.update(fresh)
        while len(self._rows) * result[0].nbytes > self.memory:
            del self._rows[next(iter(self._rows))]
        return result

    def _read(self, batch: list[tuple[int, ...]]) -> np.ndarray:
        """Whole prefixes, right-padded: what lies before padding does not see it."""
        width, pad = max(map(len, batch)), self.policy.pad
        ids = torch.tensor([[*x, *[pad] * (width - len(x))] for x in batch], device=self.policy.device)
        mask = torch.tensor([[1] * len(x) + [0] * (width - len(x)) for x in batch], device=self.policy.device)
        out = self.policy.model(ids, attention_mask=mask, use_cache=True)
        self.computed += int(mask.sum())
        for row, x in enumerate(batch):
            slots = self._keep([(layer.keys[row, :, : len(x)], layer.values[row, :, : len(x)])
                                for layer in out.past_key_values.layers])  # fmt: skip
            for end in range(1, len(x) + 1):
                self._slots.setdefault(x[:end], slots[:end])
        last = out.logits[torch.arange(len(batch)), mask.sum(1) - 1]
        return refuse_nan(torch.log_softmax(last.float(), dim=-1), self.policy).cpu().numpy()

    def _step(self, batch: list[tuple[int, ...]]) -> np.ndarray:
        """One token after each parent, whose keys and values are gathered from the pool, left-padded."""
        from transformers import DynamicCache

        device = self.policy.device
        parents = [self._slots[x[:-1]] for x in batch]
        width = max(map(len, parents))
        index = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros((len(batch), width + 1), dtype=np.int64)
        for row, slots in enumerate(parents):
            index[row, width - len(slots) :] = slots
            mask[row, width - len(slots) :] = 1
        at = torch.from_numpy(index).to(device)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self._pool):
            cache.update(keys[at].transpose(1, 2), values[at].transpose(1, 2), layer)
        out = self.policy.model(
            torch.tensor([[x[-1]] for x in batch], device=device),
            attention_mask=torch.from_numpy(mask).to(device),
            position_ids=torch.tensor([[len(x) - 1] for x in batch], device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self.computed += len(batch)
        new = [(layer.keys[:, :, -1].transpose(0, 1), layer.values[:, :, -1].transpose(0, 1)) for layer in cache.layers]
        for x, slots, slot in zip(batch, parents, self._keep(new), strict=True):
            self._slots[x] = np.append(slots, slot)
        return refuse_nan(torch.log_softmax(out.logits[:, -1].float(), dim=-1), self.policy).cpu().numpy()

    def _keep(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> np.ndarray:
        """Put tokens into the pool, of each layer keys and values (heads, tokens, width); returns their slots."""
        tokens = layers[0][0].shape[1]
        start, self._used = self._used, self._used + tokens
        capacity = len(self._pool[0][0]) if self._pool else 0
        if self._used > capacity:
            more = max(self._used, 2 * capacity, 1024) - capacity
            grown = []
            for i, pair in enumerate(layers):
                old = self._pool[i] if self._pool else [x.new_empty(0, x.shape[0], x.shape[2]) for x in pair]
                grown.append(tuple(torch.cat([x, x.new_empty(more, *x.shape[1:])]) for x in old))
            self._pool = grown
        for (keys, values), (k, v) in zip(self._pool, layers, strict=True):
            keys[start : self._used] = k.transpose(0, 1)
            values[start : self._used] = v.transpose(0, 1)
        return np.arange(start, self._used)
