"""The same seed gives the same numbers, alone or among others: nothing leaks from one seed into the next."""

import pytest

from tests.papers.notebooks import measure, seeds_stand_alone
from tests.papers.test_scales import LEAST

SAME = {"model": "tiny", "lora_rank": None, "gradient_accumulation": 1, "steps": 2, "max_new_tokens": 14}
OWN = {
    "step-dpo": {"max_new_tokens": 56, "base_steps": 400},  # answers short of their end have no steps to differ in
    # programs that never run are all as bad as one another
    "dstc": {
        "base_steps": 400,
        "base_batch_size": 16,
        "tasks": 24,
        "codes": 4,
        "tests": 4,
        "batch_size": 8,
        "heldout": 12,
        "code_tokens": 56,
        "test_tokens": 48,
    },
    "irepo": {"many_prompts": 8},
    "dbg-self-preference": {"ladder": [8, 64], "ladder_base_rates": [4e-3, 4e-3], "base_steps": 2},
}


@pytest.mark.parametrize("slug", sorted(LEAST))
def test_seeds_together_are_seeds_apart_bit_for_bit(slug):
    def run(**seeds):
        return measure(slug, **{**LEAST[slug], **SAME, **OWN.get(slug, {})}, **seeds)

    together, alone = seeds_stand_alone(run)
    assert {replicate for _, replicate in together if isinstance(replicate, int)} == {100, 101}
    assert any(pair != together[claim, 100] for (claim, replicate), pair in alone.items() if replicate == 101)
