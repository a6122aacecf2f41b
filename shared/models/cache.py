"""A cache of folders by content: complete and verified, or rebuilt; never trusted."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

MANIFEST = "manifest.json"
SCRATCH = re.compile(r"\.(?P<entry>\w+-[0-9a-f]{20})\.\w+")  # what a build fills before it is the entry


def cache_folder() -> Path:
    """Where base models are kept: AUTODIDACT_CACHE, else `autodidact` in the user's cache folder."""
    named = os.environ.get("AUTODIDACT_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(home) / "autodidact"


def key_of(description: dict) -> str:
    """The name of an entry: a hash of everything that its content depends on."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:20]


def cached(description: dict, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills for this description, built once.

    The entry is written beside its place, with a manifest of every file's hash, and renamed when it is whole; a lock
    makes a second process wait instead of building the same. An entry whose description or whose bytes differ from
    its manifest (torn, of another version, edited) is removed and built again. What killed builds left is removed
    before the next one. Raises OSError in one line where the cache cannot be written: it is read-only, or full.
    """
    folder = cache_folder() / f"{description.get('kind', 'entry')}-{key_of(description)}"
    if is_whole(folder, description):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(_lock_of(folder), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_whole(folder, description):  # another process may have built it while we waited
                _remove_scratch(folder)
                _replace(folder, description, build)
    except Exception as error:  # the writers of weights have errors of their own for a disk that is full
        if (reason := _unwritable(error, folder.parent)) is None:
            raise
        raise OSError(
            f"the cache {folder.parent} cannot be written: {reason}; AUTODIDACT_CACHE names another folder"
        ) from error
    return folder


def is_whole(folder: Path, description: dict) -> bool:
    """Whether the entry exists, is of this description, and holds what its manifest says, byte for byte."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        files = manifest["files"]  # every build leaves files, so a list of none says nothing
        return (
            bool(files)
            and manifest["description"] == json.loads(json.dumps(description))
            and all(
                (folder / name).stat().st_size == entry["size"] and _digest(folder / name) == entry["sha256"]
                for name, entry in files.items()
            )
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # absent, torn or foreign: all the same to the caller, who builds it


def _lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


def _remove_scratch(held: Path) -> None:
    """Remove the scratch folders of builds that were killed: those of entries whose lock nobody else holds.

    held: the entry whose lock this process holds.
    """
    for scratch in filter(Path.is_dir, held.parent.glob(".*.*")):
        match = SCRATCH.fullmatch(scratch.name)
        entry = held.with_name(match["entry"]) if match else None
        if entry and (entry == held or _is_free(_lock_of(entry))):
            shutil.rmtree(scratch, ignore_errors=True)


def _is_free(lock: Path) -> bool:
    try:
        with open(lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unwritable(error: Exception, cache: Path) -> str | None:
    """Why the cache cannot be written, if that is what the error says; None for any other error."""
    full = os.strerror(errno.ENOSPC)
    if full in str(error):
        return full
    within = isinstance(error, OSError) and str(error.filename or "").startswith(str(cache))
    return error.strerror if within or getattr(error, "errno", None) in (errno.EROFS, errno.EDQUOT) else None


def _replace(folder: Path, description: dict, build: Callable[[Path], None]) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(scratch)
        files = {
            str(path.relative_to(scratch)): {"size": path.stat().st_size, "sha256": _digest(path)}
            for path in sorted(scratch.rglob("*"))
            if path.is_file()
        }
        if not files:
            raise ValueError(f"build left no file for the entry {folder.name}")
        (scratch / MANIFEST).write_text(json.dumps({"description": description, "files": files}, indent=1))
        _remove(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove(entry: Path) -> None:
    """Take away what stands in the entry's place, a file or a link as well as a folder."""
    if entry.is_symlink() or entry.is_file():
        entry.unlink()
    else:
        shutil.rmtree(entry, ignore_errors=True)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
