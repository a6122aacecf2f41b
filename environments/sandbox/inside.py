"""What runs inside a sandbox, with `codec.py` put in front of it: a guard that lets one child at a time do the work.

The guard is process 1 of its namespace, so nothing inside can signal it. It speaks with the outside over a control
channel, a socket, which a child gives up before it holds any foreign code. A child is a fork of the guard in a role:
"program" loads the program under test and answers calls of its functions; "tester" runs a test, whose calls are sent
outside, to a program in another sandbox. Children speak in frames of plain data, each over pipes of its own that come
with its order; whatever a program does to this code or to those pipes changes its own answers only.
"""

# ruff: noqa: ANN001, ANN201, ANN202, E402, F821 (this text is sent into the sandbox; codec.py stands in front of it)

import _signal
import _socket
import builtins
import ctypes
import gc
import posix
import resource
import sys


def read_exactly(source, size, read=posix.read):
    """Exactly so many bytes of a descriptor; EOFError where it ends before."""
    data = b""
    while len(data) < size:
        chunk = read(source, min(size - len(data), 65536))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def receive(source):
    """The next frame: four bytes of length, then plain data."""
    return decode(read_exactly(source, int.from_bytes(read_exactly(source, 4), "big")))


def send(sink, message, limit, write=posix.write):
    """Write plain data as one frame; NotPlain where it is something else or longer than the limit."""
    body = encode(message, limit)
    data = len(body).to_bytes(4, "big") + body
    while data:
        data = data[write(sink, data) :]


