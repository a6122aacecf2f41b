"""The lean loop against TRL's own trajectory, and the line between the two."""

import gc
import subprocess
import sys
from functools import partial

import pytest
import torch
from peft import LoraConfig

from autodidact.lab import with_logprobs
from autodidact.losses import cream, dpo, hinge, ipo, spin, sppo, sppo_linearised, stic
from autodidact.models import BegunPolicy, Policy, begun
from autodidact.training import Diverged, Pair, Run, train_preferences, train_second_choice, train_supervised
from autodidact.training.lean import obstacle
from autodidact.training.llama import lay_out, response_logits

SETTINGS = {"steps": 60, "batch_size": 6, "learning_rate": 1e-3, "seed": 11}
LAST = {"batch_size": 6, "learning_rate": 1e-3, "seed": 11}
PAIRS = {**SETTINGS, "learning_rate": 1e-4}
VARIANTS = {
    "average": {"average_log_prob": True, "schedule": "linear", "warmup": 0.2},
    "accumulation": {"gradient_accumulation": 3, "max_length": 9},
    "decay": {"weight_decay": 0.3, "max_grad_norm": 0.1, "schedule": "constant_with_warmup", "warmup": 0.1},
}
LOSSES = {
    "dpo": partial(dpo, beta=0.2),
    "ipo": partial(ipo, beta=0.2),
    "hinge": partial(hinge, beta=0.2),
    "spin": partial(spin, beta=0.2),
    "spin-exponential": partial(spin, beta=0.2, kind="exponential"),
    "sppo": partial(sppo, beta=0.2),
    "sppo-linearised": partial(sppo_linearised, beta=0.2),
    "cream": partial(cream, beta=0.2),
    "stic": partial(stic, beta=0.2, alpha=0.5),
}


def weights(policy):
    return torch.cat([value.flatten() for value in policy.model.state_dict().values()])


@pytest.fixture
def examples(pairs):
    return [(pair.prompt, pair.chosen) for pair in pairs]


@pytest.fixture
def weighed(pairs):
    """The pairs with every column that a loss of ours asks for."""
    return [Pair(q.prompt, q.chosen, q.rejected, {**q.columns, "consistency": q.columns["p_win"]}) for q in pairs]


def assert_one_way(policy, train, most=1e-5):
    """60 steps of either loop end within `most` of each other in every weight, 3e-4 of the way gone, and log the same.

    How near they can be: Adam divides by the size of a gradient, so weights that hardly get one show the rounding of
    it. TRL differs from itself as much if the rows of each batch are turned round: at most 5e-6 (IPO) here.
    Not compared: who is ahead where nobody is, a tie that rounding breaks; TRL's means over the parts of a batch of
    means over their tokens, where ours are means over the tokens of the batch.
    """
    (lean, logs), (trl, theirs) = (train(loop=loop) for loop in ("lean", "trl"))
    apart, way = weights(lean) - weights(trl), weights(trl) - weights(policy)
    assert apart.abs().max() < most
    assert apart.norm() < 3e-4 * way.norm()
    for mine, other in zip(logs, theirs, strict=True):
        assert set(mine) <= set(other)
        skipped = {"rewards/accuracies"} if abs(mine.get("rewards/margins", 0.0)) < 1e-5 else set()
        skipped |= {"entropy", "mean_token_accuracy"} if train.keywords.get("gradient_accumulation", 1) > 1 else set()
        for name, value in mine.items():
            assert name in skipped or value == pytest.approx(other[name], rel=5e-3, abs=1e-4), name


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_of_pairs_is_trained_as_trl_would(name, policy, weighed):
    most = 3e-5 if name == "ipo" else 1e-5  # it nears its target, where gradients vanish
    assert_one_way(policy, partial(train_preferences, policy, weighed, loss=LOSSES[name], **PAIRS), most)


@pytest.mark.parametrize("variant", ["average", "accumulation", "decay"])
def test_options_mean_to_pairs_what_they_mean_to_trl(variant, policy, weighed):
    options = {**PAIRS, **VARIANTS[variant]}
    assert_one_way(policy, partial(train_preferences, policy, weighed, loss=LOSSES["sppo"], **options))


@pytest.mark.parametrize("variant", ["accumulation", "decay"])
def test_options_mean_to_demonstrations_what_they_mean_to_trl(variant, policy, examples):
    assert_one_way(policy, partial(train_supervised, policy, examples, **{**SETTINGS, **VARIANTS[variant]}))


