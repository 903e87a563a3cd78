"""A new file is there whole or not at all, whatever happens while it is written: no half a key stands in the way."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from shared import private_files

_DIES = """
import resource, signal, sys
from pathlib import Path
from shared import private_files
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
private_files.write_new(Path(sys.argv[1]), bytes(1000))
"""


def names(folder):
    """Name what lies in a folder."""
    return [each.name for each in folder.iterdir()]


@contextmanager
def room_for(size_bytes):
    """Let no file of this process grow beyond a size: writing fails in the middle, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_new_file_is_private_and_never_overwritten(tmp_path):
    path = tmp_path / "mint.key"
    private_files.write_new(path, b"first")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        private_files.write_new(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["mint.key"]


def test_nothing_is_written_through_a_link_that_leads_nowhere(tmp_path):
    path = tmp_path / "mint.key"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        private_files.write_new(path, b"first")
    assert names(tmp_path) == ["mint.key"]


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    path = tmp_path / "mint.key"
    with room_for(100), pytest.raises(OSError, match="too large"):
        private_files.write_new(path, bytes(1000))
    assert names(tmp_path) == []
    private_files.write_new(path, bytes(1000))
    assert path.read_bytes() == bytes(1000)


def test_whoever_dies_while_writing_leaves_no_half_of_it_in_its_place(tmp_path):
    path = tmp_path / "mint.key"
    done = subprocess.run([sys.executable, "-c", _DIES, str(path)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGXFSZ, done.stderr
    assert not path.exists()
    private_files.write_new(path, bytes(1000))
    assert path.read_bytes() == bytes(1000)


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    """An officer's key may lie on a stick."""

    def refuses(*_arguments, **_more):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    path = tmp_path / "ann.key"
    private_files.write_new(path, b"first")
    with pytest.raises(FileExistsError):
        private_files.write_new(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["ann.key"]
