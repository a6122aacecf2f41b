"""Where the CPU seconds of a seed go: `make profile PAPER=sppo`, at toy scale or SCALE=.

The notebook runs twice with seed 100 and one thread: first with an empty cache of models, so that the base is trained,
then with the base from the cache.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbformat.v4 import new_code_cell

from autodidact.claims.tables import text_table
from ci import arguments
from ci.check import DRY
from ci.execute import failed_path
from ci.files import ROOT
from ci.jobs import Job
from ci.plan import notebook
from ci.stages import STAGES

KEPT = ROOT / "build" / "profile"


def stages(slug: str, parameters: Mapping[str, Any], cache: Path) -> dict[str, float]:
    """CPU seconds of a paper's notebook by stage, run with seed 100 and the cache of models in the folder `cache`.

    Raises RuntimeError with the reason where the notebook fails; it is kept under `build/profile` then.
    """
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "stages.json"
        copy = nbformat.read(notebook(slug), as_version=4)
        copy.cells.insert(0, new_code_cell("from ci import stages as _stages\n_stages.install()"))
        copy.cells.append(new_code_cell(f"_stages.write({str(result)!r})"))
        timed = Path(scratch) / f"{slug}.ipynb"
        nbformat.write(copy, timed)
        job = Job(slug, timed, Path(scratch) / "out.ipynb", {**parameters, **DRY})
        own = {"AUTODIDACT_CACHE": str(cache), "AUTODIDACT_WORKERS": "1"}  # a forked seed could not be timed from here
        with mock.patch.dict(os.environ, own):
            job.start(threads=1)
        try:
            job.process.wait()
        finally:
            job.process.terminate()
        if job.ended() and job.error:
            raise RuntimeError(f"the notebook of {slug} failed: {job.error}{_keep(job)}")
        return json.loads(result.read_text())


def cold_and_warm(slug: str, parameters: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds by stage with an empty cache of models, and once more with what that run left there."""
    with tempfile.TemporaryDirectory() as cache:
        return stages(slug, parameters, Path(cache)), stages(slug, parameters, Path(cache))


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m ci.profiling", description=__doc__.split("\n\n")[0])
    parser.add_argument("--papers", default="", help="slugs, separated by blanks")
    parser.add_argument("--scale", default="", help="default: toy")
    parser.add_argument("--args", default="", help="-p NAME VALUE, any number of times")
    options = parser.parse_args(argv)
    try:
        if not options.papers.strip():
            raise ValueError("PAPER= is missing: name the papers to profile")
        slugs, given = arguments.parse_papers(options.papers), arguments.parse_parameters(options.args)
        arguments.check(slugs, options.scale or "toy", given)
        for slug in slugs:
            _show(slug, given | ({"scale": options.scale} if options.scale else {}))
    except (ValueError, RuntimeError) as error:
        print(f"profile: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def _show(slug: str, parameters: Mapping[str, Any]) -> None:
    cold, warm = cold_and_warm(slug, parameters)
    rows = [
        {"stage": stage, "empty cache": f"{cold[stage]:.1f}", "base from the cache": f"{warm[stage]:.1f}"}
        for stage in STAGES
    ]
    print(text_table(rows, f"{slug}, seed {DRY['seed']}: CPU seconds"), flush=True)


def _keep(job: Job) -> str:
    """Keep a failed notebook, which lies in a folder that goes; where it is, as the end of a sentence."""
    failed = failed_path(job.output)
    if not failed.is_file():
        return ""
    KEPT.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(failed, KEPT / f"{job.slug}.failed.ipynb")
    return f"; kept with its traceback: build/profile/{job.slug}.failed.ipynb"


if __name__ == "__main__":
    sys.exit(main())
