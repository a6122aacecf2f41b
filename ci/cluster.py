"""Where a batch's runs go: this machine, or a cluster that Snakemake's flags or a profile of it name."""

import io
import os
import shlex
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass

from ci.files import ROOT

SNAKEFILE = ROOT / "ci" / "Snakefile"
# What a job must find as the driver found it; no tokens, since the configuration is a file.
PASSED = ("AUTODIDACT_PAPERS", "AUTODIDACT_CACHE", "AUTODIDACT_HOURS")
PASSED += ("DATASETS_MIRROR", "HF_HOME", "HF_HUB_OFFLINE", "MUJOCO_GL")


@dataclass(frozen=True)
class Flags:
    """Flags for Snakemake as typed, and what they come to.

    `cluster`: the runs do not run here; `retries`: how often a failed run is tried again; `cancel`: the command that
    takes jobs back, empty if there is none.
    """

    words: tuple[str, ...] = ()
    cluster: bool = False
    retries: int = 0
    cancel: str = ""


def read(text: str) -> Flags:
    """Flags as Snakemake itself reads them, profiles included.

    Raises ValueError, with Snakemake's own words, for what it does not take, such as an executor that is not installed.
    """
    words = shlex.split(text)
    if not words and not os.environ.get("SNAKEMAKE_PROFILE"):
        return Flags()
    from snakemake.cli import parse_args

    os.environ["AUTODIDACT_ROOT"] = str(ROOT)  # by which a profile names files of this project
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            _, chosen = parse_args(["--snakefile", str(SNAKEFILE), *words])
    except SystemExit:
        lines = said.getvalue().strip().splitlines() or ["Snakemake does not take them"]
        raise ValueError(f"FLAGS={text!r}: {lines[-1]} (executors: pip install '.[cluster]')") from None
    cancel = getattr(chosen, "cluster_generic_cancel_cmd", None)  # no text but a placeholder where nobody sets it
    cancel = cancel if isinstance(cancel, str) else ""
    return Flags(tuple(words), chosen.executor not in (None, "local"), chosen.retries, cancel)


def passed(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that every job is given, wherever it runs: it may see none of the driver's."""
    path = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, **{name: environment[name] for name in PASSED if name in environment}}
