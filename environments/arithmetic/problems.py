"""Problems of the arithmetic world: a number, a handful of instructions, and what each of them is due to give."""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

UNITS = ("ones", "tens", "hundreds")
HAZARDS = ("plain", "carry", "jump", "two terms", "hard")
SPLITS = ("train", "held-out")
TRIES, HAZARD_TRIES = 300, 30  # draws of numbers for given hazards, and of hazards


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    sign: +1, -1, or 0 for a product. terms: (k, place) each, k times ten to the place; the factor and place 0 for a
    product; none where the digit is looked up. look: (step, place), the digit of an older result that is the term,
    step 0 being the number given. source: the step whose result is the starting point (0 likewise), None for the
    running value. verb: which of the two surface verbs says it.
    """

    sign: int
    terms: tuple[tuple[int, int], ...] = ()
    look: tuple[int, int] | None = None
    source: int | None = None
    verb: int = 0


@dataclass(frozen=True)
class Operation:
    """What a step computes: `source` (+ or -) `terms`, amounts, or `source` * `terms[0]` for sign 0; and its result."""

    source: int
    sign: int
    terms: tuple[int, ...]
    result: int


@dataclass(frozen=True)
class Truth:
    """The hidden truth: start, instructions, the right value after each of them, and their hazards."""

    start: int
    instructions: tuple[Instruction, ...]
    values: tuple[int, ...]
    hazards: tuple[str, ...]

    @property
    def answer(self) -> int:
        """The last value."""
        return self.values[-1]


@dataclass(frozen=True)
class Prompt:
    """A problem in words; only scorers may read `truth`."""

    text: str
    truth: Truth


def compute(source: int, sign: int, terms: tuple[int, ...], digits: int) -> int:
    """The result of an operation; beyond the range it wraps around, which only happens after a mistake."""
    value = source * terms[0] if sign == 0 else source + sign * sum(terms)
    return value % 10**digits


def digit(value: int, place: int) -> int:
    """The digit of a number at a place, 0 for the ones."""
    return value // 10**place % 10


def due(instruction: Instruction, start: int, values: tuple[int, ...], digits: int) -> Operation:
    """What the instruction asks for, given the results of the steps before it, right or wrong."""
    running = values[-1] if values else start
    older = (start, *values)
    source = running if instruction.source is None else older[instruction.source]
    if instruction.look is not None:
        step, place = instruction.look
        terms = (digit(older[step], place) * 10**place,)
    elif instruction.sign == 0:
        terms = (instruction.terms[0][0],)
    else:
        terms = tuple(k * 10**place for k, place in instruction.terms)
    return Operation(source, instruction.sign, terms, compute(source, instruction.sign, terms, digits))


def carries(operation: Operation) -> bool:
    """Whether a place of the sum overflows or of the difference underflows into the next one."""
    value = operation.source
    for amount in operation.terms if operation.sign else ():
        place = len(str(amount)) - 1
        if amount and not 0 <= digit(value, place) + operation.sign * digit(amount, place) <= 9:
            return True
        value += operation.sign * amount
    return False


@cache
def single(value: int, bounds: tuple[int, int], k_max: int, carry: bool) -> tuple[tuple[int, int, int], ...]:
    """Every (sign, k, place) from a value that stays within the bounds, with a carry or without one."""
    found = []
    for sign in (1, -1):
        for place in range(len(str(bounds[1]))):
            for k in range(1, k_max + 1):
                result = value + sign * k * 10**place
                operation = Operation(value, sign, (k * 10**place,), result)
                if bounds[0] <= result <= bounds[1] and carries(operation) == carry:
                    found.append((sign, k, place))
    return tuple(found)


def draw(depth: int, knobs: Any, rng: np.random.Generator) -> Truth:
    """A problem of this depth: hazards first, at the world's rates, then numbers that allow them.

    Hazards that no numbers allow, such as five products in a row, are drawn anew. ValueError where that does not help.
    """
    low, high = knobs.bounds
    for _ in range(HAZARD_TRIES):
        hazards = tuple(_hazard(step, knobs, rng) for step in range(1, depth + 1))
        for _ in range(TRIES):
            start = int(rng.integers(max(low, 10 ** (knobs.digits - 1)), high + 1))
            truth = _fill(start, hazards, knobs, rng)
            if truth is not None:
                return truth
    raise ValueError(f"depth={depth}: no numbers allow hazards such as {hazards}; lower the shares or widen the span")


def _hazard(step: int, knobs: Any, rng: np.random.Generator) -> str:
    jump = 0.0 if step == 1 else knobs.jump
    carry = knobs.carry + (knobs.jump / 2 if step == 1 else 0.0)  # no jump is possible there
    u = rng.random()
    for name, share in (("carry", carry), ("jump", jump), ("two terms", knobs.two_terms), ("hard", knobs.hard)):
        if u < share:
            return name
        u -= share
    return "plain"


def _fill(start: int, hazards: tuple[str, ...], knobs: Any, rng: np.random.Generator) -> Truth | None:
    instructions, values = [], []
    for hazard in hazards:
        instruction = _MAKERS[hazard](start, tuple(values), knobs, rng)
        if instruction is None:
            return None
        instructions.append(instruction)
        values.append(due(instruction, start, tuple(values), knobs.digits).result)
    return Truth(start, tuple(instructions), tuple(values), hazards)


def _pick(options: tuple, rng: np.random.Generator) -> Any | None:
    return options[int(rng.integers(len(options)))] if options else None


def _one_term(carry: bool) -> Any:
    def make(start: int, values: tuple[int, ...], knobs: Any, rng: np.random.Generator) -> Instruction | None:
        value = values[-1] if values else start
        found = _pick(single(value, knobs.bounds, knobs.k_max, carry), rng)
        return found and Instruction(found[0], ((found[1], found[2]),), verb=int(rng.integers(2)))

    return make


def _jump(start: int, values: tuple[int, ...], knobs: Any, rng: np.random.Generator) -> Instruction | None:
    """An instruction that reads an older result, such that reading another one would show."""
    running = values[-1]
    if knobs.jump_form == "reset":
        sources = [i for i, value in enumerate((start, *values[:-1])) if value != running]
        source = _pick(tuple(sources), rng)
        if source is None:
            return None
        options = single((start, *values)[source], knobs.bounds, knobs.k_max, False)
        both = tuple(set(options) & set(single(running, knobs.bounds, knobs.k_max, False)))
        found = _pick(tuple(sorted(both)), rng)
        return found and Instruction(found[0], ((found[1], found[2]),), source=source, verb=int(rng.integers(2)))
    older = (start, *values[:-1])  # not the latest: subtracted from itself it would wipe an earlier mistake out
    step, place = int(rng.integers(len(older))), int(rng.integers(knobs.digits))
    k = digit(older[step], place)
    others = {digit(value, place) for value in (start, *values)} - {k, 0}
    found = _pick(tuple(o for o in single(running, knobs.bounds, 9, False) if o[1:] == (k, place)), rng)
    if found is None or not others:
        return None
    return Instruction(found[0], look=(step, place), verb=int(rng.integers(2)))


def _two_terms(start: int, values: tuple[int, ...], knobs: Any, rng: np.random.Generator) -> Instruction | None:
    value = values[-1] if values else start
    first = _pick(single(value, knobs.bounds, knobs.k_max, False), rng)
    if first is None:
        return None
    sign, k, place = first
    rest = single(value + sign * k * 10**place, knobs.bounds, knobs.k_max, False)
    second = _pick(tuple(o for o in rest if o[0] == sign and o[2] < place), rng)
    return second and Instruction(sign, ((k, place), second[1:]), verb=int(rng.integers(2)))


def _product(start: int, values: tuple[int, ...], knobs: Any, rng: np.random.Generator) -> Instruction | None:
    value = values[-1] if values else start
    factors = tuple(k for k in range(2, 10) if value >= 2 and value * k < 10**knobs.digits)
    factor = _pick(factors, rng)
    return factor and Instruction(0, ((factor, 0),))


_MAKERS = {
    "plain": _one_term(carry=False),
    "carry": _one_term(carry=True),
    "jump": _jump,
    "two terms": _two_terms,
    "hard": _product,
}


def is_heldout(truth: Truth) -> bool:
    """Whether a problem is in the held-out fifth: by a stable hash of its start and its first two instructions.

    The verbs do not count, so that no two instructions of a held-out problem are ever seen in training.
    """
    begin = [(i.sign, i.terms, i.look, i.source) for i in truth.instructions[:2]]
    seen = hashlib.sha256(f"{truth.start}:{begin}".encode()).digest()
    return int.from_bytes(seen[:8], "big") % 5 == 0
