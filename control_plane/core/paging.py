"""Opaque cursors: where a page ended, as text that means nothing to whoever passes it on.  Pure."""

import base64
import binascii

import msgspec

from control_plane.core.errors import CursorInvalid

LIMIT_MAX = 200
"""Most rows in one page."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """The last row of a page: its instant and its id."""

    at: int
    id: str


START = Position(-1, "")
"""Before the first row."""


def write_cursor(position: Position) -> str:
    """Give the cursor of a position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode("ascii").rstrip("=")


def read_cursor(text: str) -> Position:
    """Give the position of a cursor, the start for an empty one; ``CursorInvalid`` where it is no cursor."""
    if not text:
        return START
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(data, type=Position)
    except (binascii.Error, ValueError, RecursionError):
        raise CursorInvalid from None
    if write_cursor(position) != text or not -1 <= position.at < 2**53 or len(position.id) > 64 or "\0" in position.id:
        raise CursorInvalid
    return position
