"""Raw ASGI: read a request's body within bounds of size and time, and send an answer whole."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from shared.errors import BodyTooLarge, BodyTooSlow

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_BYTES_MAX = 4 * 1024 * 1024
"""A message of a node: a beat with all its registrations is 350 KB, a notice with many disclosures some MB."""
BODY_SECONDS_MAX = 10.0


class Disconnected(Exception):
    """The sender hung up before the body was whole; nobody is left to answer."""


async def read_body(receive: Receive) -> bytes:
    """Give the whole body; ``BodyTooLarge``, ``BodyTooSlow``, ``Disconnected``."""
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > BODY_BYTES_MAX:
                    raise BodyTooLarge(bytes=BODY_BYTES_MAX)
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyTooSlow from None
    return b"".join(parts)


async def answer(send: Send, status: int, body: bytes, fields: tuple[tuple[str, str], ...] = ()) -> None:
    """Send a whole answer."""
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in fields]
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})
