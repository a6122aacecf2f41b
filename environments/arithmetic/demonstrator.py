"""Imperfect worked answers, the supervised data of a base model, and the drill that comes before them."""

from typing import Any

import numpy as np

from autodidact.environments.arithmetic import mistakes
from autodidact.environments.arithmetic.calculator import Calculator
from autodidact.environments.arithmetic.problems import Instruction, Operation, Truth, carries, compute, due, single
from autodidact.environments.arithmetic.vocabulary import FOREIGN


def demonstrate(truth: Truth, knobs: Any, rng: np.random.Generator, clean: bool = False) -> str:
    """A worked answer; where a hazard is, it slips at the world's rates, and goes on correctly from the wrong value."""
    values: list[int] = []
    steps = []
    for instruction in truth.instructions:
        right = due(instruction, truth.start, tuple(values), knobs.digits)
        called = _calls(instruction, knobs, rng)
        done = right if clean or called else _slip(instruction, right, truth.start, tuple(values), knobs, rng)
        call = _call(right, knobs, rng) if called else ""
        steps.append(call + knobs.script.step(done, wording(knobs, rng)))
        values.append(done.result)
    return knobs.script.whole(steps, values[-1])


def wording(knobs: Any, rng: np.random.Generator) -> int:
    """One of the world's own wordings, or at `foreign_share` the foreign one."""
    foreign = knobs.foreign_share and rng.random() < knobs.foreign_share
    return FOREIGN if foreign else int(rng.integers(knobs.wordings)) if knobs.wordings > 1 else 0


def drill(n_steps: int, knobs: Any, rng: np.random.Generator) -> tuple[str, list[bool]]:
    """Worked steps without a problem, none of them wrong, and for each word whether it counts in the loss.

    Only the result counts: what is drilled is arithmetic, the operands come from nowhere.
    """
    words: list[str] = []
    counted: list[bool] = []
    for _ in range(n_steps):
        value = int(rng.integers(knobs.bounds[0], knobs.bounds[1] + 1))
        options = single(value, knobs.bounds, knobs.k_max, False)
        carried = single(value, knobs.bounds, knobs.k_max, True)
        pool = carried if carried and rng.random() < knobs.carry else options
        sign, k, place = pool[int(rng.integers(len(pool)))]
        terms = (k * 10**place,)
        operation = Operation(value, sign, terms, compute(value, sign, terms, knobs.digits))
        slipped = mistakes.without_carry(operation, knobs.digits)
        if slipped != operation and rng.random() < knobs.slips[0]:
            operation = slipped
        step = knobs.script.step(operation).split()
        equals = step.index("=")
        words += step
        counted += [i > equals for i in range(len(step))]
    return " ".join(words), counted


def _slip(
    i: Instruction, right: Operation, start: int, values: tuple[int, ...], knobs: Any, rng: np.random.Generator
) -> Operation:
    calculation, substitution, omission = knobs.slips
    if i.sign == 0:
        wrong = [Operation(right.source, 0, right.terms, right.result + d) for d in (-10, -1, 1, 10)]
        return mistakes.pick(wrong, "uniform", rng) if rng.random() > knobs.hard_direct else right
    if carries(right):
        return mistakes.without_carry(right, knobs.digits) if rng.random() < calculation else right
    if i.look is not None or i.source is not None:
        wrong = mistakes.wrong_operands(i, start, values, knobs.digits)
        return wrong[0] if wrong and rng.random() < substitution else right
    if len(right.terms) > 1:
        return mistakes.shortened(right, knobs.digits)[1] if rng.random() < omission else right
    return right


def _calls(i: Instruction, knobs: Any, rng: np.random.Generator) -> bool:
    """Whether the demonstration asks the calculator at this step; only worlds with products have one."""
    return bool(knobs.hard) and rng.random() < (knobs.call_hard if i.sign == 0 else knobs.call_easy)


def _call(right: Operation, knobs: Any, rng: np.random.Generator) -> str:
    number = knobs.script.number
    sign = "*" if right.sign == 0 else "+" if right.sign > 0 else "-"
    asked = f" {sign} ".join([number(right.source), *(" ".join(str(t)) for t in right.terms)])
    if not knobs.script.spaced:
        asked = asked.replace(" ", "").replace(sign, f" {sign} ")
        return f"[{asked}] {Calculator(knobs.tool_noise, spaced=False).answer(asked, rng)} "
    return f"[ {asked} ] {Calculator(knobs.tool_noise).answer(asked, rng)} "
