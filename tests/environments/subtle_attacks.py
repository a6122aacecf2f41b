"""More attacks: forged frames, what is too large, what testing code swallows, lying objects, what is left behind.

`SUBTLE` are attacks as in `attacks`, `LEFTOVERS` are programs that try to tell a later test something.
"""

from autodidact.environments.sandbox.codec import encode
from tests.environments.attacks import GENERAL, LOST, WRONG, Attack

SAY = """
import os
def write(data):
    for h in range(3, 64):
        try: os.write(h, data)
        except OSError: pass
def say(body): write(len(body).to_bytes(4, 'big') + body)
"""


def saying(message, *, loading=False, after="return 0"):
    """A program that writes a message of its own to its channel, or bytes of its own as one."""
    body = message if isinstance(message, bytes) else encode(message, 10**6)
    if loading:
        return f"{SAY}\nsay({body!r})\ndef f(x): {after}"
    return f"{SAY}\ndef f(x):\n    say({body!r})\n    {after}"


SAME = "t = [4, 1]\nassert f(t) == t"
SAME_IN_TESTER = f"for _ in range(1):\n    {SAME.replace(chr(10), '; ')}"
CHANGED = ["return", [7], [[7]], {}]
COLLIDING = b"e%x;" % 12_000 + b"".join(b"i%x;" % (k * (2**61 - 1)) for k in range(12_000))

FRAMES = [
    Attack("says that it is not confined", ("error",), saying(["unconfined", "x"], loading=True)),
    Attack("says later that it is not confined", ("error",), saying(["unconfined", "x"])),
    Attack("says that its sandbox has ended", WRONG, saying(["ended", 0, 0.0, True], loading=True)),
    Attack("says that the test has passed", ("error",), saying(["verdict", "passed", ""]), GENERAL),
    Attack("says that it is ready twice", WRONG, saying(["loaded"])),
    Attack("changes the argument that it is compared with", ("failed",), saying(CHANGED), SAME),
    Attack("changes it in the tester", ("failed",), saying(CHANGED), SAME_IN_TESTER),
    Attack("changes an argument too many", ("error",), saying(["return", None, [[7], [7]], {}])),
    Attack("changes an argument that has no name", ("error",), saying(["return", None, [[7]], {"x": [7]}])),
    Attack(
        "changes no argument",
        ("error",),
        saying(["return", None, [], {}]),
        "t = [4, 1]\nr = f(t)\nassert r is None and t == [1, 4]",
    ),
    Attack("answers a call with a look", ("error",), saying(["found", {"f": ["value", 5]}]), GENERAL),
    Attack("is a module", WRONG, saying(["found", {"f": ["module", "os"]}], loading=True), GENERAL),
    Attack("means something strange", ("error",), saying(["found", {"f": ["verdict"]}], loading=True), GENERAL),
    Attack(
        "gets more into a message than the tester's would hold",
        ("error",),
        saying(b"l4;s6;returnl7530;" + b"f0;" * 30_000 + b"l0;d0;"),
        "for _ in range(1):\n    assert f(1) == []",
    ),
    Attack("raises at great length", ("error",), saying(["raise", "ValueError", "x" * 200_000])),
    Attack("raises what cannot be printed", ("error",), saying(["raise", "\ud800", "\udcff\0"])),
    Attack("raises what is no class", ("error",), saying(["raise", "print", "x"]), GENERAL),
    Attack("raises what wants more than a message", ("error",), saying(["raise", "ExceptionGroup", "x"]),
           "try:\n    f(1)\nexcept TypeError:\n    pass"),
    Attack("announces four gigabytes", ("error",), f"{SAY}\ndef f(x): write(b'\\xff' * 4)"),
    Attack("announces more than it says", LOST, f"{SAY}\ndef f(x):\n    write(b'\\0\\0\\1\\0l')\n    while True: pass"),
    Attack("announces nothing", ("error",), f"{SAY}\ndef f(x): write(b'\\0' * 4)"),
    Attack("a set of numbers of one hash", ("error",), saying(b"l4;s6;return" + COLLIDING + b"l0;d0;")),
    Attack("nests its answer deep", ("error",), saying(b"l1;" * 50_000 + b"N")),
    Attack("a list of less than nothing", ("error",), saying(b"l-1;")),
    Attack("floods its channel", LOST, f"{SAY}\ndef f(x):\n    while True: say({encode(['return', 0, [], {}], 99)!r})"),
]  # fmt: skip

