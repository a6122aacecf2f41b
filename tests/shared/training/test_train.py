"""Policy in, policy out: what the two functions that notebooks call do, and what they leave alone."""

import gc
import math
import random
import tempfile
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from peft import LoraConfig

from autodidact.losses import dpo, sppo
from autodidact.training import Pair, Run, train_preferences, train_supervised

LOSS = partial(sppo, beta=0.2)
SETTINGS = {"steps": 4, "batch_size": 6, "learning_rate": 1e-3, "seed": 11}
LORA = LoraConfig(r=4, target_modules=["q_proj", "v_proj"])


@pytest.fixture
def examples(pairs):
    return [(pair.prompt, pair.chosen) for pair in pairs]


@pytest.fixture(params=["preferences", "supervised"])
def train(request, policy, pairs, examples):
    """Either function on its data: settings -> (policy, log)."""
    if request.param == "preferences":
        return lambda **options: train_preferences(policy, pairs, **{"loss": LOSS, **SETTINGS, **options})
    return lambda **options: train_supervised(policy, examples, **{**SETTINGS, **options})


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


def response_logps(model, policy, prompt, response):
    """log pi(response | prompt), (tokens,), from the model's plain logits."""
    head, tail = policy.encode(prompt), policy.encode_response(response)
    logits = model(torch.tensor([head + tail])).logits[0, len(head) - 1 : -1]
    return torch.log_softmax(logits, -1)[torch.arange(len(tail)), torch.tensor(tail)]


def plain_training(policy, draws, batch_loss):
    """AdamW with clipping, written out: the independent computation behind the two tests below."""
    model, losses = policy.copy().model, []
    optimizer = torch.optim.AdamW(model.parameters(), lr=SETTINGS["learning_rate"], weight_decay=0.0)
    for start in range(0, len(draws), SETTINGS["batch_size"]):
        loss = batch_loss(model, draws[start : start + SETTINGS["batch_size"]])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return torch.cat([value.flatten() for value in model.state_dict().values()]), losses


def test_preferences_are_trained_as_a_plain_loop_would(policy, pairs):
    def batch_loss(model, draws):
        columns = []
        for i in draws:
            pair = pairs[i]
            sums = [response_logps(model, policy, pair.prompt, y).sum() for y in (pair.chosen, pair.rejected)]
            with torch.no_grad():
                sums += [
                    response_logps(policy.model, policy, pair.prompt, y).sum() for y in (pair.chosen, pair.rejected)
                ]
            columns.append([*sums, torch.tensor(pair.columns["p_win"]), torch.tensor(pair.columns["p_lose"])])
        return LOSS(*(torch.stack(column) for column in zip(*columns, strict=True))).mean()

    expected, losses = plain_training(policy, Run(**SETTINGS).order(len(pairs)), batch_loss)
    trained, log = train_preferences(policy, pairs, loss=LOSS, **SETTINGS)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, rel=1e-4)
    moved = (expected - weights(policy)).abs().max()
    assert (weights(trained) - expected).abs().max() < 0.02 * moved


def test_responses_alone_are_learned_as_a_plain_loop_would(policy, examples):
    def batch_loss(model, draws):
        return -torch.cat([response_logps(model, policy, *examples[i]) for i in draws]).mean()

    expected, losses = plain_training(policy, Run(**SETTINGS).order(len(examples)), batch_loss)
    trained, log = train_supervised(policy, examples, **SETTINGS)
    assert [entry["loss"] for entry in log] == pytest.approx(losses, rel=1e-4)
    moved = (expected - weights(policy)).abs().max()
    assert (weights(trained) - expected).abs().max() < 0.02 * moved


def test_the_policy_given_stays_as_it_is_and_the_new_one_is_ready(train, policy):
    before = weights(policy).clone()
    trained, log = train()
    assert torch.equal(weights(policy), before) and not torch.equal(weights(trained), before)
    assert not policy.model.training and not trained.model.training
    assert "forward" not in vars(trained.model) and "forward" not in vars(policy.model)
    assert all(parameter.grad is None for parameter in trained.model.parameters())
    assert trained.model.generate(torch.tensor([[1, 5]]), max_new_tokens=2, do_sample=False).shape[1] > 2
    assert [entry["step"] for entry in log] == [1, 2, 3, 4]