class Filter(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def confine(limits, seccomp, prctl=ctypes.CDLL(None, use_errno=True).prctl):  # noqa: B008 (once, not in every child)
    """Limits and the filter, for good. Raises OSError where the kernel refuses."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = value + 1 if name == "RLIMIT_CPU" else value  # a signal first, then the end
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:  # an outer limit that is lower stays
            value, hard = min(value, most), min(hard, most)
        resource.setrlimit(kind, (value, hard))
    steps = Filter(len(seccomp) // 8, seccomp)
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, ctypes.byref(steps), 0, 0):  # no new privileges; the filter
        raise OSError(ctypes.get_errno(), "the kernel refuses the filter of system calls")


def describe_error(error):
    """(name of the nearest built-in exception, message) of an exception, whatever its class does."""
    for base in type(error).__mro__:
        if getattr(builtins, base.__name__, None) is base:
            break
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    own = type(error).__name__
    return base.__name__, text if own == base.__name__ else f"{own}: {text}"


def flush():
    """What the program printed leaves its buffers before its answer does."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # the program's own streams may do anything; they are its own loss
            continue


def serve_program(source, inbox, outbox, limit):
    """Load the program, then answer calls until told to quit."""
    module = type(sys)("program")
    sys.modules["program"] = module
    try:
        exec(compile(source, "<program>", "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        flush()
        send(outbox, ["raise", *describe_error(error)], limit)
        return
    flush()
    send(outbox, ["loaded"], limit)
    while True:
        request = receive(inbox)
        try:
            if request[0] == "quit":
                return
            answer = look(module, request[1]) if request[0] == "look" else call(module, *request[1:])
        except BaseException as error:
            answer = ["raise", *describe_error(error)]
        flush()
        try:
            send(outbox, answer, limit)
        except NotPlain as error:
            send(outbox, ["bad", str(error)], limit)


def call(module, name, arguments, named):
    """Call a function. What returns None may have been called to change a list in place: its arguments go back, too."""
    if name not in module.__dict__:
        raise NameError(f"name {name!r} is not defined")
    value = module.__dict__[name](*arguments, **named)
    return ["return", value, arguments if value is None else [], named if value is None else {}]


def look(module, names):
    """What the names mean in the program: a module, something to call, or a plain value; else they are left out."""
    found = {}
    for name in names:
        if name in module.__dict__:
            value = module.__dict__[name]
            if type(value) is type(sys):
                found[name] = ["module", value.__name__]
            elif callable(value):
                found[name] = ["call"]
            else:
                try:
                    encode(value, 10_000)
                except NotPlain:
                    continue
                found[name] = ["value", value]
    return ["found", found]


class ProgramError(Exception):
    """What stands in the tester for an error of the program that has no built-in class, or that means something there.

    An AssertionError would be the test's verdict, StopIteration the end of its loop, SystemExit the end of its process.
    """


def error_of(name, text):
    """The error that a test sees for one of the program: of the same built-in class where that does no harm."""
    kind = getattr(builtins, name, None)
    signals = (AssertionError, StopIteration, StopAsyncIteration)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, signals):
        try:
            return kind(text)
        except TypeError:  # its constructor wants more than a message
            return ProgramError(f"{name}: {text}")
    return ProgramError(f"{name}: {text}")


def serve_tester(test, inbox, outbox, limit, entry):
    """Run a test: names that it does not have itself mean the program's; say how it ended."""

    def ask(message):
        send(outbox, message, limit)
        return receive(inbox)

    def remote(name):
        def function(*arguments, **named):
            answer = ask(["call", name, list(arguments), named])
            if answer[0] == "return":
                adopt_all([*arguments, *named.values()], [*answer[2], *answer[3].values()])
                return answer[1]
            if answer[0] == "bad":
                raise ProgramError(answer[1])
            raise error_of(answer[1], answer[2])

        function.__name__ = name
        return function

    verdict, detail = "passed", ""
    try:
        module = type(sys)("test")
        sys.modules["test"] = module
        code = compile(test, "<test>", "exec", dont_inherit=True)
        wanted = [name for name in sorted(names_of(code)) if name == entry or not hasattr(builtins, name)]
        for name, (kind, *value) in ask(["look", [name for name in wanted if name[:2] != "__"]])[1].items():
            if kind == "module":  # `math` means math, whatever module the program has put under that name
                meant = name if name in sys.stdlib_module_names else value[0]
                if meant.partition(".")[0] in sys.stdlib_module_names:
                    module.__dict__[name] = __import__(meant, fromlist=["x"])
            else:
                module.__dict__[name] = remote(name) if kind == "call" else value[0]
        exec(code, module.__dict__)
    except AssertionError as error:
        verdict, detail = "failed", ": ".join(describe_error(error))
    except BaseException as error:
        verdict, detail = "error", ": ".join(describe_error(error))
    flush()
    send(outbox, ["verdict", verdict, detail], limit)


def names_of(code):
    """All names in a code object and in the functions within it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is type(code):
            names |= names_of(constant)
    return names


def take_order(control):
    """An order from the control channel, and the pipes that come with it; EOFError where the channel has closed."""
    byte, ancillary, _, _ = control.recvmsg(1, _socket.CMSG_SPACE(12))
    if not byte:
        raise EOFError
    handles = ancillary[0][2]
    return receive(0), [int.from_bytes(handles[i : i + 4], sys.byteorder) for i in (0, 4, 8)]


def child(control, setup):
    """The life of a child: an order, its walls, then its role."""
    order, (inbox, outbox, printed) = take_order(control)
    limit = setup["limit"]
    posix.dup2(printed, 1)
    posix.dup2(printed, 2)
    posix.close(printed)
    posix.environ.clear()
    sys.modules["os"].environ.clear()
    sys.argv[:] = [""]
    sys.orig_argv[:] = [""]
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    _signal.signal(_signal.SIGPIPE, _signal.SIG_IGN)
    if "random" in sys.modules:
        sys.modules["random"].seed(0)  # the same outcome every time
    try:
        confine(setup["limits"], setup["seccomp"])
    except (OSError, ValueError) as error:
        send(0, ["unconfined", str(error)[:200]], 1000)
        return
    null = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(null, 0)  # the end of the control channel
    posix.close(null)
    if setup["role"] == "program":
        serve_program(setup["source"], inbox, outbox, limit)
    else:
        serve_tester(order["test"], inbox, outbox, limit, order["entry"])


def fork(control, setup):
    """The process id of a new child, which waits for its order."""
    pid = posix.fork()
    if not pid:
        try:
            child(control, setup)
        except (EOFError, OSError):
            posix._exit(3)
        finally:
            posix._exit(0)
    return pid


def traces():
    """What a child can have changed of the folder that the next one would find: content, mode, owner, times."""
    state = posix.stat(".")
    return state[:7], state.st_atime_ns, state.st_mtime_ns, state.st_ctime_ns


def guard():
    """Let children work, one at a time, until the control channel closes or one leaves something behind."""
    control = _socket.socket(fileno=0)
    for signal in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGPIPE):
        _signal.signal(signal, _signal.SIG_IGN)
    setup = receive(0)
    for name in setup["imports"]:
        __import__(name)  # of the standard library: cheaper once here than in every child
    gc.freeze()  # a child's collections then leave these pages shared
    alone, before = posix.getpid() == 1, traces()
    pid = fork(control, setup)
    send(0, ["ready"], 1000)
    while True:
        _, status, usage = posix.wait4(pid, 0)
        code, following = posix.waitstatus_to_exitcode(status), fork(control, setup)
        # Else one test would see another: a folder once touched, or process ids that a child's threads have used up.
        clean = code == 0 and traces() == before and (following == pid + 1 or not alone)
        send(0, ["ended", code, usage.ru_utime + usage.ru_stime, clean], 1000)
        if not clean:
            return
        pid = following


guard()
