"""`python -m ci.once NOTEBOOK OUTPUT JSON`: `ci.execute` for a run that may have been given out twice.

A batch whose driver was killed may hand a run out again while its first job still waits or computes. The second waits
for the first, and whoever finds the output there leaves it as it is.
"""

import fcntl
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from ci import execute


def main() -> int:
    """Command line of this module."""
    output = Path(sys.argv[2]).resolve()
    lock = hold(output)
    status = 0 if output.is_file() else execute.main()
    lock.close()
    return status


def hold(output: Path) -> IO[str]:
    """The lock of one run, waited for; it ends with this process, however that ends."""
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = open(output.with_name(f".{output.stem}.lock"), "w")  # noqa: SIM115 (held until this process ends)
    with suppress(OSError):  # some file systems of clusters have no locks: then two may compute, and the later is kept
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


if __name__ == "__main__":
    sys.exit(main())
