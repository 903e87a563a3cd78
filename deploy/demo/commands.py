"""Running ``homeport`` as a person would type it: in a folder, to its end, with what it printed."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

CHECKOUT = Path(__file__).resolve().parents[2]


class CommandFailed(Exception):
    """A command did not end as it should; holds what was typed and printed."""


class Command(msgspec.Struct, frozen=True):
    """A command that was run: where, as it is typed, what it printed, how it ended, how long it took in seconds."""

    where: str
    """The folder's name: whose machine it would be."""
    typed: str
    out: str
    errors: str
    status: int
    seconds: float

    @property
    def printed(self) -> str:
        """Give all that stood on the screen."""
        return self.out + self.errors

    def after(self, label: str) -> str:
        """Give what a printed line says behind ``label``; empty where no line begins so."""
        lines = (line.strip() for line in self.printed.splitlines())
        return next((line.removeprefix(label).strip() for line in lines if line.startswith(label)), "")


def run(
    folder: Path, words: Sequence[str], *, typed: bytes = b"", keep_open: Sequence[int] = (), fails: bool = False
) -> Command:
    """Run ``homeport WORDS`` in ``folder`` to its end; ``typed`` goes to its standard input.

    ``CommandFailed`` where it ends with another status than 0, unless ``fails`` says that it may.
    """
    started = time.monotonic()
    done = subprocess.run(
        [*homeport(), *words],
        cwd=folder,
        env=environment(folder),
        input=typed,
        pass_fds=keep_open,
        capture_output=True,
        check=False,
        start_new_session=True,  # Ctrl-C reaches the demo, which ends when the command has
    )
    shown = f"homeport {shlex.join(words)}"
    out, errors = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if done.returncode and not fails:
        raise CommandFailed(f"{shown}\n{out}{errors}")
    return Command(folder.name, shown, out, errors, done.returncode, time.monotonic() - started)


def environment(folder: Path) -> dict[str, str]:
    """Give this process's environment without settings of other nodes; temporary files and HOME lie in ``folder``."""
    own = {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_")}
    return kept | own


def homeport() -> list[str]:
    """Name the console command: the one installed beside this interpreter, else the function it calls."""
    installed = Path(sys.executable).parent / "homeport"
    if installed.exists():
        return [str(installed)]
    return [sys.executable, "-c", "from shared.commands import main; main()"]
