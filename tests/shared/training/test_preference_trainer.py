from functools import partial

import numpy as np
import pytest
import torch
from peft import LoraConfig
from trl import DPOTrainer

from autodidact.losses import dpo, ipo, sppo
from autodidact.training import PreferenceTrainer, extra_columns

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")

BETA = 0.2
LOSS = partial(dpo, beta=BETA)
LORA = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], lora_dropout=0.0)


def steps(trainer):
    """Logs by step of a whole training."""
    trainer.train()
    return [log for log in trainer.state.log_history if "loss" in log]


def curve(trainer):
    return np.array([log["loss"] for log in steps(trainer)])


def assert_one_curve(a, b, largest=1e-5, mean=5e-6):
    """Point by point, and without drift: a small one-sided difference shows in the mean first."""
    assert len(a) == len(b) and np.ptp(a) > 0.01
    assert np.abs(a - b).max() < largest
    assert abs((a - b).mean()) < mean


def ours(make_model, config, dataset, tokenizer, loss=LOSS, options=None, **trl):
    args = config(**(options or {}))
    return PreferenceTrainer(
        make_model(), loss=loss, args=args, train_dataset=dataset, processing_class=tokenizer, **trl
    )


SETTINGS = {
    "full": ({}, {}),
    "lora": ({"learning_rate": 1e-2}, {"peft_config": LORA}),
    "accumulation": ({"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}, {}),
    "precomputed": ({"precompute_ref_log_probs": True}, {}),
    "precomputed-lora": ({"precompute_ref_log_probs": True, "learning_rate": 1e-2}, {"peft_config": LORA}),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_dpo_gives_the_curve_of_trl(setting, make_model, config, texts, tokenizer):
    options, trl = SETTINGS[setting]
    reference = {} if trl or "precomputed" in setting else {"ref_model": make_model()}
    stock = DPOTrainer(
        make_model(),
        args=config(beta=BETA, **options),
        train_dataset=texts,
        processing_class=tokenizer,
        **reference,
        **trl,
    )
    theirs = steps(stock)
    reference = {"ref_model": make_model()} if reference else {}
    mine = steps(ours(make_model, config, texts, tokenizer, options=options, **reference, **trl))
    assert_one_curve(*(np.array([log["loss"] for log in logs]) for logs in (theirs, mine)))
    assert set(theirs[0]) == set(mine[0])
    for name in theirs[0]:
        assert mine[0][name] == pytest.approx(theirs[0][name], rel=1e-4, abs=1e-5), name
        assert mine[-1][name] == pytest.approx(theirs[-1][name], rel=1e-2, abs=1e-3), name


def test_one_batch_of_eight_and_eight_of_one_give_one_curve(make_model, config, tokenised, tokenizer):
    curves = []
    for size in (8, 1):
        options = {
            "per_device_train_batch_size": size,
            "gradient_accumulation_steps": 8 // size,
            "precompute_ref_log_probs": True,
        }
        curves.append(curve(ours(make_model, config, tokenised, tokenizer, partial(sppo, beta=BETA), options)))
    assert_one_curve(*curves, largest=1e-4, mean=2e-5)  # losses of 2 nats squared


def test_tokenised_data_train_like_their_texts(make_model, config, tokenised, texts, tokenizer):
    options = {"precompute_ref_log_probs": True, "max_steps": 5}
    a, b = (curve(ours(make_model, config, data, tokenizer, options=options)) for data in (tokenised, texts))
    assert (a == b).all()


def weighted(chosen, rejected, ref_chosen, ref_rejected, weight, *, beta):
    return weight * dpo(chosen, rejected, ref_chosen, ref_rejected, beta=beta)


def test_a_constant_column_equals_no_column_and_another_does_not(make_model, config, tokenised, tokenizer):
    options = {"precompute_ref_log_probs": True, "max_steps": 5}

    def run(weights=None):
        if weights is None:
            return curve(ours(make_model, config, tokenised, tokenizer, options=options))
        data, loss = tokenised.add_column("weight", weights), partial(weighted, beta=BETA)
        return curve(ours(make_model, config, data, tokenizer, loss, options))

    assert (run() == run([1.0] * len(tokenised))).all()
    assert (run() != run(np.linspace(0.5, 2, len(tokenised)).tolist())).any()


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("precomputed", [False, True])
@pytest.mark.parametrize(
    ("loss", "columns"),
    [(LOSS, ()), (partial(sppo, beta=BETA), ("p_win", "p_lose")), (partial(ipo, beta=BETA), ())],
    ids=["dpo", "sppo", "ipo"],
)
def test_the_number_logged_is_the_pure_function_on_the_batch(
    loss, columns, precomputed, average, make_model, config, tokenised, tokenizer, logps
):
    batch_rows = tokenised.select(range(8))
    options = {"max_steps": 1, "precompute_ref_log_probs": precomputed}
    # Where the reference is another model than the policy, nothing is zero by accident.
    reference = {"ref_model": make_model(1)}
    trainer = ours(make_model, config, batch_rows, tokenizer, loss, options, average_log_prob=average, **reference)
    batch = trainer.data_collator([batch_rows[i] for i in range(8)])
    arguments = [half for seed in (0, 1) for half in logps(make_model(seed), batch, mean=average)]
    expected = loss(*arguments, *(torch.tensor(batch_rows[name][:]) for name in columns))
    [log] = steps(trainer)
    assert log["loss"] == pytest.approx(expected.mean().item(), rel=1e-5)
    margin = BETA * ((arguments[0] - arguments[2]) - (arguments[1] - arguments[3])).mean().item()
    assert log["rewards/margins"] == pytest.approx(margin, rel=1e-4)


def test_per_token_ipo_gives_the_curve_of_trl(make_model, config, texts, tokenizer):
    options = {"precompute_ref_log_probs": True, "max_steps": 10}
    stock = DPOTrainer(
        make_model(),
        args=config(beta=BETA, loss_type=["ipo"], **options),
        train_dataset=texts,
        processing_class=tokenizer,
    )
    mine = ours(make_model, config, texts, tokenizer, partial(ipo, beta=BETA), options, average_log_prob=True)
    assert_one_curve(curve(stock), curve(mine))


def test_reference_columns_are_kept(make_model, config, tokenised, tokenizer):
    data = tokenised.add_column("ref_chosen_logps", [-3.0] * len(tokenised))
    data = data.add_column("ref_rejected_logps", [-4.0] * len(tokenised))
    trainer = ours(make_model, config, data, tokenizer, options={"precompute_ref_log_probs": True})
    assert trainer.train_dataset["ref_chosen_logps"][:] == [-3.0] * len(tokenised)
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["ref_rejected_logps"].tolist() == [-4.0] * 8


def test_columns_reach_the_loss_as_float32(make_model, config, tokenised, tokenizer):
    seen = []

    def spy(chosen, rejected, ref_chosen, ref_rejected, p_win, absent=None):
        seen.append((p_win, absent))
        return chosen - rejected

    trainer = ours(make_model, config, tokenised, tokenizer, spy, {"max_steps": 1, "precompute_ref_log_probs": True})
    trainer.train()
    [(p_win, absent)] = seen
    assert p_win.dtype == torch.float32 and p_win.shape == (8,) and absent is None
    known = torch.tensor(tokenised["p_win"][:], dtype=torch.float32)
    assert torch.isin(p_win, known).all() and p_win.unique().numel() == 8


def test_held_out_pairs_are_evaluated_with_the_same_loss(make_model, config, tokenised, tokenizer, logps):
    loss, held_out = partial(sppo, beta=BETA), tokenised.select(range(8, 16))
    options = {"precompute_ref_log_probs": True, "per_device_eval_batch_size": 8}
    trainer = ours(make_model, config, tokenised, tokenizer, loss, options, eval_dataset=held_out)
    metrics = trainer.evaluate()
    same = [torch.zeros(8)] * 4
    expected = loss(*same, *(torch.tensor(held_out[name][:]) for name in ("p_win", "p_lose"))).mean().item()
    assert metrics["eval_loss"] == pytest.approx(expected, rel=1e-5)
    assert trainer.evaluate(tokenised.select(range(8, 16)))["eval_loss"] == pytest.approx(expected, rel=1e-5)


def test_extra_columns():
    assert extra_columns(LOSS) == {}
    assert extra_columns(partial(sppo, beta=0.1)) == {"p_win": True, "p_lose": True}
    assert extra_columns(lambda a, b, c, d, weight=None: a) == {"weight": False}


def reduced(chosen, rejected, ref_chosen, ref_rejected):
    return (chosen - rejected).mean()


@pytest.mark.parametrize(
    ("loss", "options", "data", "message"),
    [
        (partial(weighted, beta=BETA), {}, None, "train_dataset lacks the column weight"),
        (weighted, {}, None, "loss weighted leaves beta open"),
        (lambda chosen, rejected: chosen, {}, None, "must take chosen, rejected, ref_chosen, ref_rejected"),
        (LOSS, {"loss_type": ["ipo"]}, None, r"loss_type=\['ipo'\] in args has no effect"),
        (LOSS, {"label_smoothing": 0.1}, None, "label_smoothing=0.1 in args has no effect"),
        (LOSS, {"use_weighting": True}, None, "use_weighting=True"),
        (LOSS, {"ld_alpha": 0.5}, None, "ld_alpha=0.5"),
        (LOSS, {"f_divergence_type": "js_divergence"}, None, "f_divergence_type='js_divergence'"),
        (LOSS, {"beta": 0.7}, None, "beta=0.7 in args contradicts beta=0.2 of the loss"),
        (partial(sppo, beta=1.0), {}, [float("nan")] * 24, "column p_win of train_dataset must hold one finite number"),
        (partial(sppo, beta=1.0), {}, [[0.1, 0.2]] * 24, "column p_win of train_dataset must hold one finite number"),
        (partial(sppo, beta=1.0), {}, ["high"] * 24, "column p_win of train_dataset must hold one finite number"),
        (lambda a, b, c, d, chosen: a, {}, None, "names the column chosen, which the trainer fills"),
    ],
)
def test_what_cannot_work_is_refused_at_construction(
    loss, options, data, message, make_model, config, tokenised, tokenizer
):
    if data is not None:
        tokenised = tokenised.remove_columns("p_win").add_column("p_win", data)
    with pytest.raises(ValueError, match=message) as error:
        ours(make_model, config, tokenised, tokenizer, loss, options)
    assert "\n" not in str(error.value)


def test_compute_metrics_and_held_out_data_without_the_column_are_refused(make_model, config, tokenised, tokenizer):
    with pytest.raises(ValueError, match="compute_metrics"):
        ours(make_model, config, tokenised, tokenizer, compute_metrics=dict)
    with pytest.raises(ValueError, match="eval_dataset lacks the column p_win"):
        ours(
            make_model,
            config,
            tokenised,
            tokenizer,
            partial(sppo, beta=1.0),
            eval_dataset=tokenised.remove_columns("p_win"),
        )


def test_a_reduced_loss_is_refused(make_model, config, tokenised, tokenizer):
    trainer = ours(make_model, config, tokenised, tokenizer, reduced, {"precompute_ref_log_probs": True})
    with pytest.raises(ValueError, match=r"must return shape \(8,\), unreduced, not \(\)"):
        trainer.train()
