"""How a run ends: with the process that wants it, within its time, and with everything that it started.

`python -m ci.ending COMMAND...` runs a command that ends with the process which the environment's AUTODIDACT_OWNER
names; the exit status is the command's. It takes no interrupt for itself: a terminal sends it to the command, too.
"""

import ctypes
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ci.files import alive

OWNER = "AUTODIDACT_OWNER"  # process id of the command that wants this run; the run ends when that process does
POLL_SECONDS = 0.5
GRACE_SECONDS = 10  # for keeping what was executed, once the kernel is killed
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def adopt() -> None:
    """On Linux, become the parent of every process below this one whose own parent has ended, instead of process 1."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent() -> Callable[[], None]:
    """What a child calls between fork and exec so that Linux kills it when this process ends, by SIGKILL, too."""
    library, parent = ctypes.CDLL(None), os.getpid()

    def prepare() -> None:
        if sys.platform == "linux":
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def bury(spared: int | None = None) -> None:
    """Take note of children that have ended, but one: what is adopted has nobody else to do so, and stays a zombie."""
    for pid in _children():
        if pid != spared:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_children() -> None:
    """Kill every child, and its children once they are adopted, until there are none."""
    end = time.monotonic() + GRACE_SECONDS
    while (pids := _children()) and time.monotonic() < end:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
        bury()


class Watch(threading.Thread):
    """Kills the children when the owner ends, whatever ended it, or when the time is over, where either is set.

    `reason` then says which, in one line. This process is left ten seconds to close by itself, and then ended. Adopted
    children that end are buried, but never the process `spared`: who waits for it wants its exit status.
    """

    def __init__(self, spared: int | None = None) -> None:
        super().__init__(daemon=True)
        owner = int(os.environ[OWNER]) if OWNER in os.environ else None
        self.reason: str | None = None
        self._spared = spared
        self._ended, self._end, self._too_long = _waiter(owner), math.inf, ""
        self.start()

    def allow(self, seconds: float, too_long: str) -> None:
        """So many seconds from now on; `too_long` is the reason once they are over."""
        self._too_long, self._end = too_long, time.monotonic() + seconds

    def run(self) -> None:
        """The thread's work: wait for either, and bury meanwhile."""
        while self.reason is None:
            if self._ended(POLL_SECONDS):
                self.reason = "the command that started this run has ended"
            elif time.monotonic() > self._end:
                self.reason = self._too_long
            bury(self._spared)
        end_children()
        time.sleep(GRACE_SECONDS)
        print(self.reason, file=sys.stderr, flush=True)
        os._exit(1)


def main() -> int:
    """Command line of this module."""
    adopt()
    process = subprocess.Popen(sys.argv[1:], preexec_fn=end_with_parent())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    watch = Watch(spared=process.pid)
    status = process.wait()
    end_children()
    return 1 if watch.reason else status


def _children() -> list[int]:
    """The children of this process, on Linux; none elsewhere."""
    pids = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            pids += map(int, path.read_text().split())
    return pids


def _waiter(process: int | None) -> Callable[[float], bool]:
    """A function that waits so many seconds, or less, and says whether the process has ended by then."""
    if process is None:
        return lambda seconds: bool(time.sleep(seconds))
    try:
        handle = os.pidfd_open(process)  # becomes readable at the end, also if nobody has buried it yet
    except ProcessLookupError:
        return lambda seconds: True
    except (AttributeError, OSError):  # another system than Linux, or an old one
        return lambda seconds: bool(time.sleep(seconds)) or not alive(process)
    return lambda seconds: bool(select.select([handle], [], [], seconds)[0])


if __name__ == "__main__":
    sys.exit(main())