def test_one_seed_gives_one_policy_bit_for_bit_whatever_came_before(train):
    first, log = train()
    torch.rand(7), np.random.default_rng(1).random(7), random.random()
    again, repeated = train()
    other, _ = train(seed=12)
    assert torch.equal(weights(first), weights(again))
    assert [entry["loss"] for entry in log] == [entry["loss"] for entry in repeated]
    assert not torch.equal(weights(first), weights(other))


def test_global_random_state_is_left_alone(train):
    def state():
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return random.getstate(), (name, keys.tolist(), *rest), torch.get_rng_state().tolist()

    before = state()
    train(steps=1)
    assert state() == before


def test_random_state_comes_back_after_a_failure(policy, pairs):
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        train_preferences(policy, pairs, loss=LOSS, **SETTINGS, on_step=lambda log: 1 / 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert gc.get_freeze_count() == 0


def test_nothing_is_printed_warned_or_left_on_disk(train, capfd, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(steps=2)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_a_bar_is_drawn_where_one_is_asked_for(train, capfd):
    train(steps=2, progress=True)
    assert "training:   0%|          | 0/2" in capfd.readouterr().err


def test_every_step_is_handed_on_as_it_is_logged(train):
    seen = []
    _, log = train(on_step=seen.append)
    assert seen == log and all(math.isfinite(entry["grad_norm"]) for entry in log)


def test_accumulation_changes_memory_and_not_the_result(train):
    whole, log = train()
    parts, same = train(gradient_accumulation=3)
    assert [entry["loss"] for entry in same] == pytest.approx([entry["loss"] for entry in log], rel=1e-4)
    assert (weights(whole) - weights(parts)).abs().max() < 1e-4  # one step moves a weight by up to 1e-3


def test_options_reach_the_optimiser(train, policy):
    rates = [entry["learning_rate"] for entry in train(schedule="linear", warmup=0.5)[1]]
    assert rates == pytest.approx([0.0, 5e-4, 1e-3, 5e-4])
    base = weights(train()[0])
    for option in ({"optimizer": "rmsprop"}, {"weight_decay": 0.5}, {"max_grad_norm": 1e-3, "optimizer": "sgd"}):
        assert not torch.equal(weights(train(**option)[0]), base), option


def test_every_round_has_its_own_reference(policy, pairs):
    loss = partial(dpo, beta=0.5)
    first, log = train_preferences(policy, pairs, loss=loss, **SETTINGS)
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-5) and log[-1]["rewards/margins"] > 0.01
    _, log = train_preferences(first, pairs, loss=loss, **SETTINGS)
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)


def test_adapters_are_put_on_once_and_go_on_training(policy, pairs):
    loss, settings = partial(dpo, beta=0.5), {**SETTINGS, "learning_rate": 1e-2, "lora": LORA}
    first, log = train_preferences(policy, pairs, loss=loss, **settings)
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-5) and log[-1]["rewards/margins"] > 0.01
    second, log = train_preferences(first, pairs, loss=loss, **settings)
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-5) and log[-1]["rewards/margins"] > 0.01
    assert set(second.model.peft_config) == {"default"}
    start, one, two = (dict(p.model.named_parameters()) for p in (policy, first, second))
    for name, value in start.items():
        module, _, kind = name.rpartition(".")
        for changed in (one, two):  # the base under the adapters is the base
            wrapped = changed.get(f"base_model.model.{module}.base_layer.{kind}")
            inside = changed[f"base_model.model.{name}"] if wrapped is None else wrapped
            assert torch.equal(inside, value), name
    adapters = [name for name in one if "lora" in name]
    assert adapters and all(two[name].requires_grad for name in adapters)
    assert any(not torch.equal(one[name], two[name]) for name in adapters)


