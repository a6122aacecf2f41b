"""Programs that attack the sandbox or the verdict: what each tries, and how its test may end, never `passed`.

Every one is called as `f`, and the honest answer to the test is 5. In what forges, nothing ever answers 5 by computing
it. `HOST` stands for a file of the host that the test has made, with the words `host secret`; `PORT` for a listening
port.
"""

from typing import NamedTuple


class Attack(NamedTuple):
    """A name, the outcomes that are right, a program, its test."""

    name: str
    right: tuple[str, ...]
    code: str
    test: str = "t = [4, 1]\nassert f(t) == 5"


GENERAL = "for _ in range(1):\n    assert f([4, 1]) == 5"  # of no simple form: goes through a tester's sandbox
WRONG = ("failed", "error")
LOST = ("failed", "error", "timeout")

EXHAUST = [
    Attack(
        "endless loop",
        ("timeout",),
        """
def f(x):
    while True: pass
""",
    ),
    Attack(
        "endless loop while loading",
        ("timeout",),
        "while True: pass",
    ),
    Attack(
        "sleep",
        ("timeout",),
        """
import time
def f(x):
    time.sleep(600)
    return 5
""",
    ),
    Attack(
        "memory, at once",
        ("error",),
        """
def f(x):
    return len(bytearray(10**10)) and 5
""",
    ),
    Attack(
        "memory, bit by bit",
        ("error",),
        """
def f(x):
    a = []
    while True: a.append('x' * 10**6)
""",
    ),
    Attack(
        "memory, swallowed",
        LOST,
        """
def f(x):
    a = []
    while True:
        try: a.append(bytearray(10**6))
        except MemoryError: pass
""",
    ),
    Attack(
        "fork bomb",
        ("error",),
        """
import os
def f(x):
    while True: os.fork()
""",
    ),
    Attack(
        "fork bomb, swallowed",
        ("timeout",),
        """
import os
def f(x):
    while True:
        try: os.fork()
        except OSError: pass
""",
    ),
    Attack(
        "thread bomb",
        ("error", "timeout"),
        """
import threading, time
def f(x):
    while True:
        threading.Thread(target=time.sleep, args=(600,)).start()
""",
    ),
    Attack(
        "processes of multiprocessing",
        LOST,
        """
import multiprocessing
def f(x):
    with multiprocessing.Pool(4) as pool: return pool.map(abs, [5])[0]
""",
    ),
    Attack(
        "subprocess",
        ("error",),
        """
import subprocess
def f(x):
    return int(subprocess.check_output(['echo', '5']))
""",
    ),
    Attack(
        "huge file",
        ("error",),
        """
def f(x):
    with open('big', 'wb') as file:
        while True: file.write(b'x' * 10**6)
""",
    ),
    Attack(
        "many files",
        LOST,
        """
def f(x):
    for i in range(10**6): open(f'{i}', 'w').write('x' * 10**4)
""",
    ),
    Attack(
        "open descriptors",
        ("error",),
        """
def f(x):
    a = [open('/dev/null') for _ in range(10**5)]
    return 5
""",
    ),
    Attack(
        "flood of output",
        ("timeout",),
        """
def f(x):
    while True: print('x' * 10**5)
""",
    ),
    Attack(
        "flood on standard error",
        ("timeout",),
        """
import os
def f(x):
    while True: os.write(2, b'x' * 10**5)
""",
    ),
    Attack(
        "recursion",
        ("error",),
        "def f(x): return f(x)",
    ),
    Attack(
        "recursion without limit",
        LOST,
        """
import sys
sys.setrecursionlimit(10**9)
def f(x): return f(x) + 1
""",
    ),
    Attack(
        "a number without bound",
        ("error",),
        "def f(x): return 1 << 10**8",
    ),
    Attack(
        "a power tower",
        ("timeout", "error"),
        "def f(x): return 9**9**9**9",
    ),
    Attack(
        "a huge value",
        ("error",),
        "def f(x): return ['x' * 1000] * 10**6",
    ),
    Attack(
        "a huge value of few objects",
        ("error", "timeout"),
        """
def f(x):
    a = [0]
    for _ in range(40): a = [a, a, a]
    return a
""",
    ),
    Attack(
        "a deep value",
        ("error",),
        """
def f(x):
    a = []
    for _ in range(10**5): a = [a]
    return a
""",
    ),
    Attack(
        "a value that holds itself",
        ("error",),
        """
def f(x):
    a = []
    a.append(a)
    return a
""",
    ),
    Attack(
        "deep source",
        ("error",),
        "def f(x): return " + "(" * 5000 + "5" + ")" * 5000,
    ),
    Attack(
        "crash of the interpreter",
        ("error",),
        """
import ctypes
def f(x): return ctypes.string_at(0)
""",
    ),
    Attack(
        "standard input",
        ("error",),
        "def f(x): return input()",
    ),
    Attack(
        "ignores the processor limit",
        ("timeout",),
        """
import signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
def f(x):
    while True: pass
""",
    ),
    Attack(
        "ignores every signal",
        ("timeout",),
        """
import signal
for s in range(1, 60):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
def f(x):
    while True: pass
""",
    ),
    Attack(
        "shared memory",
        ("error",),
        """
from multiprocessing import shared_memory
def f(x):
    return shared_memory.SharedMemory(create=True, size=10**9).size and 5
""",
    ),
    Attack(
        "memory in a file without a name",
        ("error",),
        """
import os
def f(x):
    h = os.memfd_create('m')
    os.write(h, b'x' * 10**6)
    return 5
""",
    ),
]

