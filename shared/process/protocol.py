"""uvicorn's HTTP/1.1 protocol with the bounds it lacks: the size of a request's head and the time it takes.

llhttp limits neither (nodejs/llhttp leaves it to its caller), and uvicorn's own limit is h11's only; without
these a client could fill the memory with one header that never ends, or hold connections with heads that
never come.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from shared.process.contract import KEEP_ALIVE_S

HEAD_BYTES_MAX = 32 * 1024
"""Request line and headers: common proxies allow 8 to 32 KiB; both platforms send below 2 KiB."""

HEAD_S_MAX = 10
"""Seconds from a head's first byte to its end."""

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)


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
