"""Reading secrets: from a file, from standard input, or from a prompt that does not echo.  Never from arguments."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from edge_node.core.accounts import Credentials
from shared.errors import AccountInvalid

_SECRET_BYTES_MAX = 8_192
"""A secret file is a line; a larger file is the wrong one."""


def read_credentials(
    channel: str,
    secret_files: Sequence[str],
    verify_token_files: Sequence[str],
    access_token_file: str | None,
    bus_secret_files: Sequence[str] = (),
) -> Credentials:
    """Read an account's credentials; what must be there and has no file is asked for on a terminal.

    Raises ``AccountInvalid`` naming the option, never the value.
    """
    named = [*secret_files, *verify_token_files, *bus_secret_files, access_token_file]
    if named.count("-") > 1:
        raise AccountInvalid(field_name="-", wants="one secret from standard input; the others from files")
    secrets = [read_secret(path, "--secret-file") for path in secret_files]
    if not secrets:
        secrets = [_ask("App secret" if channel == "whatsapp" else "Channel secret", "--secret-file")]
    tokens = [_text(read_secret(path, "--verify-token-file"), "--verify-token-file") for path in verify_token_files]
    if channel == "whatsapp" and not tokens:
        tokens = [_text(_ask("Verify token", "--verify-token-file"), "--verify-token-file")]
    access = read_secret(access_token_file, "--access-token-file") if access_token_file else None
    token = None if access is None else _text(access, "--access-token-file")
    bus = tuple(read_secret(path, "--bus-secret-file") for path in bus_secret_files)
    return Credentials(tuple(secrets), tuple(tokens), token, bus)


def read_secret(path: str, option: str) -> bytes:
    """Read a secret from ``path`` (``-``: standard input), without the end of its line.

    Raises ``AccountInvalid`` naming ``option``, never the value.
    """
    try:
        if path == "-":
            data = sys.stdin.buffer.read(_SECRET_BYTES_MAX + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(_SECRET_BYTES_MAX + 1)
    except OSError:
        raise AccountInvalid(field_name=option, wants="a file that can be read") from None
    secret = data.strip(b"\r\n")
    if not secret or len(data) > _SECRET_BYTES_MAX:
        raise AccountInvalid(field_name=option, wants="a file that holds the secret and nothing else")
    return secret


def _ask(what: str, option: str) -> bytes:
    """Ask on the terminal, without echo; where there is none, say which option to use."""
    if not sys.stdin.isatty():
        raise AccountInvalid(field_name=option, wants="a file, or - for standard input: there is no terminal to ask on")
    return str(click.prompt(what, hide_input=True)).strip().encode()


def _text(secret: bytes, option: str) -> str:
    """Decode a token: both platforms' are ASCII."""
    try:
        return secret.decode("ascii")
    except UnicodeDecodeError:
        raise AccountInvalid(field_name=option, wants="visible ASCII characters") from None
