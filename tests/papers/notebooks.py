"""Running a paper's notebook in a test, and what it measured."""

import json
import multiprocessing
import sys
import traceback
import types
from contextlib import chdir

import nbformat
import papermill
from IPython.core.inputtransformer2 import TransformerManager

from autodidact.claims import papers_folder, read_record


def execute(slug, out, **given):
    """The record of a paper's notebook, executed into `out` with these parameters: for a test that looks at outputs."""
    papermill.execute_notebook(place(slug), out, parameters=given, progress_bar=False, kernel_name="python3")
    return read_record(out)


def measure(slug, **given):
    """The record of a paper's notebook with these parameters, without its outputs.

    Its cells run in a fork of this process, which has the libraries loaded: a kernel takes longer to start and to
    import than most tests take to run. Raises what a cell raises.
    """
    import torch
    import transformers.models.llama.modeling_llama  # noqa: F401
    import trl  # noqa: F401

    import autodidact.models
    import autodidact.training  # noqa: F401

    torch.set_num_threads(1)  # threads of a pool do not survive a fork
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(slug, given, sender))
    process.start()
    sender.close()
    try:
        record, error = receiver.recv()
    except EOFError:
        record, error = None, f"its process ended with exit code {process.exitcode}"
    process.join()
    if error:
        raise RuntimeError(f"the notebook of {slug} failed:\n{error}")
    return json.loads(record)


def place(slug):
    """The notebook of a paper."""
    return papers_folder().resolve() / slug / f"{slug}.ipynb"


def _run(slug, given, sender):
    """Run the cells one after another, the given parameters after the parameters cell, and send the study's record."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with chdir(place(slug).parent):
            for cell in nbformat.read(place(slug), as_version=4).cells:
                if cell.cell_type == "code":
                    source = TransformerManager().transform_cell(cell.source)
                    exec(compile(source, f"{slug}, {cell['id']}", "exec"), main.__dict__)
                if "parameters" in cell.metadata.get("tags", ()):
                    main.__dict__.update(given)
        sender.send((json.dumps(main.study.record), None))
    except BaseException:
        sender.send((None, traceback.format_exc()))


def numbers(record):
    """(claim, replicate) -> [treatment, control], every number of a record."""
    return {
        (claim["id"], replicate): pair
        for claim in record["claims"]
        for replicate, *pair in zip(claim["replicates"], claim["treatment"], claim["control"], strict=True)
    }


def seeds_stand_alone(run):
    """Asserts that seed 101 has the same numbers beside seed 100 as alone, bit for bit, and returns both runs' numbers.

    run: a notebook's record with `seed` and `seeds`.
    """
    together, alone = numbers(run(seed=100, seeds=2)), numbers(run(seed=101, seeds=1))
    assert alone == {key: pair for key, pair in together.items() if key in alone}
    return together, alone
