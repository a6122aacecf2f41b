"""Training that reads more off the model: SELM's own response, by both loops, against what it is without."""

from functools import partial

import numpy as np
import pytest
import torch
from peft import LoraConfig

from autodidact.losses import dpo, selm
from autodidact.training import OwnResponses, Pair, response_logps, train_beside, train_preferences

RUN = {"steps": 15, "batch_size": 6, "learning_rate": 1e-4, "seed": 11}


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


@pytest.fixture
def own(pairs):
    """The response of the pair before, so that it is neither of the pair's own."""
    return [pairs[i - 1].chosen for i in range(len(pairs))]


@pytest.fixture
def beside(policy, pairs, own):
    return OwnResponses(policy, [pair.prompt for pair in pairs], own)


def test_log_probabilities_are_those_of_the_policy(policy, pairs, own):
    prompts = [pair.prompt for pair in pairs]
    heads = policy.encode_prompts(prompts)
    rows = [(heads[x], y) for x, y in zip(prompts, policy.encode_responses(own), strict=True)]
    logps, mask = response_logps(policy.model, rows, policy.pad)
    for mine, there, wanted in zip(logps, mask, policy.logprobs(prompts, own), strict=True):
        torch.testing.assert_close(mine[there].detach(), wanted, rtol=1e-5, atol=1e-5)
        assert (mine[~there] == 0).all()


def test_own_and_reference_are_equal_at_the_start_and_in_place(policy, pairs, own, beside):
    beside.prepare(policy.model)
    read = beside(policy.model, [7, 0, 3])
    wanted = policy.sequence_logprobs([pairs[i].prompt for i in (7, 0, 3)], [own[i] for i in (7, 0, 3)])
    assert read["own"].detach().numpy() == pytest.approx(wanted, abs=1e-4)
    assert read["ref_own"].numpy() == pytest.approx(wanted, abs=1e-4)


def test_first_loss_is_the_loss_by_hand_and_the_term_acts(policy, pairs, own, beside):
    loss = partial(selm, beta=0.1, alpha=5.0)
    trained, log = train_beside(policy, pairs, beside, loss=loss, **RUN)
    plain, _ = train_preferences(policy, pairs, loss=partial(dpo, beta=0.1), **RUN)
    assert log[0]["loss"] == pytest.approx(np.log(2), abs=1e-5)
    prompts = [pair.prompt for pair in pairs]
    fall = trained.sequence_logprobs(prompts, own).mean() - plain.sequence_logprobs(prompts, own).mean()
    assert fall < -0.5  # nats: own responses are pushed down


def test_without_the_term_it_is_dpo(policy, pairs, beside):
    mine, log = train_beside(policy, pairs, beside, loss=partial(selm, beta=0.1, alpha=0.0), **RUN)
    plain, wanted = train_preferences(policy, pairs, loss=partial(dpo, beta=0.1), **RUN)
    torch.testing.assert_close(weights(mine), weights(plain), rtol=0, atol=1e-6)
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in wanted], abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation": 3, "max_length": 12}])
def test_both_loops_take_the_same_way(policy, pairs, beside, options):
    loss = partial(selm, beta=0.1, alpha=0.5)
    ends, logs = zip(
        *(train_beside(policy, pairs, beside, loss=loss, loop=loop, **options, **RUN) for loop in ("lean", "trl")),
        strict=True,
    )
    assert (weights(ends[0]) - weights(policy)).abs().max() > 3e-4
    torch.testing.assert_close(weights(ends[0]), weights(ends[1]), rtol=0, atol=1e-5)
    losses = [[row["loss"] for row in log] for log in logs]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


class Norm:
    """Adds the same number to every loss, and logs it."""

    columns = ()

    def prepare(self, model):
        self.seen = []

    def __call__(self, model, rows):
        self.seen += rows
        return {"norm": model.lm_head.weight.norm().expand(len(rows))}


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_what_is_no_column_is_added_and_logged(policy, pairs, loop):
    norm = Norm()
    loss = partial(dpo, beta=0.1)
    trained, log = train_beside(policy, pairs, norm, loss=loss, loop=loop, **{**RUN, "learning_rate": 1e-3})
    assert log[0]["norm"] == pytest.approx(policy.model.lm_head.weight.norm().item(), rel=1e-5)
    assert log[0]["loss"] == pytest.approx(np.log(2) + log[0]["norm"], rel=1e-5)
    assert trained.model.lm_head.weight.norm() < policy.model.lm_head.weight.norm()
    assert sorted(norm.seen[: len(pairs)]) == list(range(len(pairs)))  # each pair once before any comes twice


def test_adapters_are_trained_too(policy, pairs, beside):
    lora = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    trained, log = train_beside(policy, pairs, beside, loss=selm, lora=lora, **{**RUN, "steps": 2})
    assert hasattr(trained.model, "peft_config") and log[0]["loss"] == pytest.approx(np.log(2), abs=1e-4)


def test_wrong_arguments_are_named(policy, pairs, beside):
    with pytest.raises(ValueError, match="the loss takes no own, ref_own"):
        train_beside(policy, pairs, beside, loss=dpo, **RUN)
    with pytest.raises(ValueError, match="24 and 1 were given"):
        OwnResponses(policy, [pair.prompt for pair in pairs], ["w1"])
    with pytest.raises(ValueError, match=r"at=\[99\]"):
        train_beside(policy, pairs, beside, loss=selm, at=[99], **RUN)
    broken = [Pair(pair.prompt, pair.chosen, pair.rejected) for pair in pairs]
    with pytest.raises(ValueError, match="p_win"):
        train_beside(policy, broken, Norm(), loss=lambda a, b, c, d, p_win: a * 0, **RUN)
