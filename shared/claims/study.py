"""A study: one run of a paper's notebook, from its parameters to its computed verdicts."""

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from types import SimpleNamespace
from typing import Any

from threadpoolctl import threadpool_limits

from autodidact import provenance
from autodidact.claims import paper as papers
from autodidact.claims import record as records
from autodidact.claims import replicates, tables
from autodidact.claims.progress import Progress, notebook_shell

_VERSIONED = ("numpy", "scipy", "torch", "transformers", "trl", "peft", "datasets", "gymnasium")


class Study:
    """Parameters, seeds, measurements and verdicts of one run.

    `namespace` is the notebook's `globals()`: what its parameters cell, or papermill after it, sets to something other
    than None overrules the preset of the scale in `paper.yaml`. The environment's MAX_SEEDS caps the number of seeds;
    a preset `threads` sets the threads of torch and of the BLAS libraries. `parameters` holds every resolved value as
    an attribute, `paper` the claims, and `record` the outcome once `verdicts` has run.

    Raises ValueError in one line for an unknown paper, scale or parameter, a wrong type and an empty seed range.
    """

    def __init__(self, slug: str, namespace: Mapping[str, Any] | None = None) -> None:
        self._started = time.monotonic()
        self.paper = papers.load_paper(slug)
        namespace = namespace or {}
        given = {name: namespace[name] for name in papers.parameter_names(self.paper) if name in namespace}
        resolved = papers.resolve(self.paper, namespace.get("scale") or "toy", given)
        resolved["seeds"] = _capped(resolved["seeds"])
        self.parameters = SimpleNamespace(**resolved)
        self.record: dict[str, Any] | None = None
        self._measured: dict[str, dict[int | str, tuple[float, float]]] = {c.id: {} for c in self.paper.claims}
        self._progress: Progress | None = None
        self._code = self._hashes()  # now, before anything runs: an edit during the run must not pass as its code
        self._prepare()

    @cached_property
    def device(self) -> str:
        """The parameter `device` where the paper has one that is set, else `cuda` where there is a GPU, else `cpu`."""
        chosen = getattr(self.parameters, "device", None)
        if chosen and chosen != "auto":
            return chosen
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def seeds(self) -> Iterator[int]:
        """The seeds of this run, `seed` to `seed + seeds - 1`, with the progress shown while they pass."""
        self._progress = self._new_progress()
        yield from self._progress

    def map(self, experiment: Callable[[int], Any]) -> dict[int, Any]:
        """`experiment(seed)` for every seed of this run, in their order: seed to result.

        Seeds run side by side in forked processes where the preset `threads` says how many threads each takes, there
        are cores for more than one, and no GPU is used; else one after the other, here. Results must be plain data
        (numbers, arrays, strings, dicts of them). What `experiment` changes besides is lost.
        """
        self._limit_threads()  # again: by now the notebook has imported its libraries
        progress = self._new_progress()
        processes = self._processes(len(progress.seeds))
        if processes == 1:
            self._progress = progress
            return {seed: experiment(seed) for seed in progress}
        self._progress, results = None, {}
        progress.under_way = f"{processes} seeds at a time"
        with progress:
            for seed, result in replicates.side_by_side(experiment, progress.seeds, processes):
                results[seed] = result
                progress.advance(seed)
        return {seed: results[seed] for seed in progress.seeds}

    def progress(self, stage: str) -> None:
        """Show what the current seed is doing, such as "round 2: training"; the note goes when the seed is done.

        Of seeds that run side by side nothing is shown but when they are done.
        """
        if self._progress is not None:
            self._progress.note(stage)

    def measure(self, claim: str, *, treatment: float, control: float, replicate: int | str) -> None:
        """Note the two numbers of one replicate of a claim, in the claim's unit.

        Raises ValueError for a claim that `paper.yaml` has not, a replicate measured before, and a number not finite.
        """
        if claim not in self._measured:
            raise ValueError(f"claim {claim!r} is unknown to {self.paper.slug}; known are {', '.join(self._measured)}")
        replicate = replicate if isinstance(replicate, str) else int(replicate)
        if replicate in self._measured[claim]:
            raise ValueError(f"claim {claim!r}: replicate {replicate!r} is measured already")
        pair = _finite(claim, "treatment", treatment), _finite(claim, "control", control)
        self._measured[claim][replicate] = pair

    def table(self, rows: Sequence[Mapping[str, Any]], caption: str = "") -> None:
        """Show rows (column name to cell) as a table; a list or array of per-seed values becomes mean [95 % interval].

        Raises ValueError where there are no rows.
        """
        if not rows:
            raise ValueError("rows is empty: a table needs one row or more")
        _show({"text/html": tables.html_table(rows, caption), "text/plain": tables.text_table(rows, caption)})

    def verdicts(self) -> None:
        """Compute and show the verdict of every claim, and leave the record in the notebook's output.

        Raises ValueError that names the claims of `paper.yaml` that were not measured.
        """
        missing = [name for name, measured in self._measured.items() if not measured]
        if missing:
            raise ValueError(f"{self.paper.slug}: not measured: {', '.join(missing)}")
        self.record = records.recompute(self._bare_record())
        records.validate(self.record)
        rows, caption = tables.verdict_rows(self.record), self._caption()
        texts = {"text/html": tables.html_table(rows, caption), "text/plain": tables.text_table(rows, caption)}
        _show({records.MIME: self.record, **texts})

    def _new_progress(self) -> Progress:
        first, count = self.parameters.seed, self.parameters.seeds
        return Progress(self.paper.slug, self.parameters.scale, range(first, first + count))

    def _processes(self, seeds: int) -> int:
        threads = getattr(self.parameters, "threads", None)
        on_gpu = "torch" in sys.modules and self.device != "cpu"  # a fork cannot use a GPU that its parent uses
        return 1 if threads is None or on_gpu else replicates.workers(seeds, threads)

    def _prepare(self) -> None:
        from autodidact.figures import use_style

        use_style()
        self._limit_threads()

    def _limit_threads(self) -> None:
        """Torch and every BLAS library loaded so far take as many threads as the preset says; forks inherit it."""
        threads = getattr(self.parameters, "threads", None)
        if threads is not None:
            import torch

            torch.set_num_threads(threads)
            threadpool_limits(threads, user_api="blas")

    def _caption(self) -> str:
        p = self.parameters
        seeds = f"seed {p.seed}" if p.seeds == 1 else f"seeds {p.seed} to {p.seed + p.seeds - 1}"
        return f"{self.paper.title}: verdicts at scale {p.scale}, {seeds}"

    def _bare_record(self) -> dict[str, Any]:
        """The record without its verdicts."""
        parameters = dict(vars(self.parameters))
        return {
            "paper": self.paper.slug,
            "scale": parameters.pop("scale"),
            "parameters": parameters,
            "seconds": round(time.monotonic() - self._started, 1),
            "device": self._device_name(),
            "versions": _versions(),
            "code": {**self._hashes(), **self._code},
            "claims": [self._entry(claim) for claim in self.paper.claims],
        }

    def _entry(self, claim: papers.Claim) -> dict[str, Any]:
        measured = self._measured[claim.id]
        treatment, control = zip(*measured.values(), strict=True)
        return records.claim_entry(claim, list(measured), list(treatment), list(control))

    def _hashes(self) -> dict[str, str | None]:
        return {provenance.NOTEBOOK: self._notebook_hash(), **provenance.module_hashes()}

    def _notebook_hash(self) -> str | None:
        """The hash of the notebook as it lies on disk, None before it is written."""
        path = papers.papers_folder() / self.paper.slug / f"{self.paper.slug}.ipynb"
        return provenance.notebook_hash(path) if path.is_file() else None

    def _device_name(self) -> str:
        torch = sys.modules.get("torch")
        return torch.cuda.get_device_name() if torch is not None and self.device.startswith("cuda") else "cpu"


def claims_table(slug: str) -> None:
    """Show the claims of a paper as `paper.yaml` states them: what is said, measured, expected and reported."""
    rows = tables.claims_rows(papers.load_paper(slug).claims)
    _show({"text/html": tables.html_table(rows), "text/plain": tables.text_table(rows)})


def _show(bundle: dict[str, Any]) -> None:
    """An output of the notebook; where there is none, its text on standard output."""
    if notebook_shell() is None:
        print(bundle["text/plain"])
        return
    from IPython.display import display

    display(bundle, raw=True)


def _capped(seeds: int) -> int:
    cap = os.environ.get("MAX_SEEDS")
    if not cap:
        return seeds
    if not cap.isdecimal() or int(cap) < 1:
        raise ValueError(f"MAX_SEEDS={cap!r} in the environment must be a whole number, 1 or greater")
    return min(seeds, int(cap))


def _finite(claim: str, name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"claim {claim!r}: {name}={value!r} must be one finite number")
    return number


def _versions() -> dict[str, str]:
    """Versions of Python and of the libraries that this run has loaded."""
    loaded = {name: metadata.version(name) for name in _VERSIONED if name in sys.modules}
    return {"python": platform.python_version(), **loaded}
