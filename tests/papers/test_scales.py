"""The scale `paper` is the code of `small` and `toy`: run here on a tiny checkpoint in the hub's format."""

import pytest

from tests.papers.notebooks import measure

# The least that each notebook can do and still reach its verdicts.
LEAST = {
    "sppo": {
        "rounds": 2, "prompts": 6, "responses": 3, "max_new_tokens": 6, "steps": 1, "batch_size": 2,
        "gradient_accumulation": 2, "optimizer": "adamw_torch", "checkpoints": [1, 2], "heldout": 4, "heldout_pairs": 6,
        "eval_responses": 2, "lora_rank": 2, "base_steps": 2, "cycle_rounds": 1, "cycle_prompts": 12, "cycle_steps": 1,
        "table_rounds": 20, "threads": 1,
    },
    "spin": {
        "demonstrations": 24, "sft_steps": 1, "sft_batch_size": 2, "lambdas": [0.1, 5.0], "rates": [1.0, 0.2],
        "prompts": 8, "max_new_tokens": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "optimizer": "adamw_torch", "warmup": 0.0, "lora_rank": 2, "preference_pairs": 6, "doses": [1.0],
        "cut_tokens": 2, "discriminator_prompts": 6, "discriminator_steps": 1, "heldout": 6, "base_steps": 2,
        "threads": 1,
    },
    "irepo": {
        "rounds": 1, "prompts": 4, "max_new_tokens": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "lora_rank": 2, "set_prompts": 6, "set_batch_size": 4, "epochs": [1, 2], "votes": 3, "length_bias": 0.5,
        "best_epochs": {"irepo": 1, "soft": 1, "dpo": 1, "ipo": 1}, "counts": [3], "heldout": 4,
        "heldout_pairs": 12, "eval_responses": 1, "ranked_prompts": 4, "base_steps": 2, "threads": 1,
    },
    "cream": {
        "seed_prompts": 4, "seed_steps": 1, "seed_batch_size": 2, "doses": [1, 2], "dose_prompts": 4, "rounds": 2,
        "prompts": 6, "responses": 3, "max_new_tokens": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "lora_rank": 2, "rates": [1e-6], "heldout": 4, "eval_responses": 2, "base_steps": 2, "threads": 1,
    },
    "dno": {
        "rounds": 2, "prompts": 6, "responses": 3, "max_new_tokens": 6, "steps": 1, "batch_size": 2,
        "gradient_accumulation": 2, "lora_rank": 2, "judge_noise": 2.0, "heldout": 4, "eval_responses": 2,
        "base_steps": 2, "table_rounds": 20, "threads": 1,
    },
    "srpo": {
        "prompts": 6, "responses": 2, "max_new_tokens": 6, "steps": 1, "batch_size": 2,
        "gradient_accumulation": 2, "lora_rank": 2, "revisions": 2, "heldout": 4, "eval_responses": 2,
        "table_responses": 3, "threads": 1,
    },
    "selm": {
        "rounds": 2, "prompts": 6, "max_new_tokens": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "lora_rank": 2, "heldout": 4, "eval_responses": 2, "heldout_pairs": 6, "alphas": [0.01, 0.1], "alpha": 0.1,
        "best_alpha": 0.01, "table_responses": 5, "table_prompts": 2, "base_steps": 2, "threads": 1,
    },
    "t-reg": {
        "prompts": 12, "responses": 4, "max_new_tokens": 40, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "lora_rank": 2, "alphas": [0.25, 4.0], "heldout": 6, "eval_responses": 2, "threads": 1,
    },
    "self-supervised-po": {
        "prompts": 6, "responses": 2, "max_new_tokens": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2,
        "lora_rank": 2, "heldout": 4, "eval_responses": 2, "heldout_pairs": 6, "read_pairs": 6, "threads": 1,
    },
    "self-interpretability": {
        "contexts": 4, "native": 2, "choice_examples": 3, "choice_steps": 2, "choice_batch_size": 2, "report_steps": 2,
        "report_examples": 1, "report_batch_size": 2, "rehearsal": 1, "few_contexts": 1, "lora_rank": 2,
        "checkpoints": 2, "gradient_accumulation": 2, "measured_choices": 3, "measured_reports": 2, "report_tokens": 4,
        "resamples": 50, "threads": 1,
    },
    "dstc": {
        "tasks": 3, "codes": 2, "tests": 2, "code_tokens": 6, "test_tokens": 6, "steps": 1, "batch_size": 2,
        "gradient_accumulation": 2, "lora_rank": 2, "heldout": 3, "wordings": 1, "base_steps": 2,
        "base_batch_size": 4, "threads": 1,
    },
    "step-dpo": {
        "problems": 4, "samples": 2, "continuations": 2, "most_pairs": 1, "max_new_tokens": 12, "steps": 1,
        "batch_size": 2, "gradient_accumulation": 2, "lora_rank": 2, "looks": [], "doses": [], "heldout": 24,
        "heldout_samples": 1, "threads": 1,
    },
    "dbg-self-preference": {
        "train_prompts": 6, "steps": 1, "batch_size": 2, "gradient_accumulation": 2, "lora_rank": 2, "heldout": 4,
        "max_new_tokens": 6, "attention_pairs": 2, "ladder_rates": [1e-4, 1e-4], "threads": 1,
    },
    "apo": {
        "rounds": 2, "prompts": 6, "responses": 3, "max_new_tokens": 6, "steps": 1, "batch_size": 2,
        "gradient_accumulation": 2, "optimizer": "adamw_torch", "lora_rank": 2, "heldout": 8, "heldout_pairs": 6,
        "eval_responses": 2, "base_steps": 2, "table_worlds": 12, "table_rounds": 8, "threads": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("slug", sorted(LEAST))
def test_paper_scale_runs_on_a_checkpoint_in_hub_format(slug, checkpoint, mirror, monkeypatch):
    monkeypatch.setenv("DATASETS_MIRROR", str(mirror))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    here = str(checkpoint)
    others = {
        "spin": {"discriminator": here}, "dno": {"teacher_model": here},
        "dbg-self-preference": {"second_model": here, "ladder": [here, here]},
    }  # fmt: skip
    given = {"scale": "paper", "model": str(checkpoint), "seeds": 1, **LEAST[slug], **others.get(slug, {})}
    record = measure(slug, **given)
    assert record["scale"] == "paper"
    assert record["parameters"]["model"] == str(checkpoint)
    assert all(len(claim["treatment"]) >= 1 for claim in record["claims"])
