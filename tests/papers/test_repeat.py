"""The same seed gives the same numbers, alone or among others: nothing leaks from one seed into the next."""

import pytest

from tests.papers.notebooks import execute, numbers, seeds_stand_alone
from tests.papers.test_scales import LEAST

SAME = {"model": "tiny", "lora_rank": None, "gradient_accumulation": 1, "steps": 2, "max_new_tokens": 14}
OWN = {"step-dpo": {"max_new_tokens": 56, "base_steps": 400}}  # answers short of their end have no steps to differ in


@pytest.mark.parametrize("slug", sorted(LEAST))
def test_seeds_together_are_seeds_apart_bit_for_bit(slug, tmp_path, monkeypatch):
    monkeypatch.delenv("MAX_SEEDS", raising=False)

    def run(seed, seeds):
        given = {**LEAST[slug], **SAME, **OWN.get(slug, {}), "seed": seed, "seeds": seeds}
        return execute(slug, tmp_path / f"{seed}-{seeds}.ipynb", **given)

    together, second = seeds_stand_alone(run)
    first = numbers(run(100, 1))
    assert first == {key: value for key, value in together.items() if key in first}
    assert set(first) | set(second) == set(together)
    assert any(first[claim, 100] != together[claim, 101] for claim, seed in first if seed == 100)
