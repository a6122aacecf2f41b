"""Log-probabilities of given responses: right in every batch, remembered, and never those of other weights."""

import copy

import numpy as np
import pytest
import torch

from autodidact.models import BegunPolicy, TinyBase, begun
from autodidact.models import policy as policies
from autodidact.models.memo import Memo, weights_state
from autodidact.models.tiny import new_tiny
from tests.shared.toy_world import ToyWorld

PROMPTS = sorted({p.text for p in ToyWorld().prompts(9, np.random.default_rng(3))})[:6]
RESPONSES = ["fox fox", "ant", "", "bee cat dog elk fox", "cat cat"]
ASKED = [(x, y) for x in PROMPTS for y in RESPONSES]


@pytest.fixture
def policy():
    fresh = new_tiny(ToyWorld(), 0, TinyBase(hidden=32))
    fresh.model.eval()
    return fresh


@pytest.fixture
def scored(monkeypatch):
    """How many pairs each call computed."""
    counts = []
    compute = policies.token_logprobs

    def spy(policy, pairs, batch_tokens):
        counts.append(len(pairs))
        return compute(policy, pairs, batch_tokens)

    monkeypatch.setattr(policies, "token_logprobs", spy)
    return counts


@torch.no_grad()
def plain(policy, prompt, response):
    """One sequence, no padding, no cache."""
    head, tail = policy.encode(prompt), policy.encode_response(response)
    logps = policy.model(torch.tensor([head + tail])).logits[0].double().log_softmax(-1)
    return [float(logps[len(head) - 1 + i, token]) for i, token in enumerate(tail)]


def asked(policy, pairs=ASKED, **options):
    return [row.tolist() for row in policy.logprobs([x for x, _ in pairs], [y for _, y in pairs], **options)]


@pytest.mark.parametrize("batch_tokens", [None, 1, 40, 100])
@pytest.mark.parametrize("pairs", [ASKED, list(zip(PROMPTS, RESPONSES, strict=False))], ids=["by prompt", "apart"])
def test_every_batch_gives_the_models_own(policy, pairs, batch_tokens):
    for (x, y), row in zip(pairs, asked(policy, pairs, batch_tokens=batch_tokens), strict=True):
        assert row == pytest.approx(plain(policy, x, y), abs=2e-5)


@pytest.mark.parametrize("end", [True, False])
def test_begun_answers(policy, end):
    pairs = [(begun(x, "fox"), y) for x, y in ASKED]
    one = BegunPolicy(policy, end=end)
    for (x, y), row in zip(pairs, asked(one, pairs), strict=True):
        assert row == pytest.approx(plain(one, x, y), abs=2e-5)


def test_what_is_known_is_not_computed(policy, scored):
    first = asked(policy)
    assert asked(policy, ASKED[::-1]) == first[::-1]
    asked(policy, [*ASKED, ("say ant :", "ant")])
    asked(policy, [("say bee :", "bee")] * 3)
    assert scored == [len(ASKED), 0, 1, 1]
    np.testing.assert_allclose(
        policy.sequence_logprobs(*zip(*ASKED, strict=True)), [sum(row) for row in first], rtol=1e-6
    )
    assert scored[-1] == 0


def test_what_comes_back_belongs_to_the_caller(policy):
    first = asked(policy)
    for row in policy.logprobs([x for x, _ in ASKED], [y for _, y in ASKED]):
        row.fill_(7.0)
    assert asked(policy) == first


def optimise(model):
    weights = [model.lm_head.weight]
    model.lm_head.weight.grad = torch.ones_like(model.lm_head.weight)
    model.lm_head.weight.grad[0] = 5.0
    torch.optim.AdamW(weights, lr=0.1, fused=True).step()


CHANGES = {
    "in place": lambda model: torch.nn.init.normal_(model.lm_head.weight),
    "through .data": lambda model: model.lm_head.weight.data.mul_(2),
    "other data": lambda model: setattr(model.lm_head.weight, "data", model.lm_head.weight.data * 2),
    "fused optimiser": optimise,
    "state dict": lambda model: model.load_state_dict({k: 2 * v for k, v in model.state_dict().items()}),
    "another parameter": lambda model: setattr(model.lm_head, "weight", torch.nn.Parameter(2 * model.lm_head.weight)),
    "precision": lambda model: model.to(torch.bfloat16).float(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_weights_are_seen(policy, scored, change):
    before = asked(policy)
    change(policy.model)
    after = asked(policy)
    assert scored == [len(ASKED)] * 2
    assert after != before
    for (x, y), row in zip(ASKED, after, strict=True):
        assert row == pytest.approx(plain(policy, x, y), abs=2e-5)


def test_copies_share_nothing(policy, scored):
    asked(policy)
    for other in (policy.copy(), copy.deepcopy(policy), BegunPolicy(policy, end=True)):
        assert len(other.memo) == 0
        asked(other)
    assert scored == [len(ASKED)] * 4


def test_begun_policy_sees_its_own_settings(policy):
    one = BegunPolicy(policy, end=True)
    assert len(asked(one)[0]) == 3
    one.ends_answers = False
    assert len(asked(one)[0]) == 2


def test_nothing_is_remembered_in_training_or_under_adapters(policy, scored):
    policy.model.train()
    asked(policy), asked(policy)
    assert policy.model.training
    policy.model.eval().peft_config = {}
    asked(policy), asked(policy)
    assert scored == [len(ASKED)] * 4
    assert len(policy.memo) == 0
    assert weights_state(torch.nn.Linear(1, 1, device="meta").eval()) is None


def test_memory_is_bounded():
    memo = Memo(limit=5000).of(1)
    for i in range(100):
        memo.put((f"prompt {i}", "response"), torch.full((10,), float(i)))
    assert 5 <= len(memo) <= 12
    assert memo.get(("prompt 0", "response")) is None
    assert memo.get(("prompt 99", "response")).tolist() == [99.0] * 10
    assert len(memo.of(2)) == 0


def test_nan_is_refused(policy):
    policy.model.lm_head.weight.data[3] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        asked(policy)
    with pytest.raises(ValueError, match="NaN"):
        policy.generate(PROMPTS, rng=np.random.default_rng(0))


def test_wrong_input(policy):
    with pytest.raises(ValueError, match="as many"):
        policy.logprobs(["a"], [])
    with pytest.raises(ValueError, match="batch_tokens=0"):
        policy.logprobs(PROMPTS[:1], RESPONSES[:1], batch_tokens=0)
    assert policy.logprobs([], []) == []
