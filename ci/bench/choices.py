"""Decisions a second: the world's argmax chooser and the tiny transformer, each beside a plain loop over decisions."""

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from ci.bench.rates import cpu_rate

DECISIONS, SINGLE, REPEATS = 20_000, 200, 3  # decided at once, decided one by one, repeats
CHOOSERS, STEPS, BATCH = 4, 20, 64  # taught side by side


def bench_choices() -> dict[str, Any]:
    """Decisions a second and the ratios to the loop, medians over repeats in turn, in CPU seconds.

    "world" draws options and decides them by the argmax; its loop does so for one pair at a time, attribute by
    attribute, as the authors' script. "chooser" is the tiny transformer; its loop asks it for one decision at a time.
    "teaching" is four choosers side by side, in examples a second; its loop teaches one after the other.
    """
    from autodidact.choosers import TinyChooser
    from autodidact.environments import load_world

    world = load_world("choices/default").cut(40, 20)
    rng = np.random.default_rng(0)
    weights, chooser = world.weights(rng), TinyChooser.fresh(world, rng)
    each = DECISIONS // 40
    asked = world.decisions(np.arange(40), each, rng)
    few = [asked[np.array([i])] for i in range(SINGLE)]
    sides = {
        "world": (
            lambda: _count(DECISIONS, world.choose(weights, world.decisions(np.arange(40), each, rng))),
            lambda: _count(SINGLE, [_plain(world, weights, i % 40, rng) for i in range(SINGLE)]),
        ),
        "chooser": (
            lambda: _count(DECISIONS, chooser.choose(asked)),
            lambda: _count(SINGLE, [chooser.choose(one) for one in few]),
        ),
        "teaching": _teaching(world, weights, asked, chooser),
    }
    return {f"{name}_{what}": value for name, pair in sides.items() for what, value in _compared(*pair).items()}


def _compared(ours: Callable[[], int], loop: Callable[[], int]) -> dict[str, float]:
    rates: dict[str, list[float]] = {"ours": [], "loop": []}
    for _ in range(REPEATS + 1):
        rates["ours"].append(cpu_rate(ours))
        rates["loop"].append(cpu_rate(loop))
    fast, slow = (median(rates[name][1:]) for name in ("ours", "loop"))  # the first of each warms up
    return {"per_second": fast, "loop_per_second": slow, "speedup": fast / slow}


def _count(number: int, _: Any) -> int:
    return number


def _plain(world: Any, weights: np.ndarray, context: int, rng: np.random.Generator) -> bool:
    """One pair of options drawn and decided, attribute by attribute."""
    utility = [0.0, 0.0]
    for side in range(2):
        for w, a in zip(weights[context], world.contexts[context].attributes, strict=True):
            value = round(rng.uniform(a.low, a.high), a.digits)
            utility[side] += w * (value - a.low) / (a.high - a.low)
    return utility[0] > utility[1]


def _teaching(world: Any, weights: np.ndarray, asked: Any, chooser: Any) -> tuple[Callable[[], int], Callable[[], int]]:
    from autodidact.choosers import Lesson, Teaching, teach

    lesson = Lesson(asked, world.choose(weights, asked), asked[:0], np.zeros((0, 5)))
    teaching, examples = Teaching(STEPS, BATCH, 1e-3), CHOOSERS * STEPS * BATCH

    def run(groups: int) -> int:
        for _ in range(groups):
            size = CHOOSERS // groups
            teach([chooser] * size, [lesson] * size, teaching, np.random.default_rng(0))
        return examples

    return lambda: run(1), lambda: run(CHOOSERS)
