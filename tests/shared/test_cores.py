"""The cores that a process may use are the least of what the machine has and what it was allotted."""

import os
import subprocess
import sys

import pytest

from autodidact import cores


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of 64 cores without limits."""
    monkeypatch.delenv(cores.SLURM, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
    ],
)
def test_a_containers_quota_counts(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores.allotted(tmp_path) == expected


def test_affinity_and_a_slurm_jobs_share_count(tmp_path, monkeypatch):
    monkeypatch.setenv(cores.SLURM, "16")
    assert cores.allotted(tmp_path) == 16
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3}, raising=False)
    assert cores.allotted(tmp_path) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_a_process_held_to_one_core_takes_one():
    code = "import os; os.sched_setaffinity(0, [0]); from autodidact.cores import allotted; print(allotted())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "1"
