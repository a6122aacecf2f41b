"""The lumps of a map in a WAD file of Doom: vertices, lines, sides, sectors and things, as structured arrays.

The format is id Software's of 1993 ("The Unofficial Doom Specs", Fell 1994): little-endian records of fixed length.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

NO_SIDE = 0xFFFF
_NAME = "S8"
_RECORDS = {
    "THINGS": np.dtype([("x", "<i2"), ("y", "<i2"), ("angle", "<i2"), ("type", "<i2"), ("flags", "<i2")]),
    "LINEDEFS": np.dtype(
        [
            ("start", "<u2"), ("end", "<u2"), ("flags", "<u2"), ("special", "<u2"), ("tag", "<u2"),
            ("front", "<u2"), ("back", "<u2"),
        ]
    ),
    "SIDEDEFS": np.dtype(
        [("x", "<i2"), ("y", "<i2"), ("upper", _NAME), ("lower", _NAME), ("middle", _NAME), ("sector", "<u2")]
    ),
    "VERTEXES": np.dtype([("x", "<i2"), ("y", "<i2")]),
    "SECTORS": np.dtype(
        [
            ("floor", "<i2"), ("ceiling", "<i2"), ("below", _NAME), ("above", _NAME),
            ("light", "<i2"), ("special", "<i2"), ("tag", "<i2"),
        ]
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lumps:
    """A map's records: `things`, `lines`, `sides`, `vertices`, `sectors`, each a structured array."""

    things: np.ndarray
    lines: np.ndarray
    sides: np.ndarray
    vertices: np.ndarray
    sectors: np.ndarray


@lru_cache(maxsize=32)
def read_map(path: Path, name: str) -> Lumps:
    """The map `name`, such as "map01", of a WAD file. Raises ValueError for another file and a missing map."""
    with path.open("rb") as file:
        kind, count, at = struct.unpack("<4sii", file.read(12))
        if kind not in (b"IWAD", b"PWAD"):
            raise ValueError(f"path={path} is not a WAD file: it begins with {kind!r}")
        file.seek(at)
        directory = [struct.unpack("<ii8s", file.read(16)) for _ in range(count)]
        names = [entry[2].rstrip(b"\0").decode("ascii").lower() for entry in directory]
        if name not in names:
            raise ValueError(f"name={name!r} is no map of {path.name}")
        first = names.index(name) + 1
        found = {}
        for (start, size, _), lump in zip(directory[first : first + 10], names[first : first + 10], strict=True):
            if lump.upper() in _RECORDS and lump not in found:
                file.seek(start)
                found[lump] = np.frombuffer(file.read(size), _RECORDS[lump.upper()])
    return Lumps(*(found[k] for k in ("things", "linedefs", "sidedefs", "vertexes", "sectors")))
