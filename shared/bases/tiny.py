"""The tiny base: a tiny model trained on a world's demonstrations, cached."""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from autodidact.bases.keys import corpus_digest, one_thread, trained_on
from autodidact.models.cache import cached
from autodidact.models.tiny import TextWorld, TinyBase, new_tiny, tiny_tokenizer
from autodidact.streams import stream, torch_seed
from autodidact.training import train_supervised
from autodidact.training.run import seldom_garbage

if TYPE_CHECKING:
    from autodidact.models.policy import Policy


@seldom_garbage()
def load_tiny(world: TextWorld, seed: int, base: TinyBase) -> "Policy":
    """The base model of a world and a seed: out of the cache, or trained (10 seconds or so) and kept there."""
    corpus = cache(lambda: world.corpus(stream(seed, "demonstrate")))
    digest = corpus_digest(world, seed, lambda: (text.encode() for example in corpus() for text in example))
    description = trained_on(world, seed, digest, kind="tiny", base=asdict(base))
    return _read(cached(description, lambda scratch: _train(world, corpus(), seed, base, scratch)))


def _train(world: TextWorld, corpus: list[tuple[str, str]], seed: int, base: TinyBase, folder: Path) -> None:
    from safetensors.torch import save_file

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
