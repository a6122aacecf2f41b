"""Tests in the commonest form, read as data: values, then assertions about one call each.

`t = [4, 1]` and `assert f(t) == 5` need no interpreter: the arguments and the expected value are literals, which never
enter the program's sandbox or any other. Whatever is not of this form gets None here and a tester's sandbox instead.
"""

import ast
import builtins
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LONGEST = 2000  # characters: what nests deeper than a parser bears is longer
# CPython 3.11 counts the depth of a tree under construction once for all threads: two at a time end in SystemError.
_ONE_PARSER = threading.Lock()
_NUMBERS = (int, float, complex)
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


@dataclass(frozen=True)
class Name:
    """A value that the test has given a name."""

    name: str


@dataclass(frozen=True)
class Assignment:
    """`name = literal`; the literal is made anew by `value()`."""

    name: str
    value: Callable[[], Any]


@dataclass(frozen=True)
class Assertion:
    """`assert f(arguments) <operator> expected`, in which `holds` compares the returned value with the expected one."""

    function: str
    arguments: tuple[Callable[[], Any] | Name, ...]
    named: dict[str, Callable[[], Any] | Name]
    expected: Callable[[], Any] | Name
    holds: Callable[[Any, Any], bool]


def plan(test: str, entry: str | None = None) -> list[Assignment | Assertion] | None:
    """The steps of a test, or None if it is not of the simple form. Never raises for any text.

    entry: a function of the program that may have the name of a built-in one.
    """
    if len(test) > _LONGEST or "\0" in test:
        return None
    try:
        with _ONE_PARSER:
            tree = ast.parse(test)
        return _steps(tree, entry)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError, _OtherForm):
        return None


class _OtherForm(Exception):
    """The test is not of the simple form."""


def _steps(tree: ast.Module, entry: str | None) -> list[Assignment | Assertion]:
    steps, known = [], set()
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not _reserved(name, None):
                steps.append(Assignment(name, _literal(value)))
                known.add(name)
            case ast.Assert(test=test, msg=None | ast.Constant()):
                steps.append(_assertion(test, known, entry))
            case _:
                raise _OtherForm
    return steps


def _assertion(test: ast.expr, known: set[str], entry: str | None) -> Assertion:
    match test:
        case ast.Compare(left=ast.Call() as call, ops=[operator], comparators=[other]):
            pass
        case ast.Compare(left=other, ops=[ast.Eq() | ast.NotEq() as operator], comparators=[ast.Call() as call]):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as call):
            return _of(call, known, entry, ast.Constant(None), lambda value, _: not value)
        case ast.Call() as call:
            return _of(call, known, entry, ast.Constant(None), lambda value, _: bool(value))
        case _:
            raise _OtherForm
    singleton = isinstance(other, ast.Constant) and (other.value is None or type(other.value) is bool)
    match operator:
        case ast.Eq():
            return _of(call, known, entry, other, lambda value, expected: value == expected)
        case ast.NotEq():
            return _of(call, known, entry, other, lambda value, expected: value != expected)
        case ast.Is() if singleton:
            return _of(call, known, entry, other, lambda value, expected: value is expected)
    raise _OtherForm


def _of(
    call: ast.Call, known: set[str], entry: str | None, other: ast.expr, holds: Callable[[Any, Any], bool]
) -> Assertion:
    if not isinstance(call.func, ast.Name) or call.func.id in known or _reserved(call.func.id, entry):
        raise _OtherForm
    if any(word.arg is None for word in call.keywords):
        raise _OtherForm
    arguments = tuple(_argument(node, known) for node in call.args)
    named = {word.arg: _argument(word.value, known) for word in call.keywords}
    return Assertion(call.func.id, arguments, named, _argument(other, known), holds)


def _reserved(name: str, entry: str | None) -> bool:
    """Whether a name means something in Python itself, which no program may redefine for its test."""
    return name != entry and (hasattr(builtins, name) or name.startswith("__"))


def _argument(node: ast.expr, known: set[str]) -> Callable[[], Any] | Name:
    if isinstance(node, ast.Name) and node.id in known:
        return Name(node.id)
    return _literal(node)


def _literal(node: ast.expr) -> Callable[[], Any]:
    """What makes the value of a literal, fresh every time, since lists can be changed."""
    _value(node)
    return lambda: _value(node)


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value) if type(value) in _PLAIN:
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=value)) if (
            type(value) in _NUMBERS
        ):
            return -value if isinstance(sign, ast.USub) else +value
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Set(elts=items):
            return {_hashable(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_hashable(key): _value(value) for key, value in zip(keys, values, strict=True)}
    raise _OtherForm


def _hashable(node: ast.expr) -> Any:
    value = _value(node)
    try:
        hash(value)
    except TypeError:
        raise _OtherForm from None
    return value
