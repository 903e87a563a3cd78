"""A disk so small that it can be filled: a file system of its own in memory, where this account may mount one."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BALLAST = "ballast"


class SmallDisk:
    """A mounted folder, filled and emptied at will."""

    def __init__(self, folder: Path) -> None:
        """Take the mounted folder."""
        self._ballast = folder / BALLAST

    def fill(self) -> None:
        """Leave not one free page."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (64 * 1024, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\x01" * size)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path, int], SmallDisk]]:
    """Give what puts a folder, with what lies in it, on a disk of so many KiB; skips where nothing may be mounted."""
    mounted: list[Path] = []

    def mount(folder: Path, kib: int) -> SmallDisk:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = folder.with_name(f"{folder.name}-aside")
        folder.rename(aside)
        folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=700", "homeport-test", folder]
        may = os.geteuid() == 0 and shutil.which("mount")
        done = subprocess.run(command, capture_output=True, check=False) if may else None
        if done is None or done.returncode:
            pytest.skip("disk full: this account may not mount a small file system (tmpfs)")
        mounted.append(folder)
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        return SmallDisk(folder)

    yield mount
    for folder in reversed(mounted):
        subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)
