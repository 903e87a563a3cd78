"""A file that a platform has begun to send: from which byte on, how long it says it is, and what it says it is."""

import re
from collections.abc import AsyncIterator
from typing import NamedTuple

from edge_node.platforms.media_client import MediaAnswer, refusal
from shared.errors.media import MediaNotFetched

_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


class Opened(NamedTuple):
    """An open file."""

    offset: int
    """Where ``pieces`` begin: what was asked for, or 0 where the platform sends everything again."""
    size: int | None
    """Bytes of the whole file."""
    mime_type: str | None
    sha256: str | None
    """In hexadecimal digits, where the platform says it."""
    pieces: AsyncIterator[bytes]


def range_from(offset: int) -> dict[str, str]:
    """Ask for the rest of a file (RFC 9110 14.2)."""
    return {"range": f"bytes={offset}-"} if offset else {}


def opened(answer: MediaAnswer, asked_from: int, sha256: str | None = None, mime_type: str | None = None) -> Opened:
    """Read the head of an answer that is a file; raises what any other answer means."""
    headers = answer.headers
    if answer.status not in {200, 206}:
        raise refusal(answer)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaNotFetched(reason="unexpected_shape")
    mime_type = mime_type or headers.get("content-type")
    if answer.status == 206:
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or int(found[1]) != asked_from:
            raise MediaNotFetched(reason="unexpected_shape")
        return Opened(asked_from, None if found[3] == "*" else int(found[3]), mime_type, sha256, answer.pieces)
    length = headers.get("content-length", "")
    return Opened(0, int(length) if length.isdigit() else None, mime_type, sha256, answer.pieces)
