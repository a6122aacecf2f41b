"""Run every measurement, print a table with the bounds that hold, and write `build/bench.json`: `make bench`.

`python -m ci.bench batch` runs the named parts alone. Exit status 1 if a bound is missed.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from ci.arguments import all_papers
from ci.files import ROOT, shown, write_atomic

RESULT = ROOT / "build" / "bench.json"
SEED_BUDGET = {"seed": ("at most", 25.0), "base": ("at most", 30.0)}  # CPU seconds of a toy seed and of its tiny base
# part: {measurement: (kind, bound)}; what has no bound is shown for itself
BOUNDS = {
    "trainer tiny": {"preferences_ratio": ("at most", 0.6), "supervised_ratio": ("at most", 0.6)},
    "trainer smollm2": {"step_ratio": ("at most", 1.05), "peak_ratio": ("at most", 1.05)},
    "sampler tiny": {"speedup_batched": ("at least", 2.0), "speedup_single": ("at least", 8.0)},
    "sampler smollm2": {"speedup_batched": ("at least", 2.1)},
    "logprobs tiny": {"speedup": ("at least", 1.8), "apart": ("at most", 1e-5)},
    "logprobs smollm2": {"speedup": ("at least", 2.5), "apart": ("at most", 1e-4)},
    "tree search": {"lock_step_speedup": ("at least", 2.0)},
    "warm start": {"first_call_seconds": ("at most", 0.3)},
    "evolution": {
        "speedup": ("at least", 8.0),
        "of_pyoperon": ("at least", 0.6),
        "relative_difference": ("at most", 1e-12),
    },
    "control": {"speedup": ("at least", 10.0)},
    "batch": {"overhead": ("at most", 0.05), "speedup": ("at least", 1.8)},
    "starts": {"ended": ("at least", 200), "failed": ("at most", 0), "longest_seconds": ("at most", 120.0)},
    "choices": {"world_speedup": ("at least", 20.0), "chooser_speedup": ("at least", 10.0)},
    "flow mlp": {"speedup": ("at least", 1.0), "apart": ("at most", 1e-3)},
    "flow unet": {"speedup": ("at least", 0.95), "apart": ("at most", 1e-3)},
    "sandbox": {"eight_tests_per_second": ("at least", 100)},
    "pictures": {"speedup": ("at least", 5.0)},
    "game": {"batch_32_fps": ("at least", 20_000), "batch_64_fps": ("at least", 5_000)},
}


def parts() -> dict[str, Callable[[], dict[str, Any]]]:
    """Every part by its name; its module is imported when it runs."""
    return {
        "warm start": _part("notebook", "bench_warm_start"),
        "sampler tiny": _part("sampling", "bench_sampler", model="tiny"),
        "sampler smollm2": _part("sampling", "bench_sampler", model="smollm2"),
        "logprobs tiny": _part("sampling", "bench_logprobs", model="tiny"),
        "logprobs smollm2": _part("sampling", "bench_logprobs", model="smollm2"),
        "tree search": _part("tree_search", "bench_tree_search"),
        "trainer tiny": _part("training", "bench_lean"),
        "trainer smollm2": _part("training", "bench_trainer", model="smollm2"),
        "evolution": _part("evolution", "bench_evolution"),
        "control": _part("control", "bench_control"),
        "batch": _part("batch", "bench_batch"),
        "starts": _part("starts", "bench_starts"),
        "choices": _part("choices", "bench_choices"),
        "flow mlp": _part("generative", "bench_flow", kind="mlp"),
        "flow unet": _part("generative", "bench_flow", kind="unet"),
        "pictures": _part("pictures", "bench_pictures"),
        "game": _part("game", "bench_game"),
        "sandbox": _part("sandbox", "bench_sandbox"),
        **{_seed(slug): _part("notebook", "bench_seed", slug=slug) for slug in all_papers()},
    }


def bounds() -> dict[str, dict[str, tuple[str, float]]]:
    """The bounds of every part, those of the papers' seeds among them."""
    return BOUNDS | {_seed(slug): SEED_BUDGET for slug in all_papers()}


def _seed(slug: str) -> str:
    return f"seed of {slug}"


def _part(module: str, function: str, **arguments: Any) -> Callable[[], dict[str, Any]]:
    return lambda: getattr(importlib.import_module(f"ci.bench.{module}"), function)(**arguments)


def flatten(measured: dict[str, Any]) -> dict[str, Any]:
    """Every measurement by its dotted name, `wall.bare` for {"wall": {"bare": ...}}: bounds go by these names."""
    flat: dict[str, Any] = {}
    for name, value in measured.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in flatten(value).items()}
        else:
            flat[name] = value
    return flat


def rows(part: str, measured: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Part, measurement, value and the bound with whether it holds."""
    return [(part, name, _number(value), _verdict(part, name, value)) for name, value in flatten(measured).items()]


def holds(part: str, name: str, value: float | None) -> bool | None:
    """Whether a measurement keeps its bound; None where it has none, or was skipped: a value of None."""
    kind, bound = bounds().get(part, {}).get(name, (None, None))
    return None if kind is None or value is None else value <= bound if kind == "at most" else value >= bound


def main(argv: list[str] | None = None) -> int:
    """Command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m ci.bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts())}; default: all")
    chosen = parser.parse_args(argv).parts or list(parts())
    unknown = [name for name in chosen if name not in parts()]
    if unknown:
        print(f"bench: part {unknown[0]!r} is unknown; known are {', '.join(parts())}", file=sys.stderr)
        return 2
    results = {}
    for name in chosen:
        results[name] = parts()[name]()
        for row in rows(name, results[name]):
            print("{:<32} {:<28} {:>12}  {}".format(*row).rstrip(), flush=True)
    write_atomic(RESULT, json.dumps(results, indent=1))
    print(shown(RESULT))
    kept = [_kept(part, name, flatten(results[part])) for part in results for name in bounds().get(part, {})]
    return 1 if False in kept else 0


def _kept(part: str, name: str, flat: dict[str, Any]) -> bool | None:
    """Whether a bound is kept; one on something that the part no longer measures is not."""
    if name not in flat:
        print(f"bench: part {part!r} has a bound on {name!r}, which is not among its measurements", file=sys.stderr)
        return False
    return holds(part, name, flat[name])


def _verdict(part: str, name: str, value: Any) -> str:
    kept = holds(part, name, value)
    return "" if kept is None else "{} {:g}: {}".format(*bounds()[part][name], "yes" if kept else "MISSED")


def _number(value: Any) -> str:
    return "skipped" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