def test_adapters_leave_the_policy_below_them_trainable_and_where_it_was(train, policy):
    before = weights(policy).clone()
    adapted, _ = train(lora=LORA, learning_rate=1e-2)
    assert all(parameter.requires_grad for parameter in policy.model.parameters())
    assert torch.equal(weights(policy), before)
    whole, _ = train()
    assert not torch.equal(weights(whole), before) and torch.equal(weights(policy), before)
    base = [parameter for parameter in adapted.model.parameters() if not parameter.requires_grad]
    storage = {parameter.data_ptr() for parameter in policy.model.parameters()}
    assert {parameter.data_ptr() for parameter in base} == storage  # one copy of the base in memory


def test_supervised_adapters(policy, examples):
    trained, log = train_supervised(policy, examples[:6], **{**SETTINGS, "learning_rate": 1e-2}, lora=LORA)
    assert log[-1]["loss"] < log[0]["loss"]
    assert {name for name, p in trained.model.named_parameters() if p.requires_grad} == {
        name for name, _ in trained.model.named_parameters() if "lora" in name
    }


def test_half_precision_is_trained_in_float32(policy, pairs):
    policy.model.to(torch.bfloat16)
    trained, _ = train_preferences(policy, pairs, loss=LOSS, **{**SETTINGS, "learning_rate": 1e-6})
    assert trained.model.dtype == torch.float32 and policy.model.dtype == torch.bfloat16
    assert not torch.equal(weights(trained), weights(policy).float())


def test_order_is_a_sequence_of_shuffled_epochs():
    order = Run(steps=5, batch_size=6, learning_rate=1.0, seed=0).order(10)
    assert len(order) == 30 and all(sorted(order[i : i + 10]) == list(range(10)) for i in (0, 10, 20))
    assert order[:10] != order[10:20] != list(range(10))
    assert len(Run(steps=1, batch_size=3, learning_rate=1.0, seed=0).order(10)) == 3


def test_responses_are_cut_at_the_end(policy, examples):
    _, log = train_supervised(policy, examples[:1], steps=1, batch_size=1, learning_rate=1e-3, seed=0, max_length=9)
    head, tail = policy.encode(examples[0][0]), policy.encode_response(examples[0][1])
    assert len(head) < 9 < len(head) + len(tail)
    expected = -response_logps(policy.model, policy, *examples[0])[: 9 - len(head)].mean().item()
    assert log[0]["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"gradient_accumulation": 4}, "gradient_accumulation=4 must divide"),
        ({"warmup": 3}, r"warmup=3 is a share of the steps and must lie in \[0, 1\]"),
        ({"warmup": 0.1}, "warmup=0.1 needs a schedule"),
        ({"max_length": 3}, "max_length=3 leaves no room after the"),
    ],
)
def test_bad_options_are_named(train, options, message):
    with pytest.raises(ValueError, match=message):
        train(**options)


def test_an_unknown_option_is_named(train):
    with pytest.raises(TypeError, match="learning_rates"):
        train(learning_rates=3)


def test_bad_data_are_named(policy):
    with pytest.raises(ValueError, match="nothing to train on"):
        train_preferences(policy, [], loss=LOSS, **SETTINGS)
    with pytest.raises(ValueError, match="nothing to train on"):
        train_supervised(policy, [], **SETTINGS)
    good, lacking = ({"p_win": 0.9, "p_lose": 0.1}, {"p_win": 0.9})
    rows = [Pair("w1", "w2", "w3", columns) for columns in (good, lacking)]
    with pytest.raises(ValueError, match=r"pairs\[1\] needs a finite column p_lose for the loss, got None.* p_win"):
        train_preferences(policy, rows, loss=LOSS, **SETTINGS)
    rows[1] = Pair("w1", "w2", "w3", {"p_win": 0.9, "p_lose": math.inf})
    with pytest.raises(ValueError, match=r"pairs\[1\] needs a finite column p_lose for the loss, got inf"):
        train_preferences(policy, rows, loss=LOSS, **SETTINGS)
