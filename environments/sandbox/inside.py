"""What runs inside a sandbox, with `codec.py` put in front of it: a guard that lets one child at a time do the work.

The guard is process 1 of its namespace, so nothing inside can signal it. It speaks with the outside over a control
channel that children never hold. A child is a fork of the guard in a role: "program" loads the program under test and
answers calls of its functions; "tester" runs a test, whose calls are sent outside, to a program in another sandbox.
Children speak over a data channel in frames of plain data; whatever a program does to this code or to that channel
changes its own answers only.
"""

# ruff: noqa: ANN001, ANN201, ANN202, E402, F821 (this text is sent into the sandbox; codec.py stands in front of it)

import _signal
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
    """What stands in the tester for an error of the program that has no built-in class, or that ends a process."""


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
            kind = getattr(builtins, answer[1], None)
            ordinary = isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, AssertionError)
            if not ordinary or issubclass(kind, UnicodeError):  # whose constructors want more than a message
                raise ProgramError(f"{answer[1]}: {answer[2]}")
            raise kind(answer[2])

        function.__name__ = name
        return function

    verdict, detail = "passed", ""
    try:
        module = type(sys)("test")
        sys.modules["test"] = module
        code = compile(test, "<test>", "exec", dont_inherit=True)
        wanted = [name for name in sorted(names_of(code)) if name == entry or not hasattr(builtins, name)]
        for name, (kind, *value) in ask(["look", [name for name in wanted if name[:2] != "__"]])[1].items():
            if kind == "module":
                if value[0].partition(".")[0] in sys.stdlib_module_names:
                    module.__dict__[name] = __import__(value[0], fromlist=["x"])
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


def child(order, setup, inbox, outbox, reserved):
    """The life of a child: confined first, then in its role."""
    limit = setup["limit"]
    null = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(null, 0)
    posix.dup2(2, 1)
    posix.close(null)
    for handle in reserved:
        posix.close(handle)
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
        send(outbox, ["unconfined", str(error)[:200]], limit)
        return
    if setup["role"] == "program":
        serve_program(setup["source"], inbox, outbox, limit)
    else:
        serve_tester(order["test"], inbox, outbox, limit, order["entry"])


def guard():
    """Serve the orders of the control channel, a child each, until it closes or a child leaves something behind."""
    inbox, outbox = int(sys.argv[1]), int(sys.argv[2])
    # Control lies above what a child gets as standard input and output.
    orders, reports = posix.dup(0), posix.dup(1)
    for signal in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGPIPE):
        _signal.signal(signal, _signal.SIG_IGN)
    setup = receive(orders)
    for name in setup["imports"]:
        __import__(name)  # of the standard library: cheaper once here than in every child
    gc.freeze()  # a child's collections then leave these pages shared
    send(reports, ["ready"], 1000)
    while True:
        try:
            order = receive(orders)
        except EOFError:
            return
        pid = posix.fork()
        if not pid:
            try:
                child(order, setup, inbox, outbox, (orders, reports))
            except (EOFError, OSError):
                posix._exit(3)
            finally:
                posix._exit(0)
        _, status, usage = posix.wait4(pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        # A folder that is not empty any more would let one test see another: this sandbox has then served its time.
        clean = not posix.listdir(".") and posix.waitstatus_to_exitcode(status) == 0
        send(reports, ["ended", posix.waitstatus_to_exitcode(status), seconds, clean], 1000)
        if not clean:
            return


guard()
