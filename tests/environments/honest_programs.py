"""Honest programs, their tests, and how these end."""

SIMPLE = "t = [4, 1]\nassert f(t) == 5"
HONEST = [
    (
        """
def f(xs):
    return xs[0] + 1
""",
        SIMPLE,
        "passed",
    ),
    (
        """
def f(xs):
    return xs[0]
""",
        SIMPLE,
        "failed",
    ),
    (
        """
def f(xs):
    return xs[9]
""",
        SIMPLE,
        "error",
    ),
    (
        """
def f(xs):
    return 5.0
""",
        SIMPLE,
        "passed",
    ),
    (
        """
def f(xs):
    return '5'
""",
        SIMPLE,
        "failed",
    ),
    (
        "def f(a, b=1): return a - b",
        """
assert f(7, b=2) == 5
assert 6 == f(7)
""",
        "passed",
    ),
    (
        "def f(xs): xs.sort()",
        """
t = [2, 1]
f(t)
assert t == [1, 2]
""",
        "passed",
    ),
    (
        """
def f(x): return (1, 'é\\ud800', b'\\0', {2: None}, {3}, frozenset(), -1.5, True, 2j)
""",
        """
assert f(0) == (1, 'é\\ud800', b'\\0', {2: None}, {3}, frozenset(), -1.5, True, 2j)
""",
        "passed",
    ),
    (
        "def f(x): raise ValueError('no')",
        """
try:
    f(1)
    assert False
except ValueError as e:
    assert str(e) == 'no'
""",
        "passed",
    ),
    (
        """
def f(x): return x
def g(x): return f(x) + 1
K = 3
""",
        """
def check(c):
    assert c(K) == 4 and f(1) == 1
check(g)
""",
        "passed",
    ),
    (
        """
import math
def f(x): return math.pi
""",
        "assert math.isclose(f(0), 3.14159, abs_tol=1e-3)",
        "passed",
    ),
    (
        """
from dataclasses import dataclass
@dataclass
class A:
    x: 'int'
def f(x): return A(x).x
""",
        "assert f(5) == 5",
        "passed",
    ),
    (
        """
def f(x):
    with open('note', 'w') as h: h.write('5')
    return int(open('note').read())
""",
        "assert f(0) == 5",
        "passed",
    ),
    (
        """
import threading
def f(x):
    a = []
    t = threading.Thread(target=lambda: a.append(5))
    t.start(); t.join()
    return a[0]
""",
        "assert f(0) == 5",
        "passed",
    ),
    (
        """
import asyncio
async def g(): return 5
def f(x): return asyncio.run(g())
""",
        "assert f(0) == 5",
        "passed",
    ),
    (
        """
def f(x):
    print('working')
    return x
""",
        """
assert not f(0)
assert f(2)
""",
        "passed",
    ),
    (
        "def f(x): return None",
        "assert f(0) is None",
        "passed",
    ),
    (
        "def f(x): return x",
        """
import os
os._exit(0)
""",
        "error",
    ),
    (
        "def f(x): return x",
        """
assert f(0) == 0, 'fine'
assert g(0)
""",
        "error",
    ),
    (
        "def f(x): return x",
        "while True: f(0)",
        "timeout",
    ),
    (
        "def f(x): return x",
        "",
        "passed",
    ),
    (
        "def f(x): return x",
        "assert f(",
        "error",
    ),
    (
        "def f(x): return x",
        "(" * 3000,
        "error",
    ),
    (
        "def abs(x): return 5",
        "assert abs(1) == 1",
        "passed",
    ),
]
