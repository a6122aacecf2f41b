"""What was computed from a policy, kept as long as that policy lives."""

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from autodidact.models.response import tokens_key

LARGEST = 10_000_000  # parameters: of larger policies nothing is kept, their descendants would fill the memory


class Kept:
    """Results by policy and key, each computed once; they go with the policy. Policies of a lab are never changed."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[Any, dict[Hashable, Any]] = WeakKeyDictionary()

    def get(self, policy: Any, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The result kept for `policy` under `key`, or that of `compute()`."""
        if policy.model.num_parameters() > LARGEST:
            return compute()
        kept = self._of.setdefault(policy, {})
        if key not in kept:
            kept[key] = compute()
        return kept[key]


def key_of(*parts: Any) -> Hashable:
    """A hashable form of arguments: mappings and lists by content, `functools.partial` by function and what it binds.

    Functions count by identity, so that two lambdas are two losses.
    """
    return tuple(map(_plain, parts))


def _plain(value: Any) -> Hashable:
    if isinstance(value, str):
        return tokens_key(value)
    if isinstance(value, Mapping):
        return tuple((name, _plain(v)) for name, v in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, partial):
        return value.func, _plain(value.args), _plain(value.keywords)
    try:
        hash(value)
    except TypeError:
        return repr(value)  # an adapter's configuration: its repr names every field
    return value
