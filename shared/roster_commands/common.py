"""What the commands share: reading and writing roster files, and passphrases that are never arguments."""

import sys
from pathlib import Path
from typing import TypeVar

import click

from shared import private_files
from shared.errors.trust import KeyFileInvalid, RosterMalformed
from shared.roster.model import ControlPlane, NodeIntroduction, Officer, Roster, SignedRoster, Witness
from shared.roster.texts import FILE_BYTES_MAX, read_introduction, read_signed, write

PASSPHRASE_CHARACTERS_MIN = 12
"""A passphrase has at least so many characters: four words of a list, or a dozen drawn letters."""
_PASSPHRASE_BYTES_MAX = 1024

I = TypeVar("I", Officer, ControlPlane, Witness, NodeIntroduction)  # noqa: E741 - the type variable of introductions

FILE = click.Path(path_type=Path, dir_okay=False)
passphrase_option = click.option(
    "--passphrase-file", help="File that holds the passphrase; - for standard input; else you are asked."
)


def load(path: Path) -> SignedRoster:
    """Read a roster file."""
    return read_signed(_bytes(path))


def load_introduction(path: Path, kind: type[I]) -> I:
    """Read a file by which somebody introduces itself."""
    try:
        return read_introduction(_bytes(path), kind)
    except RosterMalformed as refused:
        raise RosterMalformed(**{"path": str(path), **refused.details}) from None


def save_draft(roster: Roster, source: Path | None, made_of: SignedRoster | None) -> Path:
    """Write a changed roster, unsigned: a draft in its own place, a signed one's successor beside it."""
    data = write(SignedRoster(roster, ()))
    if source is not None and made_of is not None and not made_of.signatures:
        private_files.replace(source, data)
        return source
    folder = source.parent if source is not None else Path()
    target = folder / f"roster-{roster.version}.json"
    save_new(target, data)
    return target


def save_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet."""
    try:
        private_files.write_new(path, data)
    except FileExistsError:
        raise click.ClickException(f"{path} exists already; it is not overwritten.") from None
    except OSError:
        raise click.ClickException(f"{path} cannot be written.") from None


def passphrase(source: str | None, path: Path, *, fresh: bool = False) -> bytes:
    """Read the passphrase of a key file: from a file, standard input, or a prompt that does not echo."""
    if source is None:
        if not sys.stdin.isatty():
            raise KeyFileInvalid(path=str(path), reason="no passphrase: give --passphrase-file")
        given = str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=fresh)).encode()
    else:
        given = _passphrase_file(source, path)
    if fresh and len(given.decode(errors="replace")) < PASSPHRASE_CHARACTERS_MIN:
        raise KeyFileInvalid(path=str(path), reason=f"passphrase shorter than {PASSPHRASE_CHARACTERS_MIN} characters")
    return given


def _passphrase_file(source: str, path: Path) -> bytes:
    """Read one line."""
    try:
        if source == "-":
            data = sys.stdin.buffer.read(_PASSPHRASE_BYTES_MAX + 1)
        else:
            data = private_files.read(Path(source), bytes_max=_PASSPHRASE_BYTES_MAX)
    except OSError:
        raise KeyFileInvalid(path=str(path), reason="passphrase file cannot be read") from None
    given = data.rstrip(b"\r\n")
    if not given or len(data) > _PASSPHRASE_BYTES_MAX:
        raise KeyFileInvalid(path=str(path), reason="passphrase file is not one line")
    return given


def _bytes(path: Path) -> bytes:
    """Read a file that is public."""
    try:
        return private_files.read(path, bytes_max=FILE_BYTES_MAX)
    except OSError:
        raise RosterMalformed(path=str(path), reason="cannot be read") from None