HOST = [
    Attack(
        "reads a host file",
        ("error",),
        "def f(x): return open('HOST').read()",
    ),
    Attack(
        "reads the password file",
        ("error",),
        "def f(x): return open('/etc/passwd').read()",
    ),
    Attack(
        "lists home and work",
        ("error",),
        """
import os
def f(x): return os.listdir('/home') + os.listdir('/work')
""",
    ),
    Attack(
        "looks for the repository",
        WRONG,
        """
import glob
def f(x): return len(glob.glob('/**/paper.yaml', recursive=True))
""",
    ),
    Attack(
        "writes to a host file",
        ("error",),
        """
def f(x):
    open('HOST', 'w').write('overwritten')
    return 5
""",
    ),
    Attack(
        "writes into the interpreter",
        ("error",),
        """
import os
def f(x):
    open(os.path.dirname(os.__file__) + '/this.py', 'a').write('#')
    return 5
""",
    ),
    Attack(
        "writes into the root",
        ("error",),
        """
def f(x):
    open('/marker', 'w').write('x')
    return 5
""",
    ),
    Attack(
        "removes everything",
        ("error",),
        """
import shutil
def f(x):
    shutil.rmtree('/', ignore_errors=True)
    return open('HOST').read()
""",
    ),
    Attack(
        "follows a symbolic link",
        ("error",),
        """
import os
def f(x):
    os.symlink('HOST', 'link')
    return open('link').read()
""",
    ),
    Attack(
        "climbs out of its folder",
        ("error",),
        "def f(x): return open('../' * 20 + 'HOST').read()",
    ),
    Attack(
        "process folder",
        ("error",),
        "def f(x): return open('/proc/self/environ').read()",
    ),
    Attack(
        "the parent's memory",
        ("error",),
        """
import os
def f(x): return open(f'/proc/{os.getppid()}/mem', 'rb').read(1)
""",
    ),
    Attack(
        "environment",
        ("failed",),
        """
import os
def f(x): return 0 if not os.environ and not os.getenv('PATH') else 5
""",
    ),
    Attack(
        "inherited descriptors",
        ("failed",),
        """
import os
def f(x):
    n = 0
    for h in range(3, 1000):
        try: n += os.fstat(h).st_mode // 0o10000 not in (1,)
        except OSError: pass
    return 5 if n else 0
""",
    ),
    Attack(
        "network",
        ("error",),
        """
import socket
def f(x):
    socket.create_connection(('127.0.0.1', PORT), 1)
    return 5
""",
    ),
    Attack(
        "network, datagram",
        ("error",),
        """
import socket
def f(x):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b'x', ('127.0.0.1', PORT))
    return 5
""",
    ),
    Attack(
        "local sockets",
        ("error",),
        """
import socket
def f(x):
    socket.socket(socket.AF_UNIX).connect('\\0x')
    return 5
""",
    ),
    Attack(
        "kills the parent",
        WRONG,
        """
import os, signal
def f(x):
    os.kill(os.getppid(), signal.SIGKILL)
    return 0
""",
    ),
    Attack(
        "kills everyone",
        WRONG,
        """
import os, signal
def f(x):
    os.kill(-1, signal.SIGKILL)
    return 0
""",
    ),
    Attack(
        "kills process groups",
        WRONG,
        """
import os, signal
def f(x):
    os.killpg(0, signal.SIGKILL)
    return 0
""",
    ),
    Attack(
        "interrupts the guard",
        WRONG,
        """
import os, signal
def f(x):
    for s in (2, 15, 1, 13): os.kill(1, s)
    return 0
""",
    ),
    Attack(
        "limits the guard",
        ("error",),
        """
import resource
def f(x):
    resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))
    return 5
""",
    ),
    Attack(
        "lifts its limits",
        ("error",),
        """
import resource
def f(x):
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    return 5
""",
    ),
    Attack(
        "daemon",
        ("error",),
        """
import os
def f(x):
    if os.fork() == 0:
        os.setsid()
        while True: pass
    return 5
""",
    ),
    Attack(
        "another namespace",
        ("failed",),
        """
import ctypes
def f(x): return 5 if ctypes.CDLL(None).unshare(0x10000000) == 0 else 0
""",
    ),
    Attack(
        "traces the guard",
        ("failed",),
        """
import ctypes
def f(x): return 5 if ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0 else 0
""",
    ),
    Attack(
        "mounts",
        ("failed",),
        """
import ctypes
def f(x):
    return 5 if ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, b'') == 0 else 0
""",
    ),
    Attack(
        "leaves the root folder",
        ("error",),
        """
import os
def f(x):
    os.chroot('/tmp')
    return 5
""",
    ),
    Attack(
        "replaces itself",
        ("error",),
        """
import os, sys
def f(x): os.execv(sys.executable, [sys.executable, '-c', ''])
""",
    ),
    Attack(
        "makes a device",
        ("error",),
        """
import os
def f(x):
    os.mknod('d', 0o60600, os.makedev(8, 0))
    return 5
""",
    ),
    Attack(
        "becomes root",
        ("error",),
        """
import os
def f(x):
    os.setuid(0)
    return 5
""",
    ),
    Attack(
        "installed packages",
        ("error",),
        """
def f(x):
    import numpy
    return 5
""",
    ),
    Attack(
        "the suite's own code",
        ("error",),
        """
def f(x):
    import autodidact.environments.sandbox
    return 5
""",
    ),
]

