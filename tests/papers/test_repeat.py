"""The same seed gives the same numbers, alone or among others: nothing leaks from one seed into the next."""

import papermill
import pytest

from shared.claims import papers_folder, read_record
from tests.papers.test_scales import LEAST

SAME = {"model": "tiny", "lora_rank": None, "gradient_accumulation": 1, "steps": 2, "max_new_tokens": 14}


@pytest.mark.parametrize("slug", sorted(LEAST))
def test_seeds_together_are_seeds_apart_bit_for_bit(slug, tmp_path, monkeypatch):
    monkeypatch.delenv("MAX_SEEDS", raising=False)

    def run(seed, seeds):
        out = tmp_path / f"{seed}-{seeds}.ipynb"
        given = {**LEAST[slug], **SAME, "seed": seed, "seeds": seeds}
        papermill.execute_notebook(
            papers_folder() / slug / f"{slug}.ipynb", out, parameters=given, progress_bar=False, kernel_name="python3"
        )
        return {
            (claim["id"], replicate): numbers
            for claim in read_record(out)["claims"]
            for replicate, *numbers in zip(claim["replicates"], claim["treatment"], claim["control"], strict=True)
        }

    together, first, second = run(100, 2), run(100, 1), run(101, 1)
    assert first == {key: value for key, value in together.items() if key in first}
    assert second == {key: value for key, value in together.items() if key in second}
    assert set(first) | set(second) == set(together)
    assert any(first[claim, 100] != together[claim, 101] for claim, seed in first if seed == 100)