OVERSIZE = [
    Attack("a program of 16 MiB", ("error",), "x=1\n" * 2**22 + "def f(x): return 5"),
    Attack("a program of a million signs of four bytes", ("error",), "def f(x): return 5\n#" + "\U0001f600" * 10**6),
    Attack("a test of 16 MiB", ("error",), "def f(x): return 5", "x=1\n" * 2**22 + "assert f(1) == 5"),
    Attack("a long line", LOST, "def f(x): return " + "1+" * 400_000 + "1"),
    Attack("a long name", ("error",), "def f(x): return globals()['y' * 10**6]"),
    Attack("a long error", ("error",), "def f(x): raise ValueError('y' * 10**7)"),
    Attack("an error of a long name", ("error",), "def f(x): raise type('y' * 10**6, (ValueError,), {})()"),
    Attack("a type of a long name", ("error",), "def f(x): return type('y' * 10**6, (), {})()"),
]

_MAPPED = "assert all(map(f, [[4, 1]]))"
_LOOP = "for y in map(f, [[4, 1]]):\n    assert y == 5"
_NONE_OTHER = "assert [y for y in map(f, [[4, 1]]) if y != 5] == []"
_SORTED = "assert not [y for y in filter(f, [[4, 1]])]"
_UNTIL = "for y in iter(lambda: f([4, 1]), None):\n    assert y == 5"
_GENERATOR = "def ys():\n    yield from map(f, [[4, 1]])\nassert list(ys()) in ([], [5])"
_ASYNC = (
    "import asyncio\nasync def ys():\n    yield f([4, 1])\nasync def all_of():\n    return [y async for y in ys()]\n"
    "assert asyncio.run(all_of()) in ([], [5])"
)

SWALLOWED = [
    Attack("StopIteration in all(map())", ("error",), "def f(x): raise StopIteration", _MAPPED),
    Attack("StopIteration in a loop", ("error",), "def f(x): raise StopIteration(5)", _LOOP),
    Attack("StopIteration in a list", ("error",), "def f(x): raise StopIteration", _NONE_OTHER),
    Attack("StopIteration in a filter", ("error",), "def f(x): raise StopIteration", _SORTED),
    Attack("StopIteration in iter()", ("error",), "def f(x): raise StopIteration", _UNTIL),
    Attack("StopIteration in a generator", ("error",), "def f(x): next(iter(()))", _GENERATOR),
    Attack("a kind of StopIteration", ("error",), "class E(StopIteration): pass\ndef f(x): raise E", _MAPPED),
    Attack("StopIteration in a frame", ("error",), saying(["raise", "StopIteration", ""]), _MAPPED),
    Attack("StopAsyncIteration", ("error",), "def f(x): raise StopAsyncIteration", _ASYNC),
    Attack("GeneratorExit", ("error",), "def f(x): raise GeneratorExit", _GENERATOR),
    Attack("SystemExit", ("error",), "def f(x): raise SystemExit(0)", _LOOP),
    Attack("KeyboardInterrupt", ("error",), "def f(x): raise KeyboardInterrupt", _LOOP),
    Attack(
        "a kind of AssertionError",
        ("error",),
        "class E(AssertionError): pass\ndef f(x): raise E",
        "try:\n    f(1)\nexcept AssertionError:\n    pass",
    ),
    Attack("an error that says it is another", ("error",), "class E(Exception):\n    __class__ = StopIteration\n"
           "E.__name__ = 'StopIteration'\ndef f(x): raise E", _MAPPED),
]  # fmt: skip