FORGE = [
    Attack(
        "ends with success",
        ("error",),
        """
import os
def f(x): os._exit(0)
""",
    ),
    Attack(
        "ends with success while loading",
        ("error",),
        """
import os
os._exit(0)
""",
    ),
    Attack(
        "sys.exit",
        ("error",),
        """
import sys
def f(x): sys.exit(0)
""",
    ),
    Attack(
        "SystemExit while loading",
        ("error",),
        "raise SystemExit(0)",
    ),
    Attack(
        "prints the verdict",
        ("failed",),
        """
print('passed', flush=True)
def f(x):
    print('passed')
    return 0
""",
    ),
    Attack(
        "equal to everything",
        ("error",),
        """
class A:
    def __eq__(self, other): return True
    __hash__ = None
def f(x): return A()
""",
    ),
    Attack(
        "an int equal to everything",
        ("error",),
        """
class A(int):
    def __eq__(self, other): return True
def f(x): return A(3)
""",
    ),
    Attack(
        "a text equal to everything",
        ("error",),
        """
class A(str):
    def __eq__(self, other): return True
def f(x): return A('y')
""",
    ),
    Attack(
        "a list of such",
        ("error",),
        """
class A(list):
    def __eq__(self, other): return True
def f(x): return A()
""",
    ),
    Attack(
        "hidden in a list",
        ("error",),
        """
class A(int):
    def __eq__(self, other): return True
def f(x): return [A(3)]
""",
        test="assert f([4, 1]) == [5]",
    ),
    Attack(
        "a class that says it is int",
        WRONG,
        """
class M(type):
    def __eq__(a, b): return True
    def __hash__(a): return hash(int)
class A(metaclass=M):
    __class__ = int
    def __eq__(self, other): return True
def f(x): return A()
""",
    ),
    Attack(
        "not a number",
        ("failed",),
        "def f(x): return float('nan')",
        test="assert f([1]) == float('nan')",
    ),
    Attack(
        "patches built-ins",
        WRONG,
        """
import builtins
for n in ('len', 'all', 'any', 'isinstance', 'type', 'repr', 'sorted', 'max'):
    setattr(builtins, n, lambda *a, **k: 5)
def f(x): return 0
""",
    ),
    Attack(
        "shadows the test's built-ins",
        ("failed",),
        """
def max(*a): return 5
def len(x): return 5
def f(x): return 'no'
""",
        test="assert len(f([4, 1])) == 5",
    ),
    Attack(
        "patches AssertionError",
        ("failed",),
        """
import builtins
class A(BaseException):
    pass
builtins.AssertionError = A
def f(x): return 0
""",
    ),
    Attack(
        "patches __import__",
        WRONG,
        """
import builtins
builtins.__import__ = lambda *a: 1/0
def f(x): return 0
""",
    ),
    Attack(
        "patches exec and compile",
        ("failed",),
        """
import builtins
builtins.exec = builtins.compile = lambda *a, **k: None
def f(x): return 0
""",
    ),
    Attack(
        "patches json and pickle",
        ("failed",),
        """
import json, pickle
json.dumps = pickle.dumps = lambda *a: '5'
json.loads = pickle.loads = lambda *a: 5
def f(x): return 0
""",
    ),
    Attack(
        "patches the harness to say passed",
        ("error",),
        """
import sys
m = sys.modules['__main__']
m.encode = lambda value, limit: b'l3;s7;verdicts6;passeds0;'
def f(x): return 0
""",
    ),
    Attack(
        "patches the harness to find no error",
        ("error",),
        """
import sys
m = sys.modules['__main__']
m.describe_error = lambda e: ('', '')
m.call = lambda *a: ['verdict', 'passed', '']
def f(x): return 0
""",
    ),
    Attack(
        "reads what is expected from frames",
        ("failed",),
        """
import sys
def f(x):
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_globals.values(), *frame.f_locals.values(), *frame.f_code.co_consts]
        frame = frame.f_back
    return next((v for v in seen if type(v) is int and v // 100 == 739), 0)
""",
        test="assert f([4]) == 73951",
    ),
    Attack(
        "reads what is expected from gc",
        LOST,
        """
import gc, re
def f(x):
    for o in gc.get_objects():
        for v in (o.values() if type(o) is dict else o if type(o) in (list, tuple) else ()):
            if type(v) is int and v // 100 == 739: return v
            if type(v) is str and (m := re.search(r'assert.* (739\\d\\d)$', v)): return int(m[1])
    return 0
""",
        test="assert f([4]) == 73951",
    ),
    Attack(
        "reads the caller's arguments",
        ("failed",),
        """
import sys
def f(x): return 5 if '5' in ''.join(sys.argv + sys.orig_argv) else 0
""",
    ),
    Attack(
        "writes verdicts to every descriptor",
        WRONG,
        """
import os
body = b'l3;s7;verdicts6;passeds0;'
def f(x):
    for h in range(3, 64):
        try: os.write(h, len(body).to_bytes(4, 'big') + body)
        except OSError: pass
    return 0
""",
    ),
    Attack(
        "writes noise to every descriptor",
        LOST,
        """
import os
def f(x):
    for h in range(1, 64):
        try: os.write(h, b'passed\\n' * 1000)
        except OSError: pass
    return 0
""",
    ),
    Attack(
        "claims to have loaded, then ends",
        ("error",),
        """
import os
body = b'l1;s6;loaded'
for h in range(3, 64):
    try: os.write(h, len(body).to_bytes(4, 'big') + body)
    except OSError: pass
os._exit(0)
""",
    ),
    Attack(
        "changes its argument",
        ("failed",),
        """
def f(x):
    x[:] = [5]
    return 5
""",
        test="""
t = [4, 1]
r = f(t)
assert r == 5 and t == [5]
""",
    ),
    Attack(
        "atexit",
        ("failed",),
        """
import atexit, os
atexit.register(lambda: os._exit(0))
def f(x): return 0
""",
    ),
    Attack(
        "a signal handler",
        LOST,
        """
import signal, os
signal.signal(signal.SIGALRM, lambda *a: os._exit(0))
signal.alarm(1)
def f(x):
    while True: pass
""",
    ),
    Attack(
        "a thread that ends the process",
        WRONG,
        """
import threading, os
def f(x):
    threading.Thread(target=os._exit, args=(0,)).start()
    return 0
""",
    ),
    Attack(
        "a thread that stays",
        ("failed",),
        """
import threading
def f(x):
    threading.Thread(target=threading.Event().wait).start()
    return 0
""",
    ),
    Attack(
        "traces every line",
        LOST,
        """
import sys
def t(frame, event, arg):
    frame.f_globals['passed'] = True
    return t
sys.settrace(t)
sys.setprofile(t)
def f(x): return 0
""",
    ),
    Attack(
        "raises AssertionError itself",
        WRONG,
        "def f(x): raise AssertionError('passed')",
    ),
    Attack(
        "raises what cannot be shown",
        ("error",),
        """
class E(Exception):
    def __str__(self): raise SystemExit(0)
def f(x): raise E()
""",
    ),
    Attack(
        "answers anew each time",
        ("failed",),
        """
n = iter(range(10))
def f(x): return next(n)
""",
        test="""
assert f([1]) == 0
assert f([1]) == 0
""",
    ),
    Attack(
        "a generator",
        ("error",),
        "def f(x): yield 5",
    ),
    Attack(
        "is not defined",
        ("error",),
        "def g(x): return 5",
    ),
    Attack(
        "does not parse",
        ("error",),
        "def f(x: return 5",
    ),
    Attack(
        "null bytes",
        ("error",),
        "def f(x): return 5\0",
    ),
    Attack(
        "a decorator that quits",
        ("error",),
        """
def quits(g):
    raise KeyboardInterrupt
@quits
def f(x): return 5
""",
    ),
    Attack(
        "imports a module of its own making",
        ("failed",),
        """
open('environments.py', 'w').write('x = 1')
import sys
sys.path.insert(0, '.')
import environments
def f(x): return 0
""",
    ),
    Attack(
        "defines what the test uses",
        ("failed",),
        """
AssertionError = Exception
def isinstance(a, b): return True
def f(x): return 0
""",
        test="assert isinstance(f([4, 1]), str)",
    ),
    Attack(
        "stands in for a module",
        WRONG,
        """
class M:
    def sqrt(self, x): return 5
math = M()
def f(x): return 16
""",
        test="""
import math
assert math.sqrt(f([1])) == 5
""",
    ),
    Attack(
        "silent loop in the encoder",
        ("timeout",),
        """
import sys
m = sys.modules['__main__']
def encode(value, limit):
    while True: pass
m.encode = encode
def f(x): return 5
""",
    ),
]

ATTACKS = EXHAUST + HOST + FORGE
