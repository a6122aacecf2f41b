"""What a batch will run: checked, laid out in a folder of its own, written as configuration of the Snakefile."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodidact.claims.record import read_record
from autodidact.cores import allotted
from autodidact.places import papers_folder
from autodidact.provenance import current_code
from ci import arguments
from ci.cluster import passed
from ci.execute import QUIET
from ci.files import ROOT, write_atomic

HOME = "AUTODIDACT_RERUNS"
THREADS_ON_CLUSTER = 2  # of a run where nobody's cores can be counted here; a profile's `set-threads` overrules it


@dataclass(frozen=True)
class Plan:
    """A batch: every paper of `resolved` with every seed of `seeds` at one scale, `given` overruling the presets.

    `resolved` maps a slug to its parameters as they resolve; `folder` is where the batch lives, named by a hash of
    scale and given parameters, so that the same batch with more seeds or papers goes on where the last one ended.
    `gpus` names this machine's devices to use; on a cluster there are none, for its scheduler gives each job its own.
    `most_gpus` is how many are used at once, None for as many as the cluster has.
    """

    scale: str
    seeds: tuple[int, ...]
    given: Mapping[str, Any]
    resolved: Mapping[str, Mapping[str, Any]]
    folder: Path
    gpus: tuple[str, ...] = ()
    most_gpus: int | None = 0
    cluster: bool = False

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Every (paper, seed) of the batch."""
        return [(slug, seed) for slug in self.resolved for seed in self.seeds]

    @property
    def gpu(self) -> int:
        """How many GPUs a run takes: one where there is one and the scale is made for it."""
        return int(self.most_gpus != 0 and self.scale != "toy")

    def threads(self, jobs: int) -> int:
        """How many threads a run takes when `jobs` run at once."""
        return THREADS_ON_CLUSTER if self.cluster else max(1, allotted() // jobs)

    def output(self, slug: str, seed: int) -> Path:
        """The executed notebook of one run."""
        return self.folder / "runs" / slug / f"{seed}.ipynb"

    def config(self, jobs: int = 1) -> dict[str, Any]:
        """The configuration of the Snakefile, where `jobs` run at once."""
        bases = {(slug, seed): self._bases(slug, seed) for slug, seed in self.runs}
        seeds = {"seed": "SEED", "seeds": 1}
        variables = {**QUIET, **passed(os.environ)}
        parameters = json.dumps({"scale": self.scale, **self.given, **seeds}).replace("%", "%%")
        return {
            "python": shlex.join(["env", *(f"{k}={v}" for k, v in variables.items()), sys.executable]),
            "threads": self.threads(jobs),
            "gpu": self.gpu,
            "scale": self.scale,
            "given": dict(self.given),
            "parameters": parameters.replace('"SEED"', "%d"),
            "notebooks": {slug: str(notebook(slug)) for slug in self.resolved},
            "bases": {key: command for found in bases.values() for key, command in reversed(found.items())},
            "runs": {f"{slug}/{seed}": list(found) for (slug, seed), found in bases.items()},
        }

    def _bases(self, slug: str, seed: int) -> dict[str, str]:
        """The base models that a run needs, shared by all papers that need the same: name to `prepare`'s arguments."""
        needs = base_parameters(self.resolved[slug])
        if not needs:
            return {}
        seed = seed if "tiny" in needs.values() else self.seeds[0]
        digest = hashlib.sha256(json.dumps(needs, sort_keys=True).encode()).hexdigest()[:12]
        words = ["--paper", slug, "--scale", self.scale, "--seeds", str(seed), "--given", json.dumps(dict(self.given))]
        return {f"{digest}-{seed}": shlex.join(words)}


def make(papers: str, scale: str, seeds: str, args: str, gpus: str, cluster: bool = False) -> Plan:
    """The plan of what was typed, below the folder that the environment's AUTODIDACT_RERUNS names (`build/rerun`).

    On a `cluster` this machine's GPUs are nobody's: `gpus` is how many are used there at once, all if it is empty.

    Raises ValueError in one line for whatever is wrong with it.
    """
    slugs, given = arguments.parse_papers(papers), arguments.parse_parameters(args)
    resolved = arguments.check(slugs, scale, given)
    chosen = arguments.parse_seeds(seeds)
    identity = json.dumps({"scale": scale, "given": given}, sort_keys=True, default=str)
    folder = (
        Path(os.environ.get(HOME) or ROOT / "build" / "rerun")
        / f"{scale}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    )
    names = () if cluster else devices(gpus)
    most = (arguments.whole("GPUS", gpus, least=0) if gpus else None) if cluster else len(names)
    return Plan(scale, tuple(chosen), given, resolved, folder.resolve(), names, most, cluster)


def write(plan: Plan, jobs: int) -> Path:
    """Write the configuration of a plan, of which `jobs` run at once, into its folder, as `config.json`."""
    path = plan.folder / "config.json"
    write_atomic(path, json.dumps(plan.config(jobs), indent=1))
    return path


def notebook(slug: str) -> Path:
    """The notebook of a paper."""
    return papers_folder().resolve() / slug / f"{slug}.ipynb"


def base_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that decide which base models a run loads; none where it names no model."""
    kept = {k: v for k, v in parameters.items() if v and (k.endswith(("model", "world")) or k.startswith("base_"))}
    return kept if any(k.endswith("model") for k in kept) else {}


def devices(wanted: str) -> tuple[str, ...]:
    """Names of the GPUs to use: all that are visible, or the first `wanted` of them (`0`: none)."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = _listed() if visible is None else [name for name in visible.split(",") if name.strip()]
    count = arguments.whole("GPUS", wanted, least=0) if wanted else len(found)
    if count > len(found):
        raise ValueError(f"GPUS={wanted}: this machine has {len(found)} GPU(s)")
    return tuple(found[:count])


def set_aside_outdated(plan: Plan) -> list[Path]:
    """Rename finished runs that other code or presets made to `<seed>.stale.ipynb`, so that they are run again."""
    current: dict[str, Mapping[str, str | None]] = {}
    moved = []
    for slug, seed in plan.runs:
        path = plan.output(slug, seed)
        if path.is_file() and not _valid(path, plan, slug, seed, current):
            moved.append(path.with_suffix(".stale.ipynb"))
            os.replace(path, moved[-1])
    return moved


def _valid(path: Path, plan: Plan, slug: str, seed: int, current: dict) -> bool:
    try:
        record = read_record(path)
    except ValueError:
        return False
    names = json.dumps([slug, sorted(record["code"])])
    if names not in current:
        current[names] = current_code(record)
    wanted = {**plan.resolved[slug], "seed": seed, "seeds": 1}
    wanted.pop("scale")
    return record["code"] == current[names] and record["parameters"] == wanted


def _listed() -> list[str]:
    """Indices of the machine's NVIDIA GPUs, by its driver's own tool; none where there is no such tool."""
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []
