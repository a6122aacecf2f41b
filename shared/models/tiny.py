"""The tiny model: a two-layer Llama over a world's vocabulary, its words the tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autodidact.checks import finite, whole
from autodidact.streams import stream, torch_seed

if TYPE_CHECKING:
    from autodidact.models.policy import Policy


class TextWorld(Protocol):
    """What a world must offer for a tiny model to be trained in it."""

    version: str
    vocabulary: tuple[str, ...]

    def corpus(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """(prompt, response) texts for supervised training."""


@dataclass(frozen=True)
class TinyBase:
    """Shape and training of a tiny base model: `steps` batches of demonstrations, learning rate falling to zero."""

    steps: int = 300
    batch_size: int = 64
    learning_rate: float = 4e-3
    hidden: int = 64
    layers: int = 2
    heads: int = 4
    initializer_range: float = 0.06  # at Llama's 0.02 so narrow a net takes twice the steps to find its demands

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "hidden", "layers", "heads"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        for name in ("learning_rate", "initializer_range"):
            object.__setattr__(self, name, float(finite(name, getattr(self, name))))


def base_fields(kind: type, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a base that a row of parameters sets: `base_steps`, `base_batch_size` and so on, by their names."""
    given = {field.name: parameters.get(f"base_{field.name}") for field in fields(kind)}
    return {name: value for name, value in given.items() if value is not None}


def base_of(parameters: Mapping[str, Any]) -> TinyBase:
    """The tiny base that a row of parameters asks for."""
    return TinyBase(**base_fields(TinyBase, parameters))


def tiny_tokenizer(vocabulary: tuple[str, ...]) -> "object":
    """A word-level tokenizer: words are separated by blanks, a prompt begins with <bos>."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<blank>"))
    core.pre_tokenizer = WhitespaceSplit()
    core.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", vocabulary.index("<bos>"))])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<blank>"
    )


def new_tiny(world: TextWorld, seed: int, base: TinyBase) -> "Policy":
    """An untrained tiny policy with its weights drawn from the seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from autodidact.models.policy import Policy

    tokenizer = tiny_tokenizer(world.vocabulary)
    config = LlamaConfig(
        vocab_size=len(world.vocabulary),
        hidden_size=base.hidden,
        intermediate_size=2 * base.hidden,
        num_hidden_layers=base.layers,
        num_attention_heads=base.heads,
        max_position_embeddings=128,
        initializer_range=base.initializer_range,
        attn_implementation="eager",  # quicker than the fused kernel on sequences of some twenty tokens
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(stream(seed, "initialise")))
        model = LlamaForCausalLM(config)
    return Policy(model, tokenizer, "tiny")
