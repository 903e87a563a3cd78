"""No core dump, no foreign eyes: what a node's processes have in memory stays there."""

import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 19, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""A program that gives up CAP_SYS_PTRACE for good (PR_CAPBSET_DROP) and becomes another: root may look everywhere."""

LOOK = "import os, sys; os.readlink(f'/proc/{sys.argv[1]}/exe')"
WITHOUT_CAPABILITY = (sys.executable, "-c", PLAIN)


def may_look_into(pid):
    """Say whether a program of the same account may look into a process, as a debugger would (ptrace(2))."""
    words = [*WITHOUT_CAPABILITY, sys.executable, "-c", LOOK, str(pid)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def core_limits(pid):
    """Give the soft and the hard limit on core files of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file")).split()[4:6]


@pytest.fixture
def other():
    """Give a process that has nothing to hide."""
    process = subprocess.Popen([*WITHOUT_CAPABILITY, "sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_core_dumps_are_off_in_supervisor_and_workers_and_nobody_looks_into_them(make_node, other):
    if not may_look_into(other.pid):
        pytest.skip("this system lets nobody look into a process of the same account")
    node = make_node().start(*WITHOUT_CAPABILITY)
    first = node.running()
    node.restart()
    second = node.running()
    assert second.worker != first.worker
    for pid in (second.pid, second.worker):
        assert core_limits(pid) == ["0", "0"]
        assert not may_look_into(pid)
