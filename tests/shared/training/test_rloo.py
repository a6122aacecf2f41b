"""TRL's leave-one-out against a computation by hand, from what its trainer has in its hands at a step."""

import numpy as np
import pytest
import torch
from peft import LoraConfig

from autodidact.models import TinyBase
from autodidact.models.tiny import new_tiny
from autodidact.training import leave_one_out, rloo, train_rloo
from tests.shared.toy_world import WORDS, ToyWorld

RUN = {"steps": 3, "batch_size": 4, "generations": 3, "learning_rate": 1e-3, "seed": 7, "max_new_tokens": 6}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=32, initializer_range=0.1))


@pytest.fixture(scope="module")
def prompts():
    return [prompt.text for prompt in ToyWorld().prompts(8, np.random.default_rng(0))]


def ants(prompts, responses):
    """The number of ants, and a little for length: a reward that can be read off the text."""
    return [response.split().count("ant") + 0.1 * len(response.split()) for response in responses]


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


def test_advantages_by_hand():
    advantages = leave_one_out(torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]]))
    assert advantages.tolist() == [[-3.0, -1.5, 4.5], [-1.5, -1.5, 3.0]]
    shifted = leave_one_out(torch.tensor([[1.0, 2.0, 6.0]]) + 5)
    assert shifted.tolist() == [[-3.0, -1.5, 4.5]]  # a constant of the prompt, as a reference's reward, changes nothing
    with pytest.raises(ValueError, match=r"\(4, 1\)"):
        leave_one_out(torch.zeros(4, 1))


@pytest.fixture
def batches(monkeypatch):
    """What the trainer makes of every step: responses, rewards, advantages."""
    kept = []
    inner = rloo.LeaveOneOut._generate_and_score_completions

    def spy(self, inputs):
        output = inner(self, inputs)
        prompts = [row["prompt"] for row in inputs]
        kept.append({"prompts": prompts, **{k: v.clone() for k, v in output.items() if torch.is_tensor(v)}})
        return output

    monkeypatch.setattr(rloo.LeaveOneOut, "_generate_and_score_completions", spy)
    return kept


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_trainer_agrees_with_a_computation_by_hand(policy, prompts, batches, beta):
    """Advantages from texts and log-ratios, by loops; the gradient of the first step is that of REINFORCE."""
    seen = []

    def reward(prompts, responses):
        seen.append(list(responses))
        return ants(prompts, responses)

    trained, log = train_rloo(policy, prompts, reward, beta=beta, **RUN)
    assert len(batches) == len(seen) == RUN["steps"] == len(log)
    for step, (batch, responses) in enumerate(zip(batches, seen, strict=True)):
        told = batch["prompts"]
        assert all(len(set(told[i : i + 3])) == 1 for i in range(0, 12, 3))
        reference = policy.sequence_logprobs(told, responses)
        penalty = beta * (batch["old_logps"].double().numpy() - reference) if beta else np.zeros(12)
        rewards = np.array(ants(told, responses)) - penalty
        wanted = [rewards[i] - np.mean([rewards[j] for j in range(i - i % 3, i - i % 3 + 3) if j != i])
                  for i in range(12)]  # fmt: skip
        assert batch["advantages"].numpy() == pytest.approx(wanted, abs=1e-4)
        assert log[step]["reward"] == pytest.approx(np.mean(ants(told, responses)), abs=1e-5)
    old = policy.sequence_logprobs(batches[0]["prompts"], seen[0])
    assert batches[0]["old_logps"].numpy() == pytest.approx(old, abs=1e-4)  # at first the policy is its reference
    assert not torch.equal(weights(trained), weights(policy))


def test_the_first_step_is_reinforce(policy, prompts, batches):
    """The norm that is logged is that of -mean_i A_i grad log pi(y_i), by autograd on a plain forward pass."""
    seen = []
    _, log = train_rloo(
        policy, prompts, lambda x, y: seen.extend(y) or ants(x, y), **{**RUN, "steps": 1}, beta=0.0, max_grad_norm=1e9
    )
    model, told = policy.copy().model, batches[0]["prompts"]
    advantages = leave_one_out(torch.tensor(ants(told, seen)).view(-1, 3)).view(-1)
    for prompt, response, advantage in zip(told, seen, advantages, strict=True):
        x, y = policy.encode(prompt), list(response.ids)
        logps = torch.log_softmax(model(torch.tensor([x + y])).logits[0, len(x) - 1 : -1], -1)
        (-advantage / len(seen) * logps[range(len(y)), y].sum()).backward()
    norm = torch.cat([weight.grad.flatten() for weight in model.parameters()]).norm()
    assert log[0]["grad_norm"] == pytest.approx(norm.item(), rel=1e-3)


def test_it_learns_and_is_the_same_by_seed_whatever_was_drawn_before(policy, prompts):
    how = {**RUN, "steps": 25, "learning_rate": 3e-3, "beta": 0.0}
    before = torch.get_rng_state()
    one, log = train_rloo(policy, prompts, ants, **how)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(123)
    two, again = train_rloo(policy, prompts, ants, **how)
    assert torch.equal(weights(one), weights(two))
    assert [row["reward"] for row in log] == [row["reward"] for row in again]
    assert np.mean([row["reward"] for row in log[-5:]]) > np.mean([row["reward"] for row in log[:5]]) + 0.5
    other, _ = train_rloo(policy, prompts, ants, **{**how, "steps": 1, "seed": 8})
    assert not torch.equal(weights(one), weights(other))


def test_columns_belong_to_their_prompts(policy, prompts):
    def reward(told, responses, y_ref):
        assert all(ref == f"of {prompt}" for prompt, ref in zip(told, y_ref, strict=True))
        assert all(set(response.split()) <= {*WORDS, *ToyWorld().vocabulary} for response in responses)
        return [0.0] * len(responses)

    columns = {"y_ref": [f"of {prompt}" for prompt in prompts]}
    trained, _ = train_rloo(policy, prompts, reward, columns=columns, beta=0.0, **RUN)
    assert torch.equal(weights(trained), weights(policy))  # equal rewards: no advantage, no step


def test_accumulation_changes_memory_alone(policy, prompts):
    ends = [train_rloo(policy, prompts, ants, gradient_accumulation=n, **RUN)[0] for n in (1, 2)]
    torch.testing.assert_close(weights(ends[0]), weights(ends[1]), rtol=0, atol=2e-3)
    assert (weights(ends[0]) - weights(ends[1])).abs().mean() < 1e-4


def test_adapters_are_trained_against_the_policy_without_them(policy, prompts):
    lora = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    trained, log = train_rloo(policy, prompts, ants, lora=lora, **RUN)
    assert hasattr(trained.model, "peft_config") and log[0]["kl"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generations": 1}, "generations=1 must be at least 2"),
        ({"beta": -0.1}, "beta=-0.1"),
        ({"temperature": 0.0}, "temperature=0.0"),
        ({"max_length": 9}, "max_length=9"),
        ({"columns": {"y_ref": ["one"]}}, "columns must have one value for each of 8 prompts"),
    ],
)
def test_bad_arguments_are_named(policy, prompts, options, message):
    with pytest.raises(ValueError, match=message):
        train_rloo(policy, prompts, ants, **{**RUN, **options})


def test_bad_rewards_are_named(policy, prompts):
    with pytest.raises(ValueError, match="is nan; it must be a finite number"):
        train_rloo(policy, prompts, lambda x, y: [float("nan")] * len(y), **RUN)
    with pytest.raises(ValueError, match="reward gave 1 numbers for 12 responses"):
        train_rloo(policy, prompts, lambda x, y: [0.0], **RUN)
