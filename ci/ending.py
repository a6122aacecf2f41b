"""How a run ends: with the process that wants it, within its time, and with everything that it started."""

import ctypes
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

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


def bury() -> None:
    """Take note of the children that have ended: what is adopted has nobody else to do so, and would stay a zombie."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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
    """Kills the children when the process `owner` ends, whatever ended it, or when the time is over, if there is any.

    `reason` then says which, in one line. This process is left ten seconds to close by itself, and then ended.
    """

    def __init__(self, owner: int | None) -> None:
        super().__init__(daemon=True)
        self.reason: str | None = None
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
            bury()
        end_children()
        time.sleep(GRACE_SECONDS)
        print(self.reason, file=sys.stderr, flush=True)
        os._exit(1)


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
        return lambda seconds: bool(time.sleep(seconds)) or not _alive(process)
    return lambda seconds: bool(select.select([handle], [], [], seconds)[0])


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
