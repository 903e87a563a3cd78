"""One listening socket served by uvicorn in this process, and how it lets go of it without losing a request.

uvicorn's own shutdown closes idle keep-alive connections at once; a client that is just sending on one then
sees a failed request.  So a listener drains first (:meth:`Listener.step_aside`): it accepts no more, every
answer carries ``Connection: close`` (RFC 9112, 9.6), and an idle connection stays open for its next request.
Only when no connection is left, or the grace is over, uvicorn shuts down.
"""

import asyncio
import select
import socket
from typing import Any

import uvicorn

from shared.process.contract import BACKLOG, KEEP_ALIVE_S
from shared.process.protocol import CLOSE, BoundedProtocol


class Listener(uvicorn.Server):
    """A uvicorn server without signal handling, on an inherited socket."""

    def __init__(self, app: Any, sock: socket.socket, *, connections_max: int, finish_s: float) -> None:
        """Serve ``app`` on ``sock``; ``finish_s``: seconds open answers get after the grace of a drain."""
        self._sock = sock
        self._fd = sock.fileno()
        self._loop_task: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                # Its warnings tell of bad requests, and a refused request logs nothing of itself.
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                limit_concurrency=connections_max,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, int(finish_s)),
            )
        )

    async def open(self) -> None:
        """Begin to accept."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.on_tick(0)
        await self.startup([self._sock])
        self._loop_task = asyncio.create_task(self.main_loop())

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times a second; every second also look after half-open connections."""
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.tick()
        return await super().on_tick(counter)

    @property
    def connections(self) -> int:
        """Count open connections."""
        return len(self.server_state.connections)

    async def step_aside(self, *, empty_queue: bool) -> None:
        """Accept no more and let every answer close its connection.

        Closing our descriptor leaves the socket itself open in the processes that share it.  ``empty_queue``:
        nobody shares it any more, so first take in what the kernel has queued: closing would reset it.
        """
        self._close_after_answers()
        rounds = BACKLOG if empty_queue else 0
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        while rounds and waiting.poll(0):
            rounds -= 1
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    def _close_after_answers(self) -> None:
        """Let every answer that has not begun carry ``Connection: close``, those to open requests too.

        uvicorn puts its configured headers into each answer and, finding this one, closes after it.
        """
        self.config.encoded_headers.append(CLOSE)
        state = self.server_state
        state.default_headers = [*state.default_headers, CLOSE]
        for connection in state.connections:
            if isinstance(connection, BoundedProtocol) and connection.cycle is not None:
                connection.cycle.default_headers = state.default_headers

    async def close(self) -> None:
        """Close idle connections, wait for open answers as long as allowed, and end."""
        self.should_exit = True
        if self._loop_task is not None:
            await self._loop_task
        await self.shutdown([self._sock])
