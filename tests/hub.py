"""Stand-ins of the hub's formats: a checkpoint and data sets small enough for a test."""

import numpy as np
import pandas as pd
import pytest

from tests.release import write_releases

QUESTION = "Ann has {} pens and buys {} more. How many pens has she now?"
SENTENCES = [QUESTION.format(2, 3), "Write a short poem without commas, please.", "#### 5 is how many she has"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A local folder in the hub's format: safetensors, a byte-level tokenizer and a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    specials = ["<pad>", "<|start|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(SENTENCES, trainers.BpeTrainer(special_tokens=specials, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="<|end|>")
    tokenizer.chat_template = (
        "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("checkpoint")
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def llava(tmp_path_factory):
    """A local folder in the hub's format: a LLaVA-1.6 of two thin layers with its processor."""
    return write_llava(tmp_path_factory.mktemp("llava"), "1.6")


@pytest.fixture(scope="session")
def older_llava(tmp_path_factory):
    """The same of LLaVA-1.5, which has one crop a picture."""
    return write_llava(tmp_path_factory.mktemp("older-llava"), "1.5")


def write_llava(folder, release):
    """A vision-language checkpoint in the hub's format, its weights random, and its folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessorPil,
        LlavaNextProcessor,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    from autodidact.environments.shapes import Shapes

    words = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "USER:", "ASSISTANT:", *Shapes().vocabulary[4:]]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    template = (
        "<s> {% for m in messages %}{{ m['role'].upper() }}: {% if m['content'] is string %}{{ m['content'] }}"
        "{% else %}{% for part in m['content'] %}{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }}"
        "{% endif %}{% endfor %}{% endif %}{% if m['role'] == 'assistant' %}</s>{% else %} {% endif %}{% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
    )
    tokenizer.chat_template = template
    sight = CLIPVisionConfig(
        hidden_size=24, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=32, patch_size=8
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    size = {"height": 32, "width": 32}
    shape = {"size": {"shortest_edge": 32}, "crop_size": size}
    layout = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    if release == "1.6":
        grid = [[32, 64], [64, 32], [64, 64]]
        config = LlavaNextConfig(
            vision_config=sight, text_config=text, image_token_id=4, image_grid_pinpoints=grid, vision_feature_layer=-2
        )
        model = LlavaNextForConditionalGeneration(config)
        images = LlavaNextImageProcessorPil(**shape, image_grid_pinpoints=grid)
        processor = LlavaNextProcessor(images, tokenizer, chat_template=template, **layout)
    else:
        model = LlavaForConditionalGeneration(LlavaConfig(vision_config=sight, text_config=text, image_token_id=4))
        processor = LlavaProcessor(CLIPImageProcessorPil(**shape), tokenizer, chat_template=template, **layout)
    with torch.no_grad():  # a constant in the stream, by which it never writes <image>, as a trained model does not
        inner, head = model.model, model.lm_head.weight
        inner.language_model.embed_tokens.weight[:, 0] = 5.0
        inner.multi_modal_projector.linear_2.bias[0] = 5.0
        head[:, 0], head[4, 0] = 0.0, -100.0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def mirror(tmp_path_factory):
    """A folder in the form of a data mirror: some IFEval prompts, GSM8K problems, and a release of choices."""
    folder = tmp_path_factory.mktemp("mirror")
    rng = np.random.default_rng(0)
    prompts = [
        {
            "key": 1000 + i,
            "prompt": f"Write about item {i} without any commas.",
            "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
            "kwargs": [{"num_words": None, "relation": None}, {"num_words": 5.0, "relation": "at least"}],
        }
        for i in range(120)
    ]
    numbers = rng.integers(1, 90, size=(400, 2))
    problems = [
        {"question": QUESTION.format(a, b), "answer": f"{a} + {b} = {a + b} pens.\n#### {a + b}"} for a, b in numbers
    ]
    for name, rows in {"google__IFEval": prompts, "openai__gsm8k": problems}.items():
        (folder / name).mkdir()
        pd.DataFrame(rows).drop_duplicates(subset=list(rows[0])[:1]).to_parquet(folder / name / "train.parquet")
    write_releases(folder)
    return folder