def test_the_training_of_a_base_goes_trls_way(policy, examples):
    """At the rate of a base; over its hundreds of steps rounding grows, as it does between TRL and itself."""
    options = {**SETTINGS, "learning_rate": 4e-3, "schedule": "cosine"}
    assert_one_way(policy, partial(train_supervised, policy, examples, **options), most=5e-5)


def test_second_choices_are_trained_as_trl_would(policy, pairs):
    assert_one_way(policy, partial(train_second_choice, policy, pairs, loss=LOSSES["stic"], **PAIRS))


def test_steps_after_a_prefix_are_trained_as_trl_would(policy, pairs):
    begun_pairs = [Pair(begun(q.prompt, "w3 w4"), q.chosen, q.rejected) for q in pairs]
    start = BegunPolicy(policy, end=False)
    assert_one_way(policy, partial(train_preferences, start, begun_pairs, loss=LOSSES["dpo"], **PAIRS))


def test_predictions_are_those_of_the_model_on_each_response_alone(model):
    """Prompts and responses of all lengths, an empty one among them, in float64; pads and neighbours change nothing."""
    model = model.double()
    rows = [([5, 6, 7], ([8, 9], [10, 11, 12, 2])), ([4], ([2], [])), ([9] * 12, ([3, 4, 5], [6, 2]))]
    batch = lay_out(rows)
    with torch.no_grad():
        logits = response_logits(model, batch)[batch.predictor]
        for owner in range(6):
            head, tail = rows[owner % 3][0], rows[owner % 3][1][owner // 3]
            plain = model(torch.tensor([head + tail])).logits[0, len(head) - 1 : -1]
            mine = batch.owner == owner
            assert batch.targets[mine].tolist() == tail
            torch.testing.assert_close(logits[mine], plain, rtol=0, atol=2e-5)  # theirs has parts in float32
    with pytest.raises(ValueError, match="a prompt has no tokens"):
        lay_out([([], ([1],))])


@pytest.mark.parametrize("loop", ["lean", "trl"])
@pytest.mark.parametrize("rate", [3e-3, 1e30])
def test_a_training_that_diverges_says_so(loop, rate, policy, pairs):
    seen = []
    train = partial(train_preferences, policy, pairs, loss=partial(spin, beta=50, kind="exponential"), loop=loop)
    with pytest.raises(Diverged, match=r"step \d+: (loss|grad norm) is (nan|inf)"):
        train(**{**SETTINGS, "learning_rate": rate}, on_step=seen.append)
    assert len(seen) < SETTINGS["steps"]
    assert weights(policy).isfinite().all()


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_a_last_step_that_ruins_the_weights_says_so(loop, policy, examples, monkeypatch):
    real = torch.optim.AdamW.step

    def ruin(self, *args, **kwargs):
        real(self, *args, **kwargs)
        with torch.no_grad():
            self.param_groups[0]["params"][0][3, 0] = torch.nan

    monkeypatch.setattr(torch.optim.AdamW, "step", ruin)
    with pytest.raises(Diverged, match=r"step 1: the weights model\.embed_tokens\.weight are not finite"):
        train_supervised(policy, examples, **{**SETTINGS, "steps": 1}, loop=loop)


def test_the_lean_loop_serves_small_models_trained_as_a_whole_on_a_cpu(policy, tokenizer, make_model, monkeypatch):
    run = Run(**SETTINGS)
    assert obstacle(policy, run, None) is None
    assert obstacle(policy, run, LoraConfig(r=2)) == "adapters are trained"
    for options in ({"optimizer": "rmsprop"}, {"schedule": "polynomial"}, {"gradient_checkpointing": True}):
        assert "optimizer=" in obstacle(policy, Run(**SETTINGS, **options), None)
    biased = make_model()
    biased.config.attention_bias = True
    assert "biases" in obstacle(Policy(biased, tokenizer), run, None)
    monkeypatch.setattr("autodidact.training.lean.MOST_PARAMETERS", 10_000)
    assert "above 10,000" in obstacle(policy, run, None)


def test_auto_is_lean_where_that_serves_and_trl_elsewhere(policy, examples):
    """TRL's log counts epochs, ours does not."""
    few = {**SETTINGS, "steps": 1}
    assert "epoch" not in train_supervised(policy, examples, **few)[1][0]
    assert "epoch" in train_supervised(policy, examples, **few, optimizer="rmsprop")[1][0]
    with pytest.raises(ValueError, match=r"loop='lean' cannot serve here: adapters are trained"):
        train_supervised(policy, examples, **few, loop="lean", lora=LoraConfig(r=2))
    with pytest.raises(ValueError, match="loop='quick' is unknown; known are auto, lean, trl"):
        train_supervised(policy, examples, **few, loop="quick")


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="learning_rate=.* must be finite and not below 0"):
        Run(**{**SETTINGS, "learning_rate": rate})


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_a_policy_is_shown_on_the_way(loop, policy, examples):
    seen = {}

    def look(step, shown):
        assert not shown.model.training
        seen[step] = weights(shown).clone()

    trained, _ = train_supervised(policy, examples, **{**SETTINGS, "steps": 4}, watch=look, at=(2, 4), loop=loop)
    half, _ = train_supervised(policy, examples, **{**SETTINGS, "steps": 2}, loop=loop)
    assert set(seen) == {2, 4} and torch.equal(seen[4], weights(trained)) and torch.equal(seen[2], weights(half))
    with pytest.raises(ValueError, match=r"at=\[5\] must be steps of the run, 1 to 4"):
        train_supervised(policy, examples, **{**SETTINGS, "steps": 4}, watch=look, at=(5,))


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_a_policy_is_shown_on_the_way_of_preference_training(loop, policy, pairs):
    seen, how = {}, {"loss": partial(dpo, beta=0.2), "loop": loop, **LAST}

    def look(step, shown):
        seen[step] = shown.sequence_logprobs([q.prompt for q in pairs], [q.chosen for q in pairs])

    trained, _ = train_preferences(policy, pairs, steps=4, watch=look, at=(2, 4), **how)
    half, _ = train_preferences(policy, pairs, steps=2, **how)
    for step, one in {2: half, 4: trained}.items():
        after = one.sequence_logprobs([q.prompt for q in pairs], [q.chosen for q in pairs])
        assert seen[step] == pytest.approx(after, rel=1e-6)  # TRL's head sums in another order while it trains
    assert seen[2] != pytest.approx(seen[4], rel=1e-3)
    with pytest.raises(ValueError, match=r"at=\[5\] must be steps of the run, 1 to 4"):
        train_preferences(policy, pairs, steps=4, watch=look, at=(5,), **how)


