"""Replicates side by side: a function of a seed in forked processes, where there are cores for it.

Replicates are independent of one another, so running them together changes the waiting and nothing else. A fork
inherits what the notebook has imported and defined; results come back as pickles, and so does what each seed is doing.
"""

import ctypes
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context
from typing import Any

from autodidact.cores import allotted

VARIABLE = "AUTODIDACT_WORKERS"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_stage: Callable[[str], None] | None = None  # in a forked process: how it tells its parent what it is doing


def workers(replicates: int, threads: int) -> int:
    """How many processes to use for so many replicates, each of `threads` threads: as the cores allow, or fewer.

    The environment's AUTODIDACT_WORKERS sets the number; ValueError if it is no whole number, 1 or greater. Elsewhere
    than on Linux it is 1: there a fork does not survive the numerical libraries.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted and (not wanted.isdecimal() or int(wanted) < 1):
        raise ValueError(f"{VARIABLE}={wanted!r} in the environment must be a whole number, 1 or greater")
    if sys.platform != "linux":
        return 1
    most = int(wanted) if wanted else allotted() // threads
    return max(1, min(replicates, most))


def tell(stage: str) -> bool:
    """In a forked process: tell the parent what the seed is doing. False elsewhere."""
    if _stage is not None:
        _stage(stage)
    return _stage is not None


def side_by_side(
    function: Callable[[int], Any],
    seeds: Sequence[int],
    processes: int,
    note: Callable[[str, int], None] = lambda stage, seed: None,
) -> Iterator[tuple[int, Any]]:
    """(seed, function(seed)) as they are done. Process k takes seeds k, k + processes, ... in their order.

    note: called with (stage, seed) when a seed begins, with stage "", and at every `tell` of it. What `function` raises
    is raised here with its traceback as a note, and the other processes are ended; RuntimeError names the seeds of a
    process that ended without a result. The processes end with their parent, however that ends.
    """
    context = get_context("fork")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else each fork is warned of
    running = {}
    try:
        for first in range(min(processes, len(seeds))):
            receiver, sender = context.Pipe(duplex=False)
            own = seeds[first::processes]
            process = context.Process(target=_work, args=(function, own, sender, os.getpid()), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads in any kernel
                process.start()
            sender.close()
            running[receiver] = process, list(own)
        while running:
            for receiver in connection.wait(list(running)):
                process, waiting = running[receiver]
                try:
                    kind, value = pickle.loads(receiver.recv_bytes())
                except EOFError:
                    del running[receiver]
                    process.join()
                    if waiting:
                        ended = f"its process ended with exit code {process.exitcode}"
                        raise RuntimeError(f"seeds {waiting} have no result: {ended}") from None
                    continue
                if kind == "error":
                    error, trace = value
                    error.add_note(trace)
                    raise error
                if kind == "stage":
                    note(value, waiting[0])
                else:
                    yield waiting.pop(0), value
    finally:
        for process, _ in running.values():
            process.kill()
            process.join()


def _work(function: Callable[[int], Any], seeds: Sequence[int], sender: connection.Connection, parent: int) -> None:
    """The life of a forked process: it sends ("stage", text), ("result", value) and, at last, ("error", ...)."""
    global _stage
    _end_with(parent)

    def send(stage: str) -> None:
        sender.send_bytes(pickle.dumps(("stage", stage)))

    _stage = send
    try:
        for seed in seeds:
            send("")
            sender.send_bytes(pickle.dumps(("result", function(seed))))
    except BaseException as error:  # an interrupt included: whatever ends a seed is the caller's to hear of
        sender.send_bytes(_failure(error))


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, and end at once if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _failure(error: BaseException) -> bytes:
    text = traceback.format_exc()
    try:
        return pickle.dumps(("error", (error, text)))
    except Exception:  # an exception that holds what cannot be sent
        return pickle.dumps(("error", (RuntimeError(f"{type(error).__name__}: {error}"), text)))
