"""CREAM's loss against TRL's smoothed DPO on one batch, and the self-rewarding loop's order of events."""

import pytest
import torch
from trl import DPOTrainer

from autodidact.losses import cream
from autodidact.training import self_rewarding

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.mark.parametrize("c", [0.6, 0.9])
def test_one_consistency_for_all_is_trls_smoothed_sigmoid(c, make_model, config, texts, tokenizer):
    """TRL's `sigmoid` reads no label smoothing; its `aot` does, and its sorting leaves a batch of one as it is."""
    trainer = DPOTrainer(
        model=make_model(0),
        ref_model=make_model(1),
        args=config(loss_type=["aot"], beta=0.3, label_smoothing=1 - c),
        train_dataset=texts,
        processing_class=tokenizer,
    )
    for i in range(4):
        batch = trainer.data_collator([trainer.train_dataset[i]])
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
        plain = {name: batch[name] for name in ("input_ids", "attention_mask")}
        logps = []
        with torch.no_grad():
            theirs = trainer._compute_loss(trainer.model, dict(batch), False).item()
            for model in (trainer.model, trainer.ref_model):
                logps += model(**plain, labels=labels, fused_lm_head=True).log_probs.sum(1).chunk(2)
        ours = cream(*logps, torch.full_like(logps[0], c), beta=0.3).item()
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def test_each_round_asks_the_last_policy_and_labels_with_all_of_them():
    seen = []

    def label(path, answers, t):
        seen.append((tuple(path), answers, t))
        return [] if t == 1 else [f"pair {t}"]

    path = self_rewarding(
        ["m0", "m1"],
        3,
        ask=lambda policy, t: f"{policy} says",
        label=label,
        train=lambda q, pairs, t: f"{q}+{pairs[0]}",
    )
    first = "m1+pair 0"
    assert path == ["m0", "m1", first, first, first + "+pair 2"]  # a round without pairs trains nothing
    assert seen[0] == (("m0", "m1"), "m1 says", 0)
    assert seen[2] == (("m0", "m1", first, first), f"{first} says", 2)


def test_no_policy_or_negative_rounds_are_refused():
    for policies, rounds in (([], 1), (["m0"], -1)):
        with pytest.raises(ValueError, match="policies and rounds"):
            self_rewarding(policies, rounds, ask=None, label=None, train=None)