def test_garbage_is_looked_for_as_before_once_a_training_is_over(policy, examples):
    before, seen = gc.get_threshold(), []
    train_supervised(policy, examples, **LAST, steps=1, on_step=lambda log: seen.append(gc.get_threshold()[0]))
    assert seen[0] > before[0] and gc.get_threshold() == before
    with pytest.raises(Diverged):
        train_supervised(policy, examples, **{**LAST, "learning_rate": 1e30}, steps=5, loop="lean")
    assert gc.get_threshold() == before


def test_the_package_loads_neither_trl_nor_data_sets():
    code = "import sys, autodidact.training; print([m for m in ('trl', 'datasets', 'accelerate') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("loop", ["lean", "trl"])
def test_pairs_bring_a_reference_of_their_own(loop, policy, pairs):
    """The policy's own log-probabilities change nothing; another policy's are what the margins are measured from."""
    other, _ = train_supervised(policy, [(q.prompt, q.chosen) for q in pairs], steps=3, **LAST)
    train = partial(train_preferences, policy, loss=partial(dpo, beta=0.5), loop=loop, steps=4, **LAST)
    plain, (mine, far) = train(pairs)[0], (train(with_logprobs(pairs, ref=one)) for one in (policy, other))
    way = (weights(plain) - weights(policy)).norm()
    assert (weights(mine[0]) - weights(plain)).norm() < 1e-3 * way < (weights(far[0]) - weights(plain)).norm()
    drawn = [pairs[i] for i in Run(steps=4, **LAST).order(len(pairs))[: LAST["batch_size"]]]
    texts, sides = [q.prompt for q in drawn], ([q.chosen for q in drawn], [q.rejected for q in drawn])
    win, lose = (policy.sequence_logprobs(texts, y) - other.sequence_logprobs(texts, y) for y in sides)
    assert far[1][0]["rewards/margins"] == pytest.approx(0.5 * (win - lose).mean(), abs=1e-4)
    some = [*pairs[:-1], *with_logprobs(pairs[-1:], ref=other)]
    with pytest.raises(ValueError, match=r"pairs\[0\] needs a finite column ref_chosen"):
        train(some)
