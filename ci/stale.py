"""List the published records that other code made than the code that stands: `make stale`; exit status 1 if any."""

import sys

from ci.entries import published
from ci.files import shown


def main() -> int:
    """Print a line for every stale record, with what changed."""
    stale = {entry.notebook: entry.outdated for entry in published() if entry.stale}
    for notebook, names in stale.items():
        print(f"{shown(notebook)}: changed since: {', '.join(names)}")
    print(f"{len(stale)} stale" if stale else "no published record is stale")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