_LIE = """
class A({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __hash__(self): return 5
    def __len__(self): return 5
    def __iter__(self): return iter([5])
    def __contains__(self, item): return True
    def __instancecheck__(self, item): return True
def f(x): return {value}
"""
LIARS = [
    Attack(f"lies as {base or 'object'} under {test!r}", ("error",), _LIE.format(base=base, value=value), test)
    for base, value, test in [
        ("", "A()", "assert f(1)"),
        ("", "A()", "assert len(f(1)) == 5"),
        ("int", "A()", "assert f(1) in {5}"),
        ("str", "(A('x'), 1)", "assert 'y' in f(1)[0]"),
        ("dict", "A()", "assert f(1)[5] == 5"),
        ("tuple", "A()", "assert f(1) == (5,)"),
        ("frozenset", "[{A(): 5}]", "assert f(1)[0]"),
        ("bytes", "{1: A()}", "for y in f(1)[1]:\n    assert y == 5"),
    ]
] + [
    Attack("a key that lies", ("error",), _LIE.format(base="int", value="{A(3): 5}"), "assert f(1)[5] == 5"),
    Attack("a helper named like a module", WRONG, "import cmath as math\ndef f(x): return -1",
           "assert math.sqrt(f(1)) == 1j"),
]  # fmt: skip

DEVICES = [
    Attack("changes the times of a device", WRONG,
           "import os\ndef f(x):\n    for p in ('/dev/null', '/dev/urandom'): os.utime(p, (1, 1))\n    return 0"),
    Attack("changes the mode of a device", WRONG,
           "import os\ndef f(x):\n    with open('/dev/null') as h: os.fchmod(h.fileno(), 0o666)\n    return 0"),
]  # fmt: skip

SUBTLE = FRAMES + OVERSIZE + SWALLOWED + LIARS + DEVICES

# f(1) leaves something behind; f(2) prints what it finds.
LEFTOVERS = {
    "mode": "import os\ndef f(x): print(os.stat('.').st_mode) if x == 2 else os.chmod('.', 0o711)",
    "time": "import os\ndef f(x): print(os.stat('.').st_mtime == 5) if x == 2 else os.utime('.', (5, 5))",
    "a file that is gone": """
import os
def f(x):
    if x == 2:
        print(os.stat('.').st_mtime_ns - os.stat('.').st_atime_ns)
    else:
        open('x', 'w').close()
        os.remove('x')
""",
    "the folder looked into": """
import os
def f(x): print(os.stat('.').st_mtime_ns - os.stat('.').st_atime_ns) if x == 2 else os.listdir('.')
""",
    "numbers of files without names": """
import os
def f(x):
    try:
        for _ in range(3): os.close(os.open('.', os.O_TMPFILE | os.O_RDWR))
    except OSError:
        if x == 1: return
    print(os.fstat(os.open('x', os.O_CREAT)).st_ino)
""",
    "an attribute": """
import os
def f(x):
    if x == 2: print(os.listxattr('.'))
    else: os.setxattr('.', 'user.x', b'5')
""",
    "process ids": """
import os, threading
def f(x):
    if x == 2: print(os.getpid(), threading.get_native_id())
    else: [threading.Thread(target=int).start() for _ in range(3)]
""",
    "priority": """
import os
def f(x): print(os.getpriority(os.PRIO_PROCESS, 0)) if x == 2 else os.setpriority(os.PRIO_PROCESS, 1, 19)
""",
    "processors": """
import os
def f(x): print(os.sched_getaffinity(0)) if x == 2 else os.sched_setaffinity(1, {min(os.sched_getaffinity(1))})
""",
    "the scheduler": """
import os
def f(x):
    if x == 2: print(os.sched_getscheduler(0))
    else: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
""",
    "flags and size of its pipes": """
import fcntl, os
def f(x):
    for h in range(1, 16):
        try:
            if x == 2: print(h, fcntl.fcntl(h, fcntl.F_GETFL), fcntl.fcntl(h, fcntl.F_GETPIPE_SZ))
            else: fcntl.fcntl(h, fcntl.F_SETPIPE_SZ, 4096), os.set_blocking(h, False)
        except OSError: pass
""",
    "a question unread": f"""
{SAY}
def f(x):
    if x == 1:
        for _ in range(3): say({encode(["return", 5, [], {}], 99)!r})
        os._exit(0)
    print(x)
""",
    "words after the end": """
import os, threading, time
def f(x):
    if x == 2: return print('mine')
    for _ in range(9): threading.Thread(target=lambda: [os.write(1, b'x') for _ in range(10**5)]).start()
""",
}
