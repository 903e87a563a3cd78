"""uvicorn's HTTP/1.1 protocol with the bounds it lacks: the size of a request's head and the time it takes.

llhttp limits neither (nodejs/llhttp leaves it to its caller), and uvicorn's own limit is h11's only; without
these a client could fill the memory with one header that never ends, or hold connections with heads that
never come.

And a shorter way for requests that arrive whole, as nearly all webhooks do: an application with a method ``begin`` is
offered them without the task, the messages and the waiting of ASGI (deploy/decisions/0006).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from shared.process.contract import KEEP_ALIVE_S

HEAD_BYTES_MAX = 32 * 1024
"""Request line and headers: common proxies allow 8 to 32 KiB; both platforms send below 2 KiB."""

HEAD_S_MAX = 10
"""Seconds from a head's first byte to its end."""

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)

CLOSE = (b"connection", b"close")
"""The header by which an answer says that it is the connection's last (RFC 9112, 9.6)."""

Respond = Callable[[int, bytes, Sequence[tuple[bytes, bytes]]], None]
"""Sends a whole response: status, body, headers beside ``content-length``."""


class Beginner(Protocol):
    """An application that takes requests which are whole at once."""

    def begin(self, scope: dict[str, Any], body: bytes, respond: Respond) -> bool:
        """Say whether the request is taken; then ``respond`` is called once, now or later.  Never raises."""


def _nothing() -> None:
    """Do nothing."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection.  :meth:`tick` is called once a second by its listener."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Start with no head begun."""
        super().__init__(config, server_state, app_state, _loop)
        self._head_open = False
        self._head_bytes = 0
        self._head_ticks = 0
        self._asked = False
        self._silent_ticks = 0
        self._begin: Callable[[Any, bytes, Respond], bool] | None = getattr(self.app, "begin", None)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless the head that is still open grows over its limit.

        A head within one read is bounded by the size of a read (256 KiB in libuv).
        """
        if self._head_open:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        super().data_received(data)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Start a request once everything is read that has come in by now, which shows whether it is whole.

        Requests of several connections are then begun one after the other: that alone saves a tenth of their cost.
        """
        if self._begin is None:
            super()._start_asgi_task(cycle, app)
        else:
            self.loop.call_soon(self._start, cycle, app)

    def _start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Offer the application a request that is whole; start a task for any other, or where it does not take it."""
        begin = self._begin
        whole = app is self.app and not cycle.more_body and not cycle.disconnected
        if begin is None or not whole or not begin(cycle.scope, bytes(cycle.body), partial(self._respond, cycle)):
            super()._start_asgi_task(cycle, app)

    def _respond(
        self, cycle: RequestResponseCycle, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Do what the cycle's ``send`` does with both messages of a whole response."""
        if cycle.disconnected:
            return
        headers = (*cycle.default_headers, *headers, (b"content-length", b"%d" % len(body)))
        if CLOSE in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers = (*headers, CLOSE)
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], lines, body))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        cycle.on_response = _nothing  # as uvicorn does: no ring of references is left behind

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._asked = True
        self._head_open = True
        self._head_bytes = 0
        self._head_ticks = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End the count."""
        self._head_open = False
        super().on_headers_complete()

    def tick(self) -> None:
        """Close a connection whose head takes too long, or which never began one."""
        if self._head_open:
            self._head_ticks += 1
            if self._head_ticks > HEAD_S_MAX:
                self.transport.close()
        elif not self._asked:
            # uvicorn's keep-alive timer starts with the first answer only.
            self._silent_ticks += 1
            if self._silent_ticks > KEEP_ALIVE_S:
                self.transport.close()
