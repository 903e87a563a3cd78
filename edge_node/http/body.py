"""Read a request's body within bounds of size and time, as raw ASGI: the bytes the platform signed, unchanged."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any, cast

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
    for key, value in headers:
        if key == name:
            return value
    return None


async def read_body(scope: Scope, receive: Receive, bytes_max: int, seconds_max: float) -> bytes:
    """Give the whole body.

    Raises ``EncodingRefused`` for a content encoding, whose bytes the signature does not cover; ``BodyTooLarge`` after
    what comes within the time was read and dropped, so that the sender gets to read the answer; ``BodyTooSlow``;
    ``Disconnected``.
    """
    encoding = header(scope["headers"], b"content-encoding")
    refused = encoding is not None and encoding.strip().lower() not in (b"", b"identity")
    body = _Body(bytes_max, keeps=not refused)
    message = _at_once(receive)
    if message is None or body.take(message):
        await _read_on(body, receive, seconds_max)
    if refused:
        raise EncodingRefused
    if body.too_large:
        raise BodyTooLarge(bytes=bytes_max)
    return body.whole()


class _Body:
    """A body as it arrives."""

    __slots__ = ("_bytes_max", "_keeps", "_parts", "_size", "too_large")

    def __init__(self, bytes_max: int, *, keeps: bool) -> None:
        """Begin with nothing; ``keeps`` says whether it is wanted at all."""
        self._bytes_max, self._keeps = bytes_max, keeps
        self._parts: list[bytes] = []
        self._size = 0
        self.too_large = False

    def take(self, message: Message) -> bool:
        """Take a part in and say whether more comes; ``Disconnected`` where nothing can."""
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        self._size += len(part)
        if self._size > self._bytes_max:
            self.too_large = True
            self._parts.clear()
        elif self._keeps:
            self._parts.append(part)
        more: bool = message.get("more_body", False)
        return more

    def whole(self) -> bytes:
        """Give all of it."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def _at_once(receive: Receive) -> Message | None:
    """Give the next message if it is there already: nearly every body comes with its head.

    A timer for each of these would cost more than all else on this page.  A wait that has begun is given up and begun
    again under a timer: the same as what a timer's cancellation does to it.
    """
    waiting = cast("Coroutine[object, None, Message]", receive())
    try:
        waiting.send(None)
    except StopIteration as done:
        found: Message = done.value
        return found
    waiting.close()
    return None


async def _read_on(body: _Body, receive: Receive, seconds_max: float) -> None:
    """Read what is still to come within the time; ``BodyTooSlow``, or too large already and dropped."""
    try:
        async with asyncio.timeout(seconds_max):
            while body.take(await receive()):
                pass
    except TimeoutError:
        if not body.too_large:
            raise BodyTooSlow from None
