"""A study: one run of a paper's notebook, from its parameters to its computed verdicts."""

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import numpy as np

from autodidact import provenance
from autodidact.checks import whole
from autodidact.claims import paper as papers
from autodidact.claims import parameters, replicates, reruns, say, schemas, screen, tables
from autodidact.claims import record as records
from autodidact.claims.names import unknown
from autodidact.claims.progress import Progress, notebook_shell
from autodidact.places import papers_folder

CHECK = "AUTODIDACT_CHECK"
OWN = "own"  # the scale of a study without a paper.yaml
_VERSIONED = ("numpy", "scipy", "torch", "transformers", "trl", "peft", "datasets", "gymnasium")


class Study:
    """Parameters, seeds, measurements and verdicts of one run.

    `namespace` is the notebook's `globals()`: what its parameters cell, or papermill after it, sets to something other
    than None overrules the preset of the scale in `paper.yaml`. The environment's MAX_SEEDS caps the number of seeds;
    a preset `threads` sets the threads of torch and of the BLAS libraries. `parameters` holds every resolved value as
    an attribute, `paper` the claims, and `record` the outcome once `verdicts` has run.

    Without a paper.yaml: `Study(claims=[Claim(...), ...])`, with `seeds` if it is to go over seeds; `slug` is then but
    a name. Raises ValueError in one line for an unknown paper, scale or parameter, a wrong type, a value out of range
    and a claim that is none.
    """

    def __init__(
        self,
        slug: str | None = None,
        namespace: Mapping[str, Any] | None = None,
        *,
        claims: Sequence[papers.Claim] | None = None,
        seeds: int = 1,
    ) -> None:
        self._started = time.monotonic()
        if claims is None and slug is None:
            raise ValueError(
                "a study needs the slug of a paper or claims of its own: Study('sppo') or Study(claims=...)"
            )
        self.paper = papers.load_paper(slug) if claims is None else _own_paper(slug or "study", claims)
        resolved = self._resolved(namespace or {}) if claims is None else _own_parameters(seeds)
        resolved["seeds"] = _capped(resolved["seeds"])
        self.parameters = SimpleNamespace(**resolved)
        self.record: dict[str, Any] | None = None
        self._claims = self.paper.claims_at(resolved["scale"])
        self._measured: dict[str, dict[int | str, tuple[float, float]]] = {c.id: {} for c in self._claims}
        self._progress: Progress | None = None
        self._code = self._hashes()  # now, before anything runs: an edit during the run must not pass as its code
        if claims is None:
            self._show_judged()
            self._limit_threads()

    def _resolved(self, namespace: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of the notebook whose `globals()` these are, none of which may be unknown."""
        names = parameters.parameter_names(self.paper)
        for name in sorted(parameters.injected_names(namespace) - set(names)):
            raise unknown(f"parameter {name!r}", name, names, self.paper.slug)
        given = {name: namespace[name] for name in names if name in namespace}
        return parameters.resolve(self.paper, namespace.get("scale") or "toy", given)

    @property
    def judged(self) -> tuple[str, ...]:
        """Ids of the claims that are judged at this scale: what the notebook has to measure."""
        return tuple(self._measured)

    @property
    def replicate_kinds(self) -> dict[str, str]:
        """What a replicate is, by claim that is judged at this scale: a seed, or a kind of item such as a prompt."""
        return {claim.id: claim.replicate for claim in self._claims}

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
        with progress:
            for seed, result in replicates.side_by_side(experiment, progress.seeds, processes, progress.note):
                results[seed] = result
                progress.advance(seed)
        return {seed: results[seed] for seed in progress.seeds}

    def progress(self, stage: str) -> None:
        """Show what the current seed is doing, such as "round 2: training"; the note goes when the seed is done."""
        if not replicates.tell(stage) and self._progress is not None:
            self._progress.note(stage)

    def measure(self, claim: str, *, treatment: float, control: float, replicate: int | str) -> None:
        """Note the two numbers of one replicate of a claim, in the claim's unit.

        replicate: the seed, or the name of an item (a prompt, a pair). A claim that is not judged at this scale is
        passed over. Raises ValueError for a claim that `paper.yaml` has not, a replicate measured before, and a number
        not finite.
        """
        if claim not in self._measured:
            known = [c.id for c in self.paper.claims]
            if claim not in known:
                raise unknown(f"claim {claim!r}", claim, known, self.paper.slug)
            return
        replicate = replicate if isinstance(replicate, str) else int(replicate)
        if replicate in self._measured[claim]:
            raise ValueError(f"claim {claim!r}: replicate {replicate!r} is measured already")
        pair = _finite(claim, "treatment", treatment), _finite(claim, "control", control)
        self._measured[claim][replicate] = pair

    def measure_each(
        self, claim: str, *, treatment: np.ndarray, control: np.ndarray | float, replicates: Sequence[int | str]
    ) -> None:
        """Note many replicates of a claim at once: treatment and control (replicates,), control a number if it is one.

        Raises ValueError where the lengths differ, and as `measure` does.
        """
        treatment, control = np.asarray(treatment), np.asarray(control)
        shape = (len(replicates),)
        if treatment.shape != shape or control.shape not in (shape, ()) or not len(replicates):
            raise ValueError(
                f"claim {claim!r}: treatment of shape {treatment.shape} and control of shape {control.shape} "
                f"must have an entry for each of the {len(replicates)} replicates"
            )
        for replicate, one, two in zip(replicates, treatment, np.broadcast_to(control, shape), strict=True):
            self.measure(claim, treatment=one, control=two, replicate=replicate)

    def table(self, rows: Sequence[Mapping[str, Any]], caption: str = "") -> None:
        """Show rows (column name to cell) as a table; a list or array of per-seed values becomes mean [95 % interval].

        Raises ValueError where there are no rows.
        """
        if not rows:
            raise ValueError("rows is empty: a table needs one row or more")
        _show({"text/html": tables.html_table(rows, caption), "text/plain": tables.text_table(rows, caption)})

    def verdicts(self) -> None:
        """Compute and show the verdict of every claim, and leave the record in the notebook's output.

        The first screen (`claims_table`) is filled in too. Raises ValueError that names the claims that were not
        measured and, where the environment has AUTODIDACT_CHECK=1, the first number that the published record of this
        scale and these parameters has otherwise.
        """
        missing = [name for name, measured in self._measured.items() if not measured]
        if missing:
            raise ValueError(f"{self.paper.slug}: not measured: {', '.join(missing)}")
        self.record = records.recompute(self._bare_record())
        records.validate(self.record)
        rows, caption = tables.verdict_rows(self.record), self._caption()
        texts = {"text/html": tables.html_table(rows, caption), "text/plain": tables.text_table(rows, caption)}
        self._show_judged()
        _update(screen.outcome(self.paper, self.record), _display_id(self.paper.slug, "outcome"))
        _show({records.MIME: self.record, **texts})
        if os.environ.get(CHECK) == "1":
            reruns.check_against_published(self.record)

    def say(self, text: say.Texts, **values: Any) -> None:
        """Show prose whose numbers and verdicts come from the record: "SPPO keeps {chosen-likelihood.effect} more".

        Places: `{claim.effect}`, `.verdict`, `.treatment`, `.control`, `.p`, `.n`, and `{name}` for what is passed as a
        keyword. Instead of a text, one by verdict: {"beats-dpo": {"reproduced": "...", "open": "..."}}. A text on a
        claim that is not judged at this scale is not shown. Raises ValueError before `verdicts` and for unknown names.
        """
        if self.record is None:
            raise ValueError("say comes after verdicts: until then there is nothing to say")
        rendered = say.render(text, self.record, [c.id for c in self.paper.claims], values)
        if rendered:
            _show({"text/markdown": rendered, "text/plain": rendered})

    def _new_progress(self) -> Progress:
        first, count = self.parameters.seed, self.parameters.seeds
        return Progress(self.paper.slug, self.parameters.scale, range(first, first + count))

    def _processes(self, seeds: int) -> int:
        threads = getattr(self.parameters, "threads", None)
        on_gpu = "torch" in sys.modules and self.device != "cpu"  # a fork cannot use a GPU that its parent uses
        return 1 if threads is None or on_gpu else replicates.workers(seeds, threads)

    def _show_judged(self) -> None:
        """Leave only the claims that this scale judges in the notebook's table of claims, if it stands already."""
        if len(self._claims) < len(self.paper.claims) and notebook_shell() is not None:
            _update(screen.claims(self.paper, self._claims), _display_id(self.paper.slug, "claims"))

    def _limit_threads(self) -> None:
        """Torch and every BLAS library loaded so far take as many threads as the preset says; forks inherit it."""
        threads = getattr(self.parameters, "threads", None)
        if threads is not None:
            import torch
            from threadpoolctl import threadpool_limits

            torch.set_num_threads(threads)
            threadpool_limits(threads, user_api="blas")

    def _caption(self) -> str:
        p = self.parameters
        seeds = f"seed {p.seed}" if p.seeds == 1 else f"seeds {p.seed} to {p.seed + p.seeds - 1}"
        where = f"verdicts at scale {p.scale}, {seeds}" if p.scale != OWN else "verdicts"
        return f"{self.paper.title}: {where}. {self._generalises()}".rstrip()

    def _generalises(self) -> str:
        items = self.parameters.scale in (self.paper.judged or {})
        return screen.generalises(self._claims, items)

    def _bare_record(self) -> dict[str, Any]:
        """The record without its verdicts."""
        parameters = dict(vars(self.parameters))
        return {
            "paper": self.paper.slug,
            "scale": parameters.pop("scale"),
            "parameters": parameters,
            "seconds": round(time.monotonic() - self._started, 1),
            "device": self._device_name(),
            "machine": provenance.machine(),
            "versions": _versions(),
            "code": {**self._hashes(), **self._code},
            "generalises": self._generalises(),
            "claims": [self._entry(claim) for claim in self._claims],
        }

    def _entry(self, claim: papers.Claim) -> dict[str, Any]:
        measured = self._measured[claim.id]
        treatment, control = zip(*measured.values(), strict=True)
        return records.claim_entry(claim, list(measured), list(treatment), list(control))

    def _hashes(self) -> dict[str, str | None]:
        return {provenance.NOTEBOOK: self._notebook_hash(), **provenance.module_hashes()}

    def _notebook_hash(self) -> str | None:
        """The hash of the notebook as it lies on disk, None before it is written."""
        path = papers_folder() / self.paper.slug / f"{self.paper.slug}.ipynb"
        return provenance.notebook_hash(path) if path.is_file() else None

    def _device_name(self) -> str:
        torch = sys.modules.get("torch")
        return torch.cuda.get_device_name() if torch is not None and self.device.startswith("cuda") else "cpu"


def claims_table(slug: str) -> None:
    """The first screen of a notebook: what came out, which `Study.verdicts` fills in, and what the paper claims."""
    paper = papers.load_paper(slug)
    if notebook_shell() is not None:
        _show(screen.outcome(paper, None), _display_id(slug, "outcome"))
    _show(screen.claims(paper, paper.claims), _display_id(slug, "claims"))


def _display_id(slug: str, part: str) -> str:
    return f"autodidact-{slug}-{part}"


def _show(bundle: dict[str, Any], display_id: str | None = None) -> None:
    """An output of the notebook; where there is none, its text on standard output."""
    if notebook_shell() is None:
        print(bundle["text/plain"])
        return
    from IPython.display import display

    display(bundle, raw=True, **({} if display_id is None else {"display_id": display_id}))


def _update(bundle: dict[str, Any], display_id: str) -> None:
    """Another content for an output that stands further up; where there is no notebook, its text."""
    if notebook_shell() is None:
        print(bundle["text/plain"])
        return
    from IPython.display import update_display

    update_display(bundle, raw=True, display_id=display_id)


def _own_paper(slug: str, claims: Sequence[papers.Claim]) -> papers.Paper:
    """Claims that stand in no paper.yaml, checked as those of one are."""
    content = [asdict(claim) for claim in claims]
    for claim in content:
        schemas.check(claim, schemas.CLAIM, f"claim {claim['id']!r}")
    if not content:
        raise ValueError("claims is empty: a study needs one claim or more")
    papers.check_claims(tuple(claims), slug)
    return papers.Paper({"slug": slug, "title": slug, "claims": content, "finding": None, "scales": {OWN: {}}})


def _own_parameters(seeds: int) -> dict[str, Any]:
    return {"scale": OWN, "seed": 0, "seeds": whole("seeds", seeds, 1)}


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
