"""Soft labels against TRL: its label smoothing is one strength for all, and both loops train each pair by its own."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from trl import DPOTrainer

from autodidact.losses import osp
from autodidact.training import train_preferences

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.mark.parametrize(("branch", "smoothing"), [("sigmoid", 0.0), ("aot", 0.1), ("aot", 0.35)])
def test_one_strength_for_all_is_trl_s_label_smoothing(branch, smoothing, make_model, config, texts, tokenizer, logps):
    """`sigmoid` has no smoothing in this release; `aot` is `sigmoid` with it where its sort has one pair to sort."""
    trainer = DPOTrainer(
        model=make_model(0),
        ref_model=make_model(1),
        args=config(loss_type=[branch], beta=0.3, label_smoothing=smoothing),
        train_dataset=texts,
        processing_class=tokenizer,
    )
    for i in range(6):
        batch = trainer.data_collator([trainer.train_dataset[i]])
        with torch.no_grad():
            theirs = trainer._compute_loss(trainer.model, dict(batch), False).item()
        mine = [half for model in (trainer.model, trainer.ref_model) for half in logps(model, batch)]
        ours = osp(*mine, torch.full_like(mine[0], 1 - smoothing), beta=0.3)
        assert ours.item() == pytest.approx(theirs, rel=1e-5, abs=1e-5)


def test_a_strength_a_pair_is_trained_by_both_loops_alike(policy, pairs):
    soft = [replace(q, columns={"p": q.columns["p_win"]}) for q in pairs]
    train = partial(train_preferences, policy, soft, loss=partial(osp, beta=0.2), steps=60, batch_size=6)
    (lean, _), (trl, _) = (train(learning_rate=1e-4, seed=11, loop=loop) for loop in ("lean", "trl"))
    weights = [torch.cat([w.flatten() for w in of.model.state_dict().values()]) for of in (lean, trl, policy)]
    assert (weights[0] - weights[1]).abs().max() < 1e-5 < (weights[0] - weights[2]).abs().max()


def test_pairs_without_a_strength_are_refused(policy, pairs):
    with pytest.raises(ValueError, match=r"pairs\[0\] needs a finite column p"):
        train_preferences(policy, pairs, loss=osp, steps=1, batch_size=2, learning_rate=1e-4, seed=0)
