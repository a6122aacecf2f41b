"""A model and its tokenizer in one object, with the same two verbs at every scale: generate and score."""

import copy
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from autodidact.models.encoding import Encoding
from autodidact.models.memo import Memo, weights_state
from autodidact.models.response import tokens_key
from autodidact.models.sampling import Sample, sample
from autodidact.models.scoring import token_logprobs

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Policy(Encoding):
    """A causal language model that answers prompts.

    Prompts and responses are plain strings; `encode` puts a prompt into the form that the model expects (its chat
    template where the tokenizer has one) and `encode_response` ends a response with the token that ends a turn. A
    sampled `Response` keeps its own tokens, so that what is sampled, scored and trained is token for token the same.
    """

    def __init__(self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", name: str = "") -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.memo = Memo()

    def __repr__(self) -> str:
        return f"Policy({self.name or type(self.model).__name__}, {self.model.num_parameters():,} parameters)"

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        return self.model.device

    def generate(
        self,
        prompts: Sequence[str],
        n: int = 1,
        *,
        rng: np.random.Generator,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_new_tokens: int = 16,
        batch_size: int = 512,
        unended: str = "open",
    ) -> list[list[Sample]]:
        """`n` responses for every prompt: `autodidact.samplers.sample` on this policy."""
        return sample(
            self,
            prompts,
            n,
            rng=rng,
            temperature=temperature,
            top_p=top_p,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            unended=unended,
        )

    def logprobs(
        self, prompts: Sequence[str], responses: Sequence[str], batch_tokens: int | None = None
    ) -> list[torch.Tensor]:
        """log pi(token | prompt, tokens before) for every token of each response, the end token included.

        A sampled response is scored in the tokens it came in, without an end token where it was cut at its limit.
        Returns one float32 tensor a response, of shape (tokens,), in nats. What was asked before of the same weights is
        remembered (`memo`) and not computed again. `batch_tokens` bounds prompt and response tokens of one forward
        pass (None: what is quick on the policy's device). Raises ValueError if the two lists differ in length.
        """
        if len(prompts) != len(responses):
            raise ValueError(f"prompts and responses must be as many: {len(prompts)} and {len(responses)} were given")
        keys = [(self.identity(x), tokens_key(y)) for x, y in zip(prompts, responses, strict=True)]
        state = self._state()
        memo = self.memo.of(state)
        known = {key: memo.get(key) for key in dict.fromkeys(keys)}
        missing = {key: (x, y) for key, x, y in zip(keys, prompts, responses, strict=True) if known[key] is None}
        heads = self.encode_prompts([x for x, _ in missing.values()])
        tails = self.encode_responses([y for _, y in missing.values()])
        asked = [(heads[x], tail) for (x, _), tail in zip(missing.values(), tails, strict=True)]
        fresh = token_logprobs(self, asked, batch_tokens)
        for key, row in zip(missing, fresh, strict=True):
            known[key] = row
            if state is not None:
                memo.put(key, row)
        return [known[key].clone() for key in keys]

    def identity(self, prompt: str) -> Hashable:
        """What tells a prompt from others: for a text, itself."""
        return prompt

    def _state(self) -> Hashable | None:
        """What a remembered log-probability depends on besides its texts; None: remember nothing."""
        weights = weights_state(self.model)
        return None if weights is None else (weights, id(self.tokenizer), self.tokenizer.chat_template)

    def sequence_logprobs(self, prompts: Sequence[str], responses: Sequence[str]) -> np.ndarray:
        """log pi(response | prompt) in nats a sequence, float64 of shape (responses,)."""
        return np.array([float(logps.double().sum()) for logps in self.logprobs(prompts, responses)])

    def copy(self, *, share: bool = False) -> "Policy":
        """An independent copy: training it leaves this one as it is.

        Weights that take no gradient (the base under adapters) are shared and not copied, as are all weights with
        `share`, for a copy that only gets adapters: a 7B policy and its descendants then fit one GPU.
        """
        shared = {  # parameters of its own over the same memory: freezing them in the copy freezes nothing here
            id(weight): torch.nn.Parameter(weight.data, requires_grad=weight.requires_grad)
            for weight in self.model.parameters()
            if share or not weight.requires_grad
        }
        model = copy.deepcopy(self.model, shared)
        vars(model).pop("forward", None)  # TRL's patched forward is bound to the model that was copied
        model.zero_grad(set_to_none=True)
        return Policy(model, self.tokenizer, self.name)
