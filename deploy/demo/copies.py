"""Looking through files byte by byte while SQLite has them open in this very process: only ever through a copy.

A process that closes a file lets go of all its locks on it, those of its open databases too (fcntl(2), POSIX locks);
the demo reads the stores of running nodes.  So another process copies the folder, and the copy is looked through.
"""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.demo import scanner
from deploy.demo.scanner import Scan


@contextlib.contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Give a copy of everything below ``folder``, for the block; a file that went meanwhile is passed over."""
    with tempfile.TemporaryDirectory(prefix=f".copy-{folder.name}-", dir=folder.parent) as place:
        target = Path(place) / folder.name
        subprocess.run(["cp", "-R", "-p", str(folder), str(target)], capture_output=True, check=False)
        yield target


def files_with(folder: Path, data: bytes) -> list[str]:
    """Name the files below ``folder`` that hold exactly these bytes."""
    with copied(folder) as copy:
        return scanner.files_with(copy, data)


def scan(folder: Path, words: Iterable[str], spoken: Iterable[bytes] = ()) -> Scan:
    """Look for ``words`` in every file below ``folder``, in the files' names, and in ``spoken``."""
    with copied(folder) as copy:
        return scanner.scan(copy, words, spoken)
