"""Run programs that nobody has read: each in a sandbox of its own, its tests judged outside of it.

The walls: bubblewrap's namespaces (users, processes, network, mounts, ...), in which only the interpreter can be seen
and only an empty folder in memory be written; limits on processor time, memory, files and descriptors; a filter of
system calls that allows threads but no further process; a clock outside that kills the whole namespace. The environment
is empty.

The verdict: the process that holds the program never sees the test or the expected value. It is called with plain
data, and answers with plain data; the comparison runs elsewhere. A program can therefore answer wrongly, or not at all,
and nothing it patches, prints or exits with is looked at. What it says of itself is not believed: that its walls stand
is said before it is there, and how it ended by the process above it.
"""

from autodidact.environments.sandbox.bench import Outcome, Report
from autodidact.environments.sandbox.box import SandboxUnavailable
from autodidact.environments.sandbox.limits import Limits
from autodidact.environments.sandbox.running import available, call, call_many, examine, run, run_many

__all__ = [
    "Limits",
    "Outcome",
    "Report",
    "SandboxUnavailable",
    "available",
    "call",
    "call_many",
    "examine",
    "run",
    "run_many",
]
