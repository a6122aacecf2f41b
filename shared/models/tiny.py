"""The tiny base: a two-layer Llama over a world's vocabulary, trained on the world's demonstrations, cached."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from autodidact.models.bases import TextWorld, corpus_digest, one_thread, trained_on
from autodidact.models.cache import cached
from autodidact.streams import stream, torch_seed

if TYPE_CHECKING:
    from autodidact.models.policy import Policy


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


def load_tiny(world: TextWorld, seed: int, base: TinyBase) -> "Policy":
    """The base model of a world and a seed: out of the cache, or trained (10 seconds or so) and kept there."""
    corpus = cache(lambda: world.corpus(stream(seed, "demonstrate")))
    digest = corpus_digest(world, seed, lambda: (text.encode() for example in corpus() for text in example))
    description = trained_on(world, seed, digest, kind="tiny", base=asdict(base))
    return _read(cached(description, lambda scratch: _train(world, corpus(), seed, base, scratch)))


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


def _train(world: TextWorld, corpus: list[tuple[str, str]], seed: int, base: TinyBase, folder: Path) -> None:
    from safetensors.torch import save_file

    from autodidact.training import train_supervised

    with one_thread():
        policy, _ = train_supervised(
            new_tiny(world, seed, base),
            corpus,
            steps=base.steps,
            batch_size=base.batch_size,
            learning_rate=base.learning_rate,
            schedule="cosine",
            seed=torch_seed(stream(seed, "order")),
        )
    policy.model.config.save_pretrained(folder)
    policy.model.generation_config.save_pretrained(folder)
    save_file(policy.model.state_dict(), folder / "model.safetensors")
    (folder / "vocabulary.json").write_text(json.dumps(world.vocabulary))


def _read(folder: Path) -> "Policy":
    """Rebuild the policy from a cache entry: ten times quicker than the general loaders, which probe for options."""
    from safetensors.torch import load_file
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    from autodidact.models.policy import Policy

    model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder, attn_implementation="eager"))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.generation_config = GenerationConfig.from_pretrained(folder)
    tokenizer = tiny_tokenizer(tuple(json.loads((folder / "vocabulary.json").read_text())))
    return Policy(model.eval(), tokenizer, "tiny")
