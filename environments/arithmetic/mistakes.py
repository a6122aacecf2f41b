"""Mistakes: how a step goes wrong, which kind a wrong step is, and where the first one of an answer stands."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autodidact.environments.arithmetic.problems import Instruction, Operation, Truth, compute, digit, due
from autodidact.environments.arithmetic.vocabulary import Parsed, cut_answer, in_order, parse, split_steps

KINDS = ("calculation", "substitution", "omission", "other")


def without_carry(operation: Operation, digits: int) -> Operation:
    """The sum place by place, what should be carried dropped: 67 + 8 ones = 65. Unchanged where nothing is carried."""
    value = operation.source
    for amount in operation.terms:
        place = len(str(amount)) - 1
        old = digit(value, place)
        value += ((old + operation.sign * digit(amount, place)) % 10 - old) * 10**place
    return replace(operation, result=value % 10**digits)


def wrong_operands(i: Instruction, start: int, values: tuple[int, ...], digits: int) -> list[Operation]:
    """What results from reading the digit or the starting point elsewhere, the latest result first; each differs.

    Without a look back, the number of units is read one too low or one too high.
    """
    right = due(i, start, values, digits)
    older = [*reversed(values), start]
    found: list[Operation] = []
    if i.look is not None:
        places = [i.look[1], *(p for p in range(digits) if p != i.look[1])]
        amounts = [digit(value, p) * 10 ** i.look[1] for p in places for value in older]
        found = [_of(right.source, right.sign, (amount,), digits) for amount in amounts if amount]
    elif i.source is not None:
        found = [_of(value, right.sign, right.terms, digits) for value in older]
    if not found:
        k, place = i.terms[0]
        unit = 1 if i.sign == 0 else 10**place
        near = [j for j in (k - 1, k + 1) if 1 <= j <= 9]
        found = [_of(right.source, right.sign, (j * unit, *right.terms[1:]), digits) for j in near]
    return list(dict.fromkeys(o for o in found if _operands(o) != _operands(right)))


def wrong_results(operation: Operation, digits: int) -> list[int]:
    """Results that are wrong for these operands, the likeliest first: the carry dropped, then one off at a place."""
    near = [without_carry(operation, digits).result] if operation.sign else []
    near += [operation.result + sign * 10**place for place in range(digits) for sign in (1, -1)]
    return list(dict.fromkeys(c for c in near if 0 <= c < 10**digits and c != operation.result))


def shortened(operation: Operation, digits: int) -> list[Operation]:
    """The operation with one of its terms left out; none where it has a single term."""
    if len(operation.terms) < 2:
        return []
    kept = [operation.terms[:j] + operation.terms[j + 1 :] for j in range(len(operation.terms))]
    return [_of(operation.source, operation.sign, terms, digits) for terms in kept]


def judge_step(truth: Truth, k: int, values: tuple[int, ...], step: str, digits: int) -> str | None:
    """The kind of mistake of step k, given the results before it, None for a right one; the answer line not judged.

    Operands are judged before the result, so a step with a wrong operand and a wrong result is a substitution.
    """
    if k > len(truth.instructions):
        return "other"
    parsed = parse(cut_answer(step)[0])
    if parsed is None:
        return "other"
    right, said = due(truth.instructions[k - 1], truth.start, values, digits), parsed.operation
    if _operands(said) != _operands(right):
        return "omission" if _leaves_out(truth, k, values, right, said, digits) else "substitution"
    return None if said.result == right.result else "calculation"


def first_error(truth: Truth, response: str, digits: int) -> tuple[int, str] | None:
    """(step, kind) of the first mistake, None for an answer that is right throughout.

    Each step is judged given the right results before it. An answer that ends too early lacks its next step, an
    omission; one that goes on too long has a step of kind "other"; so has a last step whose answer line is missing or
    contradicts it. Nothing malformed raises.
    """
    depth, steps = len(truth.instructions), split_steps(response)
    if not in_order(response):
        return 1, "other"
    for k, step in enumerate(steps, 1):
        kind = judge_step(truth, k, truth.values[: k - 1], step, digits)
        if kind is None and k < len(steps) and cut_answer(step)[1] is not None:
            kind = "other"  # an answer line where there is more to come
        if kind is not None:
            return k, kind
    if len(steps) < depth:
        return len(steps) + 1, "omission"
    return None if cut_answer(steps[-1])[1] == truth.answer else (depth, "other")


def results(steps: Sequence[str]) -> tuple[int, ...] | None:
    """The results as the steps give them, None if one cannot be read."""
    parsed: list[Parsed | None] = [parse(cut_answer(step)[0]) for step in steps]
    return None if None in parsed else tuple(p.operation.result for p in parsed if p is not None)


def pick(options: Sequence, how: str, rng: np.random.Generator) -> object:
    """The first option for `how` = "rule", any of them for "uniform"."""
    return options[0] if how == "rule" else options[int(rng.integers(len(options)))]


def _of(source: int, sign: int, terms: tuple[int, ...], digits: int) -> Operation:
    return Operation(source, sign, terms, compute(source, sign, terms, digits))


def _operands(operation: Operation) -> tuple:
    return operation.source, operation.sign, tuple(sorted(operation.terms))


def _leaves_out(truth: Truth, k: int, values: tuple[int, ...], right: Operation, said: Operation, digits: int) -> bool:
    """Whether a step misses a term of its own instruction or does the next instruction instead."""
    if (said.source, said.sign) == (right.source, right.sign) and len(said.terms) < len(right.terms):
        left = list(right.terms)
        if all(term in left and not left.remove(term) for term in said.terms):
            return True
    if k < len(truth.instructions):
        following = truth.instructions[k]
        if following.look is None or following.look[0] <= len(values):
            return _operands(due(following, truth.start, values, digits)) == _operands(said)
    return False
