"""Our losses against TRL's own branches, run on a random Llama: the same tensors, the same number."""

from functools import partial

import pytest
import torch
from trl import DPOTrainer

from autodidact.losses import dpo, hinge, ipo, spin, sppo

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")

BETA = 0.3


def hard(*logps):
    ones = torch.ones_like(logps[0])
    return sppo(*logps, ones, 0 * ones, beta=BETA, terms="sum")


@pytest.mark.parametrize(
    ("loss_type", "ours", "per_token"),
    [
        ("sigmoid", partial(dpo, beta=BETA), False),
        ("sigmoid", partial(spin, beta=BETA), False),
        ("hinge", partial(hinge, beta=BETA), False),
        ("hinge", partial(spin, beta=BETA, kind="hinge"), False),
        ("ipo", partial(ipo, beta=BETA), True),
        ("sppo_hard", hard, False),
    ],
)
def test_equal_to_the_branch_of_trl(loss_type, ours, per_token, make_model, config, texts, tokenizer, logps):
    trainer = DPOTrainer(
        model=make_model(0),
        ref_model=make_model(1),
        args=config(loss_type=[loss_type], beta=BETA),
        train_dataset=texts,
        processing_class=tokenizer,
    )
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(8)])
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
    plain = {name: batch[name] for name in ("input_ids", "attention_mask")}
    same = []
    with torch.no_grad():
        theirs = trainer._compute_loss(trainer.model, dict(batch), False).item()
        for model in (trainer.model, trainer.ref_model):
            tokens = model(**plain, labels=labels, fused_lm_head=True).log_probs
            lengths = (labels != -100).sum(1) if per_token else 1
            same += (tokens.sum(1) / lengths).chunk(2)
    assert ours(*same).mean().item() == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    # and the tensors are what they are taken for: log-probabilities by a plain softmax, in double precision
    independent = [half for model in (trainer.model, trainer.ref_model) for half in logps(model, batch, mean=per_token)]
    for mine, other in zip(same, independent, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-4)
