"""How many cores this process may use: not the machine's, but those it was allotted."""

import math
import os
import sys
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
SLURM = "SLURM_CPUS_ON_NODE"  # what a job of SLURM was given on its node, also where nothing holds it to that


def allotted(cgroups: Path = CGROUPS) -> int:
    """The least of the machine's cores, this process's affinity, its container's quota and its SLURM job's share; >= 1.

    A quota of 1.5 cores counts as 2. `cgroups` is where the kernel shows the quota, in version 2 or 1 of its files.
    """
    cores = [os.cpu_count() or 1, *_quota(cgroups)]
    if sys.platform == "linux":
        cores.append(len(os.sched_getaffinity(0)))
    share = os.environ.get(SLURM, "")
    if share.isdecimal():
        cores.append(int(share))
    return max(1, min(cores))


def _quota(cgroups: Path) -> list[int]:
    """Microseconds of computing that a period may have, over its length, rounded up; empty where there is no limit."""
    files = [cgroups / "cpu.max"], [cgroups / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    for paths in files:
        words = [word for path in paths if path.is_file() for word in path.read_text().split()]
        if len(words) == 2 and words[0].isdecimal() and int(words[1]) > 0:
            return [math.ceil(int(words[0]) / int(words[1]))]
    return []
