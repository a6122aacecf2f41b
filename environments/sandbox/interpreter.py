"""Which Python runs in the sandbox, and the few files of the host that it needs."""

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

_LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")


@cache
def python() -> Path:
    """This interpreter's own binary, not the link of a virtual environment to it."""
    return Path(os.path.realpath(sys._base_executable if hasattr(sys, "_base_executable") else sys.executable))


@cache
def mounts() -> tuple[tuple[str, str], ...]:
    """(what of the host, where in the sandbox): the interpreter, its standard library, C libraries."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [(python(), python()), (library, library)]
    shared = Path(sysconfig.get_config_var("LIBDIR") or "") / (sysconfig.get_config_var("INSTSONAME") or "")
    if shared.is_file():
        found.append((shared, shared))
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    for folder in _LIBRARIES:
        for path in (Path(folder) / multiarch, Path(folder)):
            if path.is_dir() and (path.name != "lib"):  # all of /usr/lib is more than Python needs
                found.append((path.resolve(), path))
    return tuple((str(source), str(target)) for source, target in found)


def hidden() -> tuple[str, ...]:
    """Folders inside the mounts that stay out of sight: packages that happen to lie beside the standard library."""
    packages = Path(sysconfig.get_path("stdlib")) / "site-packages"
    return (str(packages),) if packages.is_dir() else ()
