"""The notebook on mating preferences with the least that it can do: at every scale, and the same seed by seed."""

from tests.papers.notebooks import measure, numbers

SLUG = "all-you-need-is-sex"
LEAST = {"problems": ["koza-1", "keijzer-6"], "mutations": [0.1], "population": 12, "generations": 5, "every": 2}


def run(**given):
    return measure(SLUG, **(LEAST | given))


def test_seeds_together_are_seeds_apart_bit_for_bit_and_scales_are_one_code():
    together = numbers(run(seed=100, seeds=2))
    record = run(scale="paper", seed=100, seeds=1)
    apart = numbers(record), numbers(run(seed=101, seeds=1))
    assert apart[0] | apart[1] == together
    claim = "unmutated-ideals-shrink"
    assert apart[0][claim, 100] != apart[1][claim, 101]
    assert record["scale"] == "paper"
    by_run = next(claim for claim in record["claims"] if claim["id"] == "any-taste-will-do")
    assert by_run["replicates"] == ["koza-1, 0.1, seed 100", "keijzer-6, 0.1, seed 100"]
