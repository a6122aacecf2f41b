"""The notebook on mating preferences with the least that it can do: scales, seeds, and what a depth limit does."""

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
    by_run = next(claim for claim in record["claims"] if claim["id"] == "tastes-need-not-evolve")
    assert by_run["replicates"] == ["koza-1, 0.1, seed 100", "keijzer-6, 0.1, seed 100"]


def of(record, claim):
    return {replicate: pair for (name, replicate), pair in numbers(record).items() if name == claim}


def test_small_runs_what_is_judged_there_over_the_runs_and_seeds_that_it_names():
    record = run(scale="small", seed=100, seeds=1)
    replicates = {claim["id"]: claim["replicates"] for claim in record["claims"]}
    both = ["koza-1, 0.1, seed 100", "keijzer-6, 0.1, seed 100"]
    assert replicates["lead-when-redrawn"] == replicates["succeeds-more-than-random"] == both
    assert replicates["tastes-must-vary"] == [100]
    assert not {"lead-under-a-loose-limit", "likeness-by-fitness"} & replicates.keys()
    assert record["generalises"] == "Verdicts generalise over runs and over seeds."
    toy = numbers(run(seed=100, seeds=1))  # an arm has the same numbers whichever others are run beside it
    assert numbers(record).items() <= toy.items()


def test_limits_that_nothing_exceeds_are_one_and_the_same():
    record = run(seed=100, seeds=1, depth=60, tight_depth=50, loose_depth=90)
    assert set(map(tuple, of(record, "depth-limit").values())) == {(0, 0)}
    plain = of(record, "more-diverse-than-standard")
    for limit in ("lead-under-a-tight-limit", "lead-when-redrawn", "lead-under-a-loose-limit"):
        assert of(record, limit) == plain


def test_equal_limits_are_one_and_what_becomes_of_a_child_too_deep_matters():
    record = run(seed=100, seeds=1, depth=2, tight_depth=2, loose_depth=2, first_depths=[1, 2], tries=100)
    refused = of(record, "depth-limit").values()
    assert all(0 < share < 1 for pair in refused for share in pair)
    plain = of(record, "more-diverse-than-standard")
    assert of(record, "lead-under-a-tight-limit") == of(record, "lead-under-a-loose-limit") == plain
    assert of(record, "lead-when-redrawn") != plain


def test_no_success_is_counted_where_none_is_possible():
    depths = {"depth": 1, "tight_depth": 1, "loose_depth": 1, "first_depths": [0, 1], "mutant_depths": [0, 1]}
    record = run(seed=100, seeds=1, problems=["koza-1"], mutations=[0.1, 0.2], **depths)
    # within depth 1 nothing comes near x^4 + x^3 + x^2 + x
    for claim in ("succeeds-more-than-standard", "succeeds-more-than-random", "selection-solves"):
        assert set(map(tuple, of(record, claim).values())) == {(0, 0)}
