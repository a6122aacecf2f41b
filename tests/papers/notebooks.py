"""Running a paper's notebook in a test, and what it measured."""

import papermill

from autodidact.claims import papers_folder, read_record


def execute(slug, out, **given):
    """The record of a paper's notebook, executed into `out` with these parameters."""
    notebook = papers_folder() / slug / f"{slug}.ipynb"
    papermill.execute_notebook(notebook, out, parameters=given, progress_bar=False, kernel_name="python3")
    return read_record(out)


def numbers(record):
    """(claim, replicate) -> [treatment, control], every number of a record."""
    return {
        (claim["id"], replicate): pair
        for claim in record["claims"]
        for replicate, *pair in zip(claim["replicates"], claim["treatment"], claim["control"], strict=True)
    }


def seeds_stand_alone(run):
    """Asserts that seed 101 has the same numbers beside seed 100 as alone, bit for bit, and returns both runs' numbers.

    run: executes a notebook with `seed` and `seeds` into a record.
    """
    together, alone = numbers(run(seed=100, seeds=2)), numbers(run(seed=101, seeds=1))
    assert alone == {key: pair for key, pair in together.items() if key in alone}
    return together, alone
