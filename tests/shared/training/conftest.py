"""A tiny Llama, a word-level tokenizer, pairs and their forms, for all tests of training."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig

from autodidact.models import Policy
from autodidact.training import Pair

WORDS = ["<pad>", "<bos>", "<eos>", *(f"w{i}" for i in range(127))]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer():
    core = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    core.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<pad>"
    )


def tiny_model(seed=0):
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.1,  # far enough from uniform for losses to differ
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


@pytest.fixture
def model():
    return tiny_model()


@pytest.fixture
def make_model():
    return tiny_model


@pytest.fixture
def policy(model, tokenizer):
    return Policy(model, tokenizer)


@pytest.fixture(scope="session")
def pairs():
    rng = np.random.default_rng(0)

    def text(low, high):
        return " ".join(rng.choice(WORDS[3:], rng.integers(low, high)))

    def columns():
        return {"p_win": float(rng.uniform(0.5, 1)), "p_lose": float(rng.uniform(0, 0.5))}

    return [Pair(text(3, 8), text(2, 9), text(2, 9), columns()) for _ in range(24)]


@pytest.fixture(scope="session")
def tokenised(pairs, tokenizer):
    """The pairs as token ids, with their columns."""
    policy = Policy(None, tokenizer)
    return Dataset.from_dict(
        {
            "prompt_ids": [policy.encode(pair.prompt) for pair in pairs],
            "chosen_ids": [policy.encode_response(pair.chosen) for pair in pairs],
            "rejected_ids": [policy.encode_response(pair.rejected) for pair in pairs],
            **{name: [pair.columns[name] for pair in pairs] for name in ("p_win", "p_lose")},
        }
    )


@pytest.fixture(scope="session")
def texts(pairs):
    """The pairs as TRL's users bring them, with their columns."""
    return Dataset.from_dict(
        {
            "prompt": [pair.prompt for pair in pairs],
            "chosen": [f" {pair.chosen}" for pair in pairs],
            "rejected": [f" {pair.rejected}" for pair in pairs],
            **{name: [pair.columns[name] for pair in pairs] for name in ("p_win", "p_lose")},
        }
    )


@pytest.fixture
def logps():
    """(model, batch) -> log-probabilities of chosen and rejected, (batch,) each, by a plain softmax of the logits."""

    def compute(model, batch, mean=False):
        mask, ids = batch["completion_mask"][:, 1:], batch["input_ids"][:, 1:]
        with torch.no_grad():
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        tokens = torch.log_softmax(logits.double(), -1).gather(-1, ids[..., None])[..., 0] * mask
        sums = tokens.sum(1)
        return (sums / mask.sum(1) if mean else sums).float().chunk(2)

    return compute


@pytest.fixture
def config(tmp_path):
    """A DPOConfig for 20 silent steps, and what is to differ."""

    def build(**options):
        return DPOConfig(
            **{
                "output_dir": str(tmp_path),
                "max_steps": 20,
                "per_device_train_batch_size": 8,
                "learning_rate": 1e-3,
                "seed": 5,
                "bf16": False,
                "use_cpu": True,
                "logging_steps": 1,
                "disable_tqdm": True,
                "report_to": "none",
                "save_strategy": "no",
                "gradient_checkpointing": False,
                **options,
            }
        )

    return build
