"""Read a request's body within bounds of size and time, as raw ASGI: the bytes the platform signed, unchanged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from shared.errors import BodyTooLarge, BodyTooSlow, EncodingRefused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


class Disconnected(Exception):
    """The sender hung up before the body was whole; nobody is left to answer."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """Give the first value of a header (ASGI gives names in lower case), or ``None``."""
    return next((value for key, value in headers if key == name), None)


async def read_body(scope: Scope, receive: Receive, bytes_max: int, seconds_max: float) -> bytes:
    """Give the whole body.

    Raises ``EncodingRefused`` for a content encoding, whose bytes the signature does not cover; ``BodyTooLarge`` after
    what comes within the time was read and dropped, so that the sender gets to read the answer; ``BodyTooSlow``;
    ``Disconnected``.
    """
    encoding = header(scope["headers"], b"content-encoding")
    refused = encoding is not None and encoding.strip().lower() not in (b"", b"identity")
    parts: list[bytes] = []
    size, too_large = 0, False
    try:
        async with asyncio.timeout(seconds_max):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                part = message.get("body", b"")
                size += len(part)
                if size > bytes_max:
                    too_large = True
                    parts.clear()
                elif not refused:
                    parts.append(part)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        if not too_large:
            raise BodyTooSlow from None
    if refused:
        raise EncodingRefused
    if too_large:
        raise BodyTooLarge(bytes=bytes_max)
    return parts[0] if len(parts) == 1 else b"".join(parts)
