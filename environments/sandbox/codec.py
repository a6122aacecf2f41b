"""Plain data as bytes: the only thing that crosses the wall of a sandbox, in either direction.

Inside and outside run this same text. A value is built of None, bool, int, float, complex, str, bytes, list, tuple,
dict, set and frozenset, by exact type: a subclass (with an `__eq__` of its own, say) is no plain value and does not
pass. What is decoded is therefore always made of the reader's own built-in types, and comparing it runs no foreign
code.
"""

DEPTH = 64  # nested containers; Python itself begins to fail some hundreds deeper
_CONTAINERS = {list: b"l", tuple: b"t", set: b"e", frozenset: b"z"}
_MAKERS = {b"l": list, b"t": tuple, b"e": set, b"z": frozenset}
_CONSTANTS = {None: b"N", True: b"T", False: b"F"}
_FEW = 64  # of one hash: a table of that many is quick to make all the same
_NAMED = {code: value for value, code in _CONSTANTS.items()}


class NotPlain(ValueError):
    """A value that is no plain data, or too large or too deep for a message."""


def encode(value, limit):  # noqa: ANN001, ANN201
    """The bytes of a plain value. Raises NotPlain for anything else, and for more than `limit` bytes."""
    parts = []
    _write(value, parts, [limit], 0)
    return b"".join(parts)


def decode(data):  # noqa: ANN001, ANN201
    """The value that `data` encodes. Raises NotPlain for bytes that `encode` does not write."""
    try:
        value, end = _read(data, 0, 0)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise NotPlain(f"malformed message: {error}") from None
    if end != len(data):
        raise NotPlain("malformed message: bytes are left over")
    return value


def adopt_all(arguments, changed):  # noqa: ANN001, ANN201
    """Give the lists, dicts and sets among some arguments the content that a program's copies of them have now."""
    for old, new in zip(arguments, changed):  # noqa: B905 (none came back where the function returned a value)
        if type(old) is type(new) is list:
            old[:] = new
        elif type(old) is type(new) and type(old) in (dict, set):
            old.clear()
            old.update(new)


def _put(parts, room, data):  # noqa: ANN001, ANN202
    room[0] -= len(data)
    if room[0] < 0:
        raise NotPlain("the value is larger than a message may be")
    parts.append(data)


def _write(value, parts, room, depth):  # noqa: ANN001, ANN202
    kind = type(value)
    if depth > DEPTH:
        raise NotPlain(f"the value is nested more than {DEPTH} deep")
    if value is None or kind is bool:
        _put(parts, room, _CONSTANTS[value])
    elif kind is int:
        if value.bit_length() > 4 * room[0]:
            raise NotPlain("the number is larger than a message may be")
        _put(parts, room, b"i%x;" % value if value >= 0 else b"i-%x;" % -value)
    elif kind is float:
        _put(parts, room, b"f" + value.hex().encode() + b";")
    elif kind is complex:
        _put(parts, room, b"c" + value.real.hex().encode() + b"," + value.imag.hex().encode() + b";")
    elif kind is str or kind is bytes:
        if len(value) > room[0]:
            raise NotPlain("the text is larger than a message may be")
        data = value.encode("utf-8", "surrogatepass") if kind is str else value
        _put(parts, room, (b"s" if kind is str else b"b") + b"%x;" % len(data))
        _put(parts, room, data)
    elif kind is dict:
        _put(parts, room, b"d%x;" % len(value))
        for key, item in value.items():
            _write(key, parts, room, depth + 1)
            _write(item, parts, room, depth + 1)
    elif kind in _CONTAINERS:
        _put(parts, room, _CONTAINERS[kind] + b"%x;" % len(value))
        for item in value:
            _write(item, parts, room, depth + 1)
    else:
        raise NotPlain("a value of type " + kind.__name__[:60] + " is no plain data")


def _read(data, at, depth):  # noqa: ANN001, ANN202
    if depth > DEPTH:
        raise ValueError("nested too deep")
    code = data[at : at + 1]
    if code in _NAMED:
        return _NAMED[code], at + 1
    end = data.index(b";", at)
    head, end = data[at + 1 : end], end + 1
    if code == b"i":
        return int(head, 16), end
    if code == b"f":
        return float.fromhex(head.decode("ascii")), end
    if code == b"c":
        real, imaginary = head.decode("ascii").split(",")
        return complex(float.fromhex(real), float.fromhex(imaginary)), end
    size = int(head, 16)
    if not 0 <= size <= len(data) - end:
        raise ValueError("a size beyond the message")
    if code in (b"s", b"b"):
        raw = data[end : end + size]
        return (raw.decode("utf-8", "surrogatepass") if code == b"s" else raw), end + size
    items = []
    for _ in range(2 * size if code == b"d" else size):
        item, end = _read(data, end, depth + 1)
        items.append(item)
    if code == b"d":
        _check_hashes(items[::2])
        return dict(zip(items[::2], items[1::2], strict=True)), end
    if code in (b"e", b"z"):
        _check_hashes(items)
    return _MAKERS[code](items), end


def _check_hashes(keys):  # noqa: ANN001, ANN202
    """Refuse keys that were chosen for their equal hashes: a table of them takes the square of the time."""
    if len(keys) > _FEW and _FEW * len(set(map(hash, keys))) < len(keys):
        raise ValueError("too many keys of one hash")
