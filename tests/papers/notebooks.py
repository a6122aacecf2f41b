"""Running a paper's notebook in a test, and what it measured."""

import papermill

from shared.claims import papers_folder, read_record


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
