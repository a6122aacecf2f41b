"""Files that are whole or not there, folders that one command has to itself, and where things lie."""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRATCH = re.compile(r"\..+\.(?P<process>\d+)\.part(\.ipynb)?")  # half a file, and the process that writes it
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it, so that no reader and no crash ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which ends with this process however that ends, and clear it of what kills left.

    Raises ValueError, naming the folder, where another process holds it and where it cannot be written: it is
    read-only, or the disk is full, at first or later on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"another command is under way in {shown(folder)}; wait for it or end it") from None
            remove_scratch(folder)
            try:
                yield
            finally:
                remove_scratch(folder)  # of runs that were still ending when this command began
    except OSError as error:
        place = Path(str(error.filename or folder))
        within = place.is_relative_to(folder) and not isinstance(error, FileNotFoundError)
        if error.errno not in FULL and not within and place not in (folder, *folder.parents):
            raise
        raise ValueError(f"{shown(folder)} cannot be written: {error.strerror} ({place})") from None


def remove_scratch(folder: Path) -> None:
    """Remove the half-written files below a folder whose writers were killed; those of living processes stay."""
    for path in folder.rglob(".*.part*"):
        match = SCRATCH.fullmatch(path.name)
        if match and not alive(int(match["process"])):
            path.unlink(missing_ok=True)


def alive(process: int) -> bool:
    """Whether a process of this id runs on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, and is another user's
        return True
    return True


def shown(path: Path) -> str:
    """A path as a person reads it: relative to the working folder where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
