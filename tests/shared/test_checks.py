"""What is no finite number is refused by name wherever numbers are ranked, tested or learnt from."""

from functools import partial

import numpy as np
import pytest
import torch
from datasets import Dataset, IterableDataset
from trl import DPOConfig

from autodidact import claims, judges, samplers
from autodidact.checks import finite, whole
from autodidact.claims import statistics
from autodidact.losses import sppo
from autodidact.models import BegunPolicy, TinyBase, extrapolate
from autodidact.models.tiny import new_tiny
from autodidact.samplers.pass_matrix import top_and_bottom
from autodidact.training import Diverged, Pair, PreferenceTrainer, Run
from autodidact.training.pairs import pair_rows
from tests.shared.toy_world import ToyWorld

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def policy():
    return new_tiny(ToyWorld(), 0, TinyBase(hidden=16))


class Says:
    """A judge that has one answer."""

    def __init__(self, value):
        self.value = value

    def probability(self, prompt, a, b):
        return self.value


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_no_rule_ranks_what_is_not_finite(bad):
    three = [0.1, bad, 0.3]
    asks = {
        r"scores\[1\]": lambda: samplers.best_and_worst(three),
        r"scores of prompts\[0\]\[1\]": lambda: samplers.best_of_n(lambda x, y: three[int(y)], ["p"], [[*"012"]]),
        r"scores\[1\]\[1\]": lambda: samplers.extreme_pairs(["p", "q"], [["a", "b", "c"]] * 2, [[1, 2, 3], three]),
        "probability": lambda: samplers.win_rate_matrix(Says(bad), None, ["a", "b"]),
        "utility of 'a'": lambda: judges.ScalarJudge(lambda x, y: bad).probability(None, "a", "b"),
        r"scores\[0\]\[1\]": lambda: judges.ordinal_ranks([three]),
        r"first\[0\]\[1\]": lambda: judges.rank_correlation([three], [three]),
        "scores.1.": lambda: top_and_bottom(three),
        r"differences\[1\]": lambda: claims.sign_flip(three),
        r"values\[1\]": lambda: claims.t_interval(three),
        "values.[1].": lambda: statistics.bca_interval(three, np.random.default_rng(0)),
        "values.1.": lambda: claims.mean_interval(three),
        r"treatment\[1\]": lambda: claims.difference(three, [0.0] * 3, "greater"),
        r"control\[1\]": lambda: claims.equivalence([0.0] * 3, three, 0.1),
        "temperature": lambda: samplers.SearchSettings(temperature=bad),
    }
    for name, ask in asks.items():
        with pytest.raises(ValueError, match=f"^{name}={bad} must be finite$"):
            ask()


@pytest.mark.parametrize("bad", [1.2, -0.1])
def test_a_win_rate_is_a_probability(bad):
    with pytest.raises(ValueError, match=f"the judge gave 'a' against 'b' the probability {bad}"):
        samplers.win_rate_matrix(Says(bad), None, ["a", "b"])


def test_numbers_as_texts_are_refused(policy):
    with pytest.raises(ValueError, match="treatment must be finite numbers, '0.3' is none"):
        claims.difference(["0.3", 0.2], [0.1, 0.1], "greater")
    with pytest.raises(ValueError, match="scores must be finite numbers, '2' is none"):
        samplers.best_and_worst(["2", "10"])
    pairs = [Pair("say ant :", "ant", "bee", {"p_win": "0.9", "p_lose": 0.1})]
    with pytest.raises(ValueError, match=r"pairs\[0\] needs a finite column p_win for the loss, got '0.9'"):
        pair_rows(policy, pairs, partial(sppo, beta=1.0), Run(steps=1, batch_size=1, learning_rate=0, seed=0))


@pytest.mark.parametrize("option", ["temperature", "top_p"])
def test_sampling_by_nan_is_refused(policy, option):
    with pytest.raises(ValueError, match=f"{option}=nan"):
        policy.generate(["say ant :"], rng=np.random.default_rng(0), **{option: NAN})
    with pytest.raises(ValueError, match="by=nan must be finite"):
        extrapolate(policy, policy, NAN)


def test_a_response_without_tokens_has_no_mean(policy):
    step = BegunPolicy(policy, end=False)
    with pytest.raises(ValueError, match=r"mean log pi\[0\]=nan"):
        judges.mean_loglikelihoods(step, ["say ant :"], [[""]])
    with pytest.raises(ValueError, match=r"mean log pi\[0\]=nan"):
        judges.likelihood_outcomes(step, [("say ant :", "", "ant")])


@pytest.mark.parametrize("bad", [NAN, INF, "0.7", None, [0.1]])
@pytest.mark.parametrize("column", ["p_win", "ref_chosen_logps"])
def test_streamed_rows_are_checked_where_they_are_used(policy, tmp_path, bad, column):
    rows = [
        {"prompt_ids": [4, 7], "chosen_ids": [8, 2], "rejected_ids": [9, 2], "p_win": 0.9, "p_lose": 0.1,
         "ref_chosen_logps": -1.0, "ref_rejected_logps": -2.0} for _ in range(4)
    ]  # fmt: skip
    rows[2][column] = bad
    stream = IterableDataset.from_generator(lambda: iter(rows))
    args = DPOConfig(
        output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=2, report_to="none", save_strategy="no",
        use_cpu=True, bf16=False, disable_tqdm=True, precompute_ref_log_probs=True, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = PreferenceTrainer(
        policy.copy().model, loss=partial(sppo, beta=1.0), args=args, train_dataset=stream,
        processing_class=policy.tokenizer,
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"column {column} of a batch must hold one finite number an example"):
        trainer.train()


def test_a_column_of_texts_is_refused_at_construction(policy, tmp_path):
    data = Dataset.from_dict(
        {"prompt_ids": [[4]], "chosen_ids": [[8]], "rejected_ids": [[9]], "p_win": ["0.7"], "p_lose": [0.1]}
    )
    args = DPOConfig(output_dir=str(tmp_path), report_to="none", use_cpu=True, bf16=False)
    with pytest.raises(ValueError, match="column p_win of train_dataset must hold one finite number .* holds '0.7'"):
        PreferenceTrainer(
            policy.copy().model, loss=partial(sppo, beta=1.0), args=args, train_dataset=data,
            processing_class=policy.tokenizer,
        )  # fmt: skip


def test_a_reward_model_that_diverges_says_so(policy):
    pairs = [Pair("say ant :", "ant ant", "bee"), Pair("say bee :", "bee bee", "ant")]
    with pytest.raises(Diverged, match="step 3: the weights .* are not finite"):
        judges.train_reward_model(policy, pairs, steps=3, batch_size=2, learning_rate=1e38)


def test_whole_and_finite():
    assert whole("n", np.int8(3)) == 3 and type(whole("n", np.int8(3))) is int
    for value in (2.0, "2", None, np.float64(2)):
        with pytest.raises(ValueError, match="must be a whole number"):
            whole("n", value)
    assert finite("x", torch.tensor([1, 2])).dtype == float and finite("x", 3).shape == ()
    for values in ([None], ["a"], [[1], [1, 2]], [object()]):
        with pytest.raises(ValueError, match="^x must be .*numbers"):
            finite("x", values)
